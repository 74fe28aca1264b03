"""Documents -> labelled windows -> batches of nearly equal length -> the steps of an epoch, split between processes."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader

from deidlab.checkpoints import Checkpoint
from deidlab.encoding import Encoder, label_units
from deidlab.frozen_layers import inputs_of
from deidlab.labels import IGNORED
from deidlab.stitching import length_batches
from deidlab.types import ConfigError, DataError, Document, Losses, Window

POOL = 4096  # windows that are sorted by length together


def encode_training(checkpoint: Checkpoint, documents: Sequence[Document], losses: Losses) -> list[Window]:
    """Labelled windows of all documents. Raises `DataError` when no subword of them carries a label."""
    encoder, labels = checkpoint.encoder, checkpoint.labels
    windows: list[Window] = []
    counts = np.zeros(len(labels.tags), dtype=np.int64)
    for document, encoded in zip(documents, encoder.encode(documents), strict=True):
        tags = label_units(document.spans, encoded.unit_spans, labels, losses)
        counts += np.bincount(tags, minlength=len(counts))
        windows += encoder.windows(encoded, tags)
    seen = {tag.partition("-")[2] for tag, count in zip(labels.tags, counts, strict=True) if count} - {""}
    if not seen:
        raise DataError("the training documents hold no span of any type of the label set: nothing can be learned")
    for label in labels.types:
        if label not in seen:
            losses.count("not_in_train", label)
    return [window for window in windows if len(window.input_ids)]


def encode_replay(checkpoint: Checkpoint, documents: Sequence[Document], losses: Losses) -> list[Window]:
    """Labelled windows of notes of another corpus; what they lose is counted apart (`replay_...`)."""
    if not documents:
        return []
    lost = Losses("count")
    windows = encode_training(checkpoint, documents, lost)
    for (reason, label), number in lost.counts.items():
        if reason != "not_in_train":  # the other notes teach such a type, or none does and they say so
            losses.count(f"replay_{reason}", label, number)
    return windows


def subwords_of(windows: Sequence[Window], encoder: Encoder) -> np.ndarray:
    """The ids that a model is fed of these windows, special tokens and padding among them."""
    return np.concatenate([*(window.input_ids for window in windows), *encoder.frame, [encoder.padding]])


class LengthBatches:
    """Batches of window indices under a token budget, new every epoch and the same for the same seed.

    Windows are shuffled, sorted by length within large pools (so that padding is small and batches differ between
    epochs), and the batches are shuffled again. Every epoch draws some of the windows to `replay`: they are
    `replay_share` of those it visits, or all there are. `windows` are then these after the others.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        batch_tokens: int,
        seed: int,
        keep_empty: float = 1.0,
        replay: Sequence[Window] = (),
        replay_share: float = 0.2,
    ) -> None:
        if not 0 <= keep_empty <= 1:
            raise ConfigError(f"training.keep_empty is {keep_empty}; expected a share from 0 to 1")
        if not 0 <= replay_share < 1:
            raise ConfigError(f"replay.share is {replay_share}; expected a share from 0 to below 1")
        self.windows, self.batch_tokens, self.seed = [*windows, *replay], batch_tokens, seed
        self.replay = range(len(windows), len(self.windows))
        full = [bool((window.labels > 0).any()) for window in windows]
        self.full = [i for i, has_span in enumerate(full) if has_span]
        self.empty = [i for i, has_span in enumerate(full) if not has_span]
        self.kept = round(keep_empty * len(self.empty))
        own = len(self.full) + self.kept
        self.replayed = min(round(own * replay_share / (1 - replay_share)), len(replay))

    def plan(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch, counted from 1."""
        rng = random.Random(f"{self.seed}-{epoch}")
        order = self.full + rng.sample(self.empty, self.kept) + rng.sample(self.replay, self.replayed)
        rng.shuffle(order)
        batches = []
        for at in range(0, len(order), POOL):
            pool = order[at : at + POOL]
            batches += [
                [pool[i] for i in b] for b in length_batches([self.windows[i] for i in pool], self.batch_tokens)
            ]
        rng.shuffle(batches)
        return batches


@dataclass(frozen=True)
class Step:
    """What one optimizer step learns from: every batch of it, and those that this process takes."""

    everyone: list[Window]
    batches: list[list[Window]]
    tokens: int  # of all processes, padding left out
    padded: int  # of all processes, padding included

    def mentioned(self) -> str:
        """The ids of its documents, for an error."""
        ids = sorted({window.document_id for window in self.everyone})
        return ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")


def epoch_steps(
    windows: Sequence[Window],
    plan: Sequence[Sequence[int]],
    encoder: Encoder,
    at_once: int,
    process: int = 0,
    processes: int = 1,
    pad_to: int | None = None,
) -> list[Step]:
    """The steps of an epoch, `at_once` batches each, dealt out to the processes in turn.

    A process with a batch less than the others takes the first one with its labels blanked: it must compute along (the
    others wait for it), and must not count.
    """
    steps = []
    for first in range(0, len(plan), at_once):
        batches = [[windows[i] for i in batch] for batch in plan[first : first + at_once]]
        mine = batches[process::processes]
        for _ in range(math.ceil(len(batches) / processes) - len(mine)):
            mine.append([blanked(window) for window in batches[0]])
        sizes = [[len(window.input_ids) + encoder.specials for window in batch] for batch in batches]
        steps.append(
            Step(
                everyone=[window for batch in batches for window in batch],
                batches=mine,
                tokens=sum(map(sum, sizes)),
                padded=sum(max(pad_to or 0, max(size)) * len(size) for size in sizes),
            )
        )
    return steps


def blanked(window: Window) -> Window:
    return replace(window, labels=np.full_like(window.labels, IGNORED))


def feed(
    steps: Sequence[Step], encoder: Encoder, device: torch.device, pad_to: int | None = None
) -> Iterator[tuple[Step, list[dict[str, torch.Tensor]]]]:
    """Each step with its batches as tensors on the device; on a GPU they are made and copied ahead of their use."""
    gpu = device.type == "cuda"
    loader: DataLoader = DataLoader(
        [batch for step in steps for batch in step.batches],  # type: ignore[arg-type]
        batch_size=None,
        collate_fn=lambda batch: inputs_of(batch, encoder, pad_to),
        num_workers=2 if gpu else 0,
        pin_memory=gpu,
    )
    batches = iter(loader)
    for step in steps:
        yield step, [{k: v.to(device, non_blocking=gpu) for k, v in next(batches).items()} for _ in step.batches]
