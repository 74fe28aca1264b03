"""The state of a training run in one file that is always whole, so that a killed run goes on as if nothing had been.

Weights, optimizer and place are all there is to keep: batches follow from seed and epoch, random numbers from seed and
step. The file is safetensors, written beside the old one, flushed, and renamed over it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from deidlab.checkpoints import Checkpoint
from deidlab.types import ConfigError, DeidlabError

STATE = "training_state.safetensors"
# The whole state, whatever the parallelism, in the memory of the main process; frozen weights come from their source.
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True, strict=False)
EVERYWHERE = StateDictOptions(full_state_dict=True, ignore_frozen_params=True, strict=False)


@dataclass
class Place:
    """Where a run stands, and what it has seen since the last validation."""

    epoch: int = 1
    step_in_epoch: int = 0
    step: int = 0
    best: float = -1.0
    stale: int = 0
    finished: bool = False
    loss: float = 0.0  # since the last validation
    mass: float = 0.0
    tokens: int = 0
    padded: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def save_state(
    file: Path, model: torch.nn.Module, optimizer: Any, place: Place, settings: Mapping[str, Any], write: bool = True
) -> None:
    """Replace the state; `settings` are what a resumed run must share. All processes call, those with `write` write."""
    # Every process takes part in putting the state together; the main one has it then.
    kept: Any = ({}, {}) if place.finished else get_state_dict(model, optimizer, options=WHOLE)
    if write:
        weights, moments = kept
        tensors = {f"model|{name}": value for name, value in weights.items()}
        for name, values in moments.get("state", {}).items():
            tensors |= {f"optimizer|{key}|{name}": value for key, value in values.items()}
        content = {"place": json.dumps(asdict(place)), "settings": json.dumps(settings)}
        partial = file.with_name(file.name + ".partial")
        save_file(
            {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, partial, content
        )
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(file)


def load_state(file: Path, model: torch.nn.Module, optimizer: Any, settings: Mapping[str, Any]) -> Place:
    """Restore weights and optimizer in place, and return where the run stood.

    Raises `ConfigError` when the state is of a run with other settings, naming them, or cannot be read.
    """
    try:
        with safe_open(file, "pt") as stored:
            content = stored.metadata()
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{file} cannot be read ({type(error).__name__}): start anew with overwrite=true") from error
    before = json.loads(content["settings"])
    now = json.loads(json.dumps(settings))
    if differing := sorted(key for key in {*before, *now} if before.get(key) != now.get(key)):
        shown = ", ".join(f"{key} (was {before.get(key)!r:.60}, is {now.get(key)!r:.60})" for key in differing)
        raise ConfigError(
            f"{file.parent} was trained with other settings: {shown}. Resume with the same, or start anew"
        )
    place = Place(**json.loads(content["place"]))
    if not place.finished:
        restore(model, optimizer, tensors)
    return place


def restore(model: torch.nn.Module, optimizer: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    # Offloaded, a whole state reaches the first process only; every process needs its groups.
    _, fresh = get_state_dict(model, optimizer, options=EVERYWHERE)
    weights: dict[str, Any] = {}
    moments: dict[str, Any] = {}
    for name, value in tensors.items():
        match name.split("|"):
            case ["model", parameter]:
                weights[parameter] = value
            case ["optimizer", key, parameter]:
                moments.setdefault(parameter, {})[key] = value
    set_state_dict(
        model, optimizer, model_state_dict=weights,
        optim_state_dict={"state": moments, "param_groups": fresh["param_groups"]}, options=EVERYWHERE,
    )  # fmt: skip


def save_atomically(checkpoint: Checkpoint, folder: Path, weights: dict[str, torch.Tensor] | None = None) -> None:
    """Replace `folder` by the checkpoint: at any moment there is a whole one, under its name or as `.old`.

    `weights` are those of a model that is cut into shards, put together.
    """
    partial, old = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".old")
    shutil.rmtree(partial, ignore_errors=True)
    checkpoint.save(partial, weights)
    mend_interrupted(folder)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def mend_interrupted(folder: Path) -> None:
    """Put back the checkpoint of a run that was killed between the two renames of `save_atomically`."""
    old = folder.with_name(folder.name + ".old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def writing(folder: Path, step: int) -> Iterator[None]:
    """Say what is left when a checkpoint cannot be written, for instance because the disk is full."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        for partial in folder.glob("*.partial"):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
        raise DeidlabError(
            f"{folder}: nothing could be written at step {step} ({error}). What was saved before is whole: make room, "
            "then go on with resume=true and the same settings"
        ) from error
