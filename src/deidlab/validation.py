"""How good is the model being trained? Strict F1 and character leak on notes that are encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accelerate.utils import gather_object

from deidlab.checkpoints import Checkpoint
from deidlab.hardware import Precision, pick_precision
from deidlab.inference import score_encoded
from deidlab.metrics.families import strict
from deidlab.metrics.leak import char_leak
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.types import Document


class Validation:
    """Documents whose spans carry types of the checkpoint's label set, ready to be scored again and again.

    Of several processes each scores its share, and all of them get the same figures.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        documents: Sequence[Document],
        batch_tokens: int,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.checkpoint, self.documents, self.batch_tokens = checkpoint, documents, batch_tokens
        self.processes = processes
        self.encoded = list(checkpoint.encoder.encode(documents[process::processes]))

    def __call__(self, model: Any, precision: Precision) -> tuple[float, float | None]:
        """Micro strict F1 (0 when undefined) and the share of identifier characters that no span covers."""
        model.eval()
        resolved = pick_precision(precision, model.device)
        scores = score_encoded(model, self.checkpoint.encoder, self.encoded, self.batch_tokens, resolved)
        found = [self.checkpoint.decoder(one) for one in scores]
        if self.processes > 1:
            shares = gather_object([found])
            found = [shares[i % self.processes][i // self.processes] for i in range(len(self.documents))]
        types = self.checkpoint.labels.types
        gold, predicted = SpanTable.of([d.spans for d in self.documents], types), SpanTable.of(found, types)
        leak = rows(char_leak(gold, predicted, TextTable.of(d.text for d in self.documents)), "char_leak")
        return rows(strict(exact(gold, predicted)), "strict")[0]["f1"] or 0.0, leak[0]["value"]
