"""Our own regular expressions and word lists as a system: a baseline without a model, and a partner for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from deidlab.labels import LabelSet
from deidlab.rules.finding import TYPES, find
from deidlab.rules.pattern import VOCABULARY
from deidlab.types import ConfigError, Document, Losses, Prediction


@dataclass(frozen=True)
class RulesSystem:
    """Finds structured identifiers, English and Spanish, in the i2b2 2014 vocabulary; `types` narrows them.

    Where rules disagree, labels in `yielding` lose to all others.
    """

    types: tuple[str, ...] = TYPES
    yielding: frozenset[str] = frozenset()
    losses: Losses = field(default_factory=Losses)
    name: str = "rules"

    @property
    def labels(self) -> LabelSet:
        """The types that the rules can find, under the name of their vocabulary."""
        return LabelSet(VOCABULARY, self.types)

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order."""
        for document in documents:
            spans = tuple(span for span in find(document.text, self.yielding) if span.label in self.types)
            yield Prediction(document.id, spans, document.fingerprint)


def load(types: list[str] | None = None, labels: LabelSet | None = None) -> RulesSystem:
    """The rules for all types, or for some; raises `ConfigError` for a type that no rule finds.

    `labels`, those of the evaluation, are not needed: the rules bring their own.
    """
    if unknown := sorted(set(types or ()) - set(TYPES)):
        raise ConfigError(f"system.types={unknown}: no rule finds these; the rules find {', '.join(TYPES)}")
    return RulesSystem(tuple(types) if types else TYPES)
