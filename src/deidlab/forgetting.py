"""So that what a model knew before is not forgotten: weights that it needs learn less, and part of all is kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch

from deidlab.checkpoints import Checkpoint
from deidlab.inference import pad
from deidlab.objectives import Loss
from deidlab.progress import progress_bar
from deidlab.types import ConfigError, Document, Window

SAMPLE = 100  # windows that tell how much a weight matters to some notes


def check_protection(blend: float, protect: float, replay: Sequence[Document], sharded: bool) -> None:
    """Raise `ConfigError` for a share that is none, and for protection of what is not there to be asked."""
    if not 0 < blend <= 1:
        raise ConfigError(f"training.blend is {blend}; expected a share above 0, at most 1 (all of what was learnt)")
    if protect < 0:
        raise ConfigError(f"training.protect is {protect}; expected 0 (every weight alike) or more")
    if protect and not replay:
        raise ConfigError(
            "training.protect asks replayed notes which weights they need, and there are none: choose "
            "replay=synthetic or replay=corpus, or set training.protect=0"
        )
    if protect and sharded:
        raise ConfigError("training.protect needs the whole model in each process: set it to 0 with FSDP")


def shares_of_rate(
    checkpoint: Checkpoint,
    windows: Sequence[Window],
    replayed: Sequence[Window],
    loss: Loss,
    protect: float,
    autocast: Callable[[], AbstractContextManager[None]],
    seed: int,
    quiet: bool = False,
) -> list[torch.Tensor]:
    """At what share of the rate each weight learns, in the order of `learning`; nothing where `protect` is 0.

    The share is n * new / (n * new + protect * old) with n windows to learn from: how much a weight matters to them,
    and how much to those `replayed`, before training and relative to the mean of all weights. What the model knew
    counts as `protect` windows do, so that the fewer notes teach the more is protected. How much a weight matters is
    the mean squared gradient of a window's loss, the diagonal of the empirical Fisher information. (Matena and Raffel,
    Merging Models with Fisher-Weighted Averaging, 2022, equation 4, give each of two trained models such a share.)
    """
    if not protect:
        return []
    asked = [sample_of(some, loss, seed) for some in (windows, replayed)]
    with progress_bar(disable=quiet) as progress:
        task = progress.add_task("gradients", total=sum(map(len, asked)), note="which weights replayed notes need")
        new, old = (importance(checkpoint, some, loss, autocast, partial(progress.update, task)) for some in asked)
    # A weight that matters to neither is free to learn.
    by = protect / len(windows)
    return [torch.where(n + o > 0, n / (n + by * o), 1.0) for n, o in zip(new, old, strict=True)]


def sample_of(windows: Sequence[Window], loss: Loss, seed: int) -> list[Window]:
    told = [window for window in windows if loss.mass([window]) > 0]
    return random.Random(seed).sample(told, min(SAMPLE, len(told)))


def importance(
    checkpoint: Checkpoint,
    windows: Sequence[Window],
    loss: Loss,
    autocast: Callable[[], AbstractContextManager[None]] = nullcontext,
    track: Callable[..., None] = lambda advance: None,
) -> list[torch.Tensor]:
    """How much each weight that learns matters to some windows: 1 is the mean over all weights."""
    model = checkpoint.model
    weights = learning(model)
    squares = [torch.zeros_like(weight) for weight in weights]
    model.eval()
    for window in windows:
        batch = {name: values.to(model.device) for name, values in pad([window], checkpoint.encoder).items()}
        labels = batch.pop("labels")
        with autocast():
            logits = model(**batch).logits
        # Not `backward`: processes that train together would wait for each other's gradients.
        slopes = torch.autograd.grad(loss(logits, labels) / loss.mass([window]), weights, allow_unused=True)
        for square, slope in zip(squares, slopes, strict=True):
            if slope is not None:
                square.addcmul_(slope, slope)
        track(advance=1)
    mean = sum(float(square.sum()) for square in squares) / max(1, sum(square.numel() for square in squares))
    return [square / max(mean, 1e-30) for square in squares]


def learning(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def copied(model: torch.nn.Module) -> list[torch.Tensor]:
    """The weights that learn as they are now, in the order of `learning`."""
    return [parameter.detach().clone() for parameter in learning(model)]


@contextmanager
def slowed(model: torch.nn.Module, shares: Sequence[torch.Tensor]) -> Iterator[None]:
    """Of what the weights that learn change by meanwhile, each keeps its share; nothing is held back without shares."""
    if not shares:
        yield
        return
    before = copied(model)
    yield
    with torch.no_grad():
        for parameter, earlier, share in zip(learning(model), before, shares, strict=True):
            torch.lerp(earlier, parameter, share, out=parameter)


@contextmanager
def blended(model: torch.nn.Module, start: Sequence[torch.Tensor], share: float) -> Iterator[None]:
    """Meanwhile the weights that learn are start + `share` * (learnt - start); afterwards what they were.

    `start` are their values before training (`copied`). On the way between two models that began as
    one lie models that know most of what both know (Wortsman et al., Robust fine-tuning of zero-shot models, 2022).
    """
    if share == 1:
        yield
        return
    learnt = copied(model)
    with torch.no_grad():
        for parameter, before in zip(learning(model), start, strict=True):
            parameter.copy_(torch.lerp(before, parameter, share))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, after in zip(learning(model), learnt, strict=True):
                parameter.copy_(after)
