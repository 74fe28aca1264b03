"""How fast what learns: parameter groups, and the course of the rate."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import torch

from deidlab.adapters import HEADS
from deidlab.types import ConfigError

Schedule = Literal["linear", "cosine"]
BLOCK = re.compile(r"\.(?:layers?|h|blocks)\.(\d+)\.")
EMBEDDINGS = re.compile(r"embed|\bwte\b|\bwpe\b")


def check_rates(
    learning_rate: float,
    head: float | None,
    weight_decay: float,
    warmup: float,
    schedule: str,
    clip: float,
    layer_decay: float = 1.0,
) -> None:
    """Raise `ConfigError` for what an optimizer would refuse with a traceback or, worse, obey."""
    if learning_rate <= 0 or (head is not None and head <= 0) or clip <= 0:
        raise ConfigError("training.learning_rate, head_learning_rate (unless null) and clip must be above 0")
    if weight_decay < 0 or not 0 <= warmup <= 1:
        raise ConfigError("training.weight_decay must not be negative, and training.warmup is a share from 0 to 1")
    if schedule not in ("linear", "cosine"):
        raise ConfigError(f"training.schedule is {schedule!r}; expected linear or cosine")
    if not 0 < layer_decay <= 1:
        raise ConfigError(f"training.layer_decay is {layer_decay}; expected a factor above 0, at most 1 (no decay)")


def rate_factor(done: float, warmup: float, schedule: Schedule) -> float:
    """The learning rate's share of its peak when the share `done` of training is behind."""
    if done < warmup:
        return done / warmup
    left = max(0.0, (1 - done) / (1 - warmup)) if warmup < 1 else 1.0
    match schedule:
        case "linear":
            return left
        case "cosine":
            return 0.5 * (1 - math.cos(math.pi * left))


def parameter_groups(
    model: torch.nn.Module,
    learning_rate: float,
    weight_decay: float,
    head_learning_rate: float | None,
    layer_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Weight decay for matrices only; the new head may learn faster than the pretrained body, lower layers slower.

    Each layer learns at `layer_decay` times the rate of the one above it, the embeddings below the lowest (Howard and
    Ruder, Universal Language Model Fine-tuning for Text Classification, 2018, section 3.2).
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    layers = 1 + max(
        (layer for name, _ in model.named_parameters() if (layer := layer_of(name)) is not None), default=-1
    )
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in named:
        if {*HEADS, "crf"}.isdisjoint(name.split(".")):
            layer = layer_of(name)
            below = 0 if layer is None else layers - 1 - layer  # how many layers are above it
            rate = learning_rate * layer_decay**below
        else:
            rate = head_learning_rate or learning_rate
        decay = weight_decay if parameter.ndim >= 2 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]


def layer_of(name: str) -> int | None:
    """The layer of a parameter, counted from the lowest; -1 for embeddings, None for what lies above all layers."""
    if block := BLOCK.search(name):
        return int(block[1])
    return -1 if EMBEDDINGS.search(name) else None
