"""Where the figures of a run go besides its folder. Only numbers and settings ever do: no text, no path, no console."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from deidlab.types import ConfigError

Track = Callable[[int, Mapping[str, float]], None]


@contextmanager
def untracked(**_: Any) -> Iterator[Track]:
    """Track nowhere."""
    yield lambda step, values: None


@contextmanager
def tensorboard(*, folder: Path, settings: Mapping[str, Any], name: str) -> Iterator[Track]:
    """Write event files to `folder/tensorboard`. Raises `ConfigError` when TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError('tracking=tensorboard needs TensorBoard: pip install -e ".[tracking]"') from error
    with SummaryWriter(str(folder / "tensorboard")) as writer:
        for key, value in told(settings).items():
            writer.add_text(key, str(value))

        def track(step: int, values: Mapping[str, float]) -> None:
            for key, value in values.items():
                writer.add_scalar(key, value, step)

        yield track


@contextmanager
def wandb(
    *,
    folder: Path,
    settings: Mapping[str, Any],
    name: str,
    project: str = "deidlab",
    mode: Literal["offline", "online"] = "offline",
) -> Iterator[Track]:
    """Log to Weights & Biases in `folder/wandb`; neither console, code, command line nor machine is recorded."""
    import wandb as service

    quiet = service.Settings(
        console="off", disable_git=True, disable_code=True, save_code=False, silent=True, x_disable_meta=True,
        x_disable_stats=True, x_disable_machine_info=True,
    )  # fmt: skip
    run = service.init(
        project=project, name=name, dir=str(folder), mode=mode, config=told(settings), settings=quiet
    )  # fmt: skip
    failed = 1
    try:
        yield lambda step, values: run.log(dict(values), step=step)
        failed = 0
    finally:
        run.finish(exit_code=failed)


def told(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted names, without those that are paths: a path may name a hospital or a person."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= told(value, f"{prefix}{key}.")
        elif not (isinstance(value, str) and ("/" in value or "\\" in value)) and key not in ("label_map", "maps"):
            flat[prefix + key] = value
    return flat
