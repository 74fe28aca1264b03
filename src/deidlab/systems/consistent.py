"""Any system, made consistent: what it found once in a note is found wherever else it stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import tee
from typing import Any

from deidlab.labels import LabelSet
from deidlab.redaction.consistency import propagate
from deidlab.redaction.policy import Policy
from deidlab.systems.answers import check_answer
from deidlab.systems.metering import Usage
from deidlab.types import Document, Losses, Prediction


@dataclass(frozen=True)
class ConsistentSystem:
    """Adds to each prediction the further places of its names and numbers; `policy` gives types to your own labels."""

    system: Any
    policy: Policy | None = None

    @property
    def name(self) -> str:
        return f"{self.system.name} + consistency"

    @property
    def labels(self) -> LabelSet:
        return self.system.labels

    @property
    def losses(self) -> Losses:
        return self.system.losses

    @property
    def usage(self) -> Usage | None:
        """What a metered system has taken so far."""
        return getattr(self.system, "usage", None)

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order; raises `DataError` for an answer that is of another note or text."""
        own, passed_on = tee(documents)
        for document, prediction in zip(own, self.system.predict(passed_on), strict=True):
            check_answer(document, prediction, self.system.name)
            yield replace(prediction, spans=propagate(document, prediction.spans, self.policy))


def load(system: Callable[..., Any], labels: LabelSet | None = None) -> ConsistentSystem:
    """Make a system consistent; `system` is called with the labels of the evaluation (`_partial_: true`)."""
    return ConsistentSystem(system(labels=labels))
