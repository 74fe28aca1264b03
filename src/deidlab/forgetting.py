"""Forgetting less: weights on the way from those of before to those that were learnt, and how far they may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from deidlab.types import ConfigError

STEPS = 16  # shares that are tried are multiples of 1 / STEPS


def learning(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def remembered(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the weights that will learn."""
    return {name: parameter.detach().clone() for name, parameter in learning(model).items()}


@contextmanager
def blended(model: torch.nn.Module, start: Mapping[str, torch.Tensor], share: float) -> Iterator[None]:
    """Meanwhile the weights of `start` are start + `share` * (learnt - start); afterwards what they were.

    On the way between two models that began as one lie models that know most of what both know (Wortsman et al., Robust
    fine-tuning of zero-shot models, 2022).
    """
    if share == 1:
        yield
        return
    moved = {name: parameter for name, parameter in model.named_parameters() if name in start}
    learnt = {name: parameter.detach().clone() for name, parameter in moved.items()}
    with torch.no_grad():
        for name, parameter in moved.items():
            parameter.copy_(torch.lerp(start[name], parameter, share))
    try:
        yield
    finally:
        with torch.no_grad():
            for name, parameter in moved.items():
                parameter.copy_(learnt[name])


@dataclass(frozen=True)
class Kept:
    """The share of what was learnt that is kept, and strict F1 on earlier notes before training and with that share."""

    share: float
    before: float
    after: float

    def line(self, notes: int) -> str:
        return (
            f"{self.share:.2f} of what was learnt is kept: on {notes} earlier notes strict F1 was {self.before:.4f} "
            f"and is {self.after:.4f}"
        )


def most_that_keeps(judge: Callable[[float], float], loss: float) -> Kept:
    """The largest share of what was learnt that costs at most `loss` of strict F1 on earlier notes.

    `judge` tells the F1 with a share of it; 0 is the model of before. The search halves, as more is forgotten the more
    is kept, and takes what it finds at its word: on few notes a share beside it may do as well.
    """
    before = judge(0.0)
    scores = {0: before, STEPS: judge(1.0)}
    low, high = (STEPS, STEPS) if before - scores[STEPS] <= loss else (0, STEPS)
    while high - low > 1:
        middle = (low + high) // 2
        scores[middle] = judge(middle / STEPS)
        low, high = (middle, high) if before - scores[middle] <= loss else (low, middle)
    return Kept(low / STEPS, before, scores[low])


def check_forgetting(blend: float, most_forgotten: float | None, earlier: int) -> None:
    """Raise `ConfigError` for shares that are none, and where nothing could tell what is forgotten."""
    if not 0 < blend <= 1:
        raise ConfigError(f"training.blend is {blend}; expected a share above 0, at most 1 (all of what was learnt)")
    if most_forgotten is None:
        return
    if not 0 <= most_forgotten < 1:
        raise ConfigError(
            f"replay.most_forgotten is {most_forgotten}; expected what strict F1 may lose, 0.01 for a point, or null"
        )
    if not earlier:
        raise ConfigError(
            "replay.most_forgotten needs validation notes of the replayed corpus: cut some off "
            "(replay.data.fractions), or set replay.most_forgotten=null"
        )
