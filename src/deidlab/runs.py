"""A run's folder, the errors it reports, and where it came from.

Imported by the doors (`train.py`, `scripts/`); holds nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from deidlab.types import ConfigError, DeidlabError

if TYPE_CHECKING:
    from deidlab.corpora.loading import Corpus

WHERE = ("name", "output_dir", "overwrite", "resume", "tracking")  # settings that change no result
LIBRARIES = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "peft", "numpy", "seqeval")


def begin(
    config: str, output_dir: str | None, overwrite: bool = False, reads: Iterable[str | None] = (), resume: bool = False
) -> Path:
    """The folder of a run with its settings (YAML) in `config.yaml`: the one to `resume` if it is there, else new."""
    folder = (resumed_folder(output_dir, config) if resume else None) or run_folder(output_dir, overwrite, reads)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    return folder


def run_folder(
    output_dir: str | None, overwrite: bool, reads: Iterable[str | None] = (), root: str = "outputs"
) -> Path:
    """Create the folder of a run: the named one, or the next free number under `root`.

    Raises `ConfigError` when a named folder is there and not empty, unless `overwrite`; and then still when it is no
    run's folder or holds what this run `reads` (a model, notes, predictions).
    """
    if output_dir is None:
        parent = Path(root)
        parent.mkdir(parents=True, exist_ok=True)
        number = max((int(p.name) for p in parent.iterdir() if re.fullmatch(r"\d+", p.name)), default=0)
        while True:  # another run may take the number between looking and making
            number += 1
            folder = parent / f"{number:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    folder = Path(output_dir)
    # A run that failed before it left more than its settings has not begun: its name is free.
    if folder.exists() and (not folder.is_dir() or any(file.name != "config.yaml" for file in folder.iterdir())):
        if not overwrite:
            raise ConfigError(f"output_dir={folder} exists: choose another, or say overwrite=true to replace it")
        if not folder.is_dir() or not (folder / "config.yaml").is_file():
            raise ConfigError(f"output_dir={folder} is no run's folder (no config.yaml): it is not overwritten")
        for read in filter(None, reads):
            if Path(read).expanduser().resolve().is_relative_to(folder.resolve()):
                raise ConfigError(f"output_dir={folder} holds {read}, which this run reads: choose another output_dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def resumed_folder(output_dir: str | None, config: str, root: str = "outputs") -> Path | None:
    """The folder of the run to go on with: the named one, or the last under `root`; None when it has not begun.

    Raises `ConfigError` when that run had other settings than `config` (YAML), naming them.
    """
    begun = sorted((p for p in Path(root).glob("*") if p.name.isdigit()), key=lambda p: int(p.name))
    folder = Path(output_dir) if output_dir else begun[-1] if begun else None
    if folder is None or not (folder / "config.yaml").is_file():
        return None
    before, now = (dotted(yaml.safe_load(text)) for text in ((folder / "config.yaml").read_text("utf-8"), config))
    names = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if differing := [key for key in names if key.split(".")[0] not in WHERE]:
        shown = ", ".join(f"{key} (was {before.get(key)!r:.60}, is {now.get(key)!r:.60})" for key in differing[:8])
        raise ConfigError(f"{folder} had other settings: {shown}. Resume with the same or choose a new folder")
    return folder


def dotted(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


@contextmanager
def private_cache(folder: Path, process: int = 0) -> Iterator[Path]:
    """A folder for what holds note text while a run lasts: mode 0700, one for each process, and gone afterwards.

    Also after an error, and when a scheduler ends the run (SIGTERM); what a killed run left goes first.
    """

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    cache = folder / (f"cache-{process}" if process else "cache")
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(mode=0o700)
    in_main = threading.current_thread() is threading.main_thread()  # elsewhere Python refuses to set handlers
    before = signal.signal(signal.SIGTERM, end) if in_main else None
    try:
        yield cache
    finally:
        shutil.rmtree(cache, ignore_errors=True)
        if in_main:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def mendable_errors() -> Iterator[None]:
    """End with one line that says what to mend instead of a traceback; exit status 2."""
    try:
        yield
    except DeidlabError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


def instantiate(config: Any, **arguments: Any) -> Any:
    """Build what a config's `_target_` names, with plain containers, handing `arguments` over as they are.

    Hydra would wrap our errors, hiding what to mend, and turn dataclasses among the arguments into configs.
    """
    import hydra

    return hydra.utils.instantiate(config, _partial_=True, _convert_="all")(**arguments)


def plain(settings: Any) -> Any:
    """Settings as lists, mappings and values of Python, resolved where they stand; None where there are none."""
    from omegaconf import OmegaConf

    return OmegaConf.to_container(settings, resolve=True, throw_on_missing=True) if settings is not None else None


def instantiate_system(config: Any, labels: Any) -> Any:
    """Build a system (`conf/system/*`) for the labels of an evaluation; the `systems` in it come first, with the same.

    Hydra would build these before it knows the labels. Raises `ConfigError` for a setting that is still to be said.
    """
    from omegaconf import MissingMandatoryValue

    parts = {name: instantiate_system(part, labels) for name, part in (config.get("systems") or {}).items()}
    # Resolved where it stands: a copy would look for the settings of the whole evaluation in itself.
    try:
        own = plain(config)
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key} has no default: say {error.full_key}=...") from None
    own.pop("systems", None)
    return instantiate(own, labels=labels, **({"systems": parts} if parts else {}))


def log_to_terminal() -> None:
    """Our own messages on the terminal; those of libraries only from warnings up."""
    from rich.logging import RichHandler

    handler = RichHandler(show_path=False, show_time=False, rich_tracebacks=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler], force=True)
    logging.getLogger("deidlab").setLevel(logging.INFO)
    # They announce every request to a hub and every missing kernel.
    for noisy in ("httpx", "huggingface_hub", "datasets", "torch"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def provenance(config: str, seed: int, corpus: Corpus, **more: Any) -> dict[str, Any]:
    """Where a result came from: versions, commit, data, seed and a digest of the settings; no time, no path."""
    return {
        "deidlab": importlib.metadata.version("deidlab"),
        "commit": commit(),
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "seed": seed,
        "data_fingerprint": corpus.fingerprint,
        "documents": {name: len(split) for name, split in corpus.documents.items()},
        **({"corpus": dict(corpus.provenance)} if corpus.provenance else {}),
        "config_digest": settings_digest(config),
        **more,
    }


def settings_digest(config: str) -> str:
    """Sixteen hexadecimal digits that name a run's settings (YAML), whatever its title and wherever it is written."""
    settings = {key: value for key, value in yaml.safe_load(config).items() if key not in WHERE}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def commit() -> str | None:
    """The commit of the source tree, `-dirty` when it has changes; None outside a repository."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def write_json(file: Path, content: Mapping[str, Any] | list[Any]) -> None:
    """Write JSON the same way every time."""
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
