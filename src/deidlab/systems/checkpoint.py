"""A model trained here as a system: documents in, predictions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.hardware import Precision, pick_device, pick_precision
from deidlab.inference import score
from deidlab.labels import LabelSet
from deidlab.packing import pack
from deidlab.types import Document, Losses, Prediction, TokenScores


@dataclass(frozen=True)
class CheckpointSystem:
    """Scores windows of many documents at once and decodes them as they come."""

    checkpoint: Checkpoint
    batch_tokens: int = 8192
    precision: Precision = "auto"
    losses: Losses = field(default_factory=Losses)
    name: str = "checkpoint"

    @property
    def labels(self) -> LabelSet:
        """The label set that the predictions carry."""
        return self.checkpoint.labels

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order."""
        to_score, to_name = tee(documents)
        for document, one in zip(to_name, self.scores(to_score), strict=True):
            yield self.checkpoint.decoder.prediction(document, one)

    def scores(self, documents: Iterable[Document]) -> Iterator[TokenScores]:
        """What the model says of each document, in their order: for calibration, and for reviewing what is doubtful."""
        return score(
            self.checkpoint.model,
            self.checkpoint.encoder,
            documents,
            batch_tokens=self.batch_tokens,
            precision=self.precision,
        )

    def subwords(self, documents: Sequence[Document]) -> Iterator[np.ndarray]:
        """Character bounds of each document's subwords, (subwords, 2), for metrics that are defined over them."""
        return self.checkpoint.encoder.subwords(documents)


def load(
    path: str | Path,
    batch_tokens: int = 8192,
    precision: Precision = "auto",
    device: str = "auto",
    decoding: dict[str, Any] | None = None,
    labels: LabelSet | None = None,
) -> CheckpointSystem:
    """Load a run's folder as a system; `decoding` overrides the checkpoint's stored settings of the decoder.

    `labels`, those of the evaluation, are not needed: the checkpoint brings its own.
    """
    checkpoint = load_checkpoint(Path(path), **(decoding or {}))
    checkpoint.model.to(pick_device(device))  # type: ignore[arg-type]
    return in_use(checkpoint, batch_tokens, precision)


def in_use(checkpoint: Checkpoint, batch_tokens: int, precision: Precision) -> CheckpointSystem:
    """A checkpoint whose training has ended, as a system."""
    pack(checkpoint.model, pick_precision(precision, checkpoint.model.device))
    return CheckpointSystem(checkpoint, batch_tokens, precision)
