"""Several systems as one: the union of what they find, or what enough of them agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import tee
from typing import Any

from deidlab.labels import OUTSIDE, LabelSet
from deidlab.merging import Merged, union, vote
from deidlab.systems.answers import check_answer
from deidlab.systems.metering import Usage
from deidlab.types import ConfigError, Document, Losses, Prediction, Span


@dataclass(frozen=True)
class SeveralSystems:
    """Asks every part for the same notes and merges the answers; `least` is the number that must agree on a character.

    `mappings` turn the labels of each part into types of `labels`; where the parts disagree, types in `yielding` lose
    to all others.
    """

    labels: LabelSet
    parts: Mapping[str, Any]
    mappings: Mapping[str, Mapping[str, str]]
    least: int = 1
    yielding: frozenset[str] = frozenset()
    counted: Losses = field(default_factory=Losses)

    @property
    def name(self) -> str:
        joined = " + ".join(part.name for part in self.parts.values())
        return joined if self.least == 1 else f"{self.least} of {len(self.parts)}: {joined}"

    @property
    def losses(self) -> Losses:
        """What the parts counted and what merging cost."""
        total: Counter[tuple[str, str]] = Counter(self.counted.counts)
        for part in self.parts.values():
            total.update(part.losses.counts)
        return Losses(self.counted.on_error, total)

    @property
    def usage(self) -> Usage | None:
        """What the metered parts have taken so far, together; None when none of them is metered."""
        metered = [usage for part in self.parts.values() if (usage := getattr(part, "usage", None)) is not None]
        return sum(metered, Usage()) if metered else None

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order; raises `DataError` when a part answers for another note or text."""
        own, *copies = tee(documents, len(self.parts) + 1)
        answers = [part.predict(copy) for part, copy in zip(self.parts.values(), copies, strict=True)]
        for document, *given in zip(own, *answers, strict=True):
            for prediction, part in zip(given, self.parts.values(), strict=True):
                check_answer(document, prediction, part.name)
            sources = [
                self._mapped(prediction.spans, mapping)
                for prediction, mapping in zip(given, self.mappings.values(), strict=True)
            ]
            failed = next((prediction.failed for prediction in given if prediction.failed is not None), None)
            doubts = union(
                [
                    self._mapped(prediction.doubts, mapping)
                    for prediction, mapping in zip(given, self.mappings.values(), strict=True)
                ],
                self.yielding,
            )
            yield Prediction(document.id, self._merged(sources).spans, document.fingerprint, failed, doubts.spans)

    def _mapped(self, spans: Iterable[Span], mapping: Mapping[str, str]) -> list[Span]:
        return [replace(s, label=mapping[s.label]) for s in spans if mapping[s.label] != OUTSIDE]

    def _merged(self, sources: list[list[Span]]) -> Merged:
        merged = union(sources, self.yielding) if self.least == 1 else vote(sources, self.least, self.yielding)
        for label in merged.widened:
            self.counted.count("merged_extents", label)
        for label in merged.relabelled:
            self.counted.count("merged_labels", label)
        return merged


def load(labels: LabelSet, systems: Mapping[str, Any], least: int = 1) -> SeveralSystems:
    """Put systems together; raises `ConfigError` for fewer than two and `DataError` for labels without a place."""
    if len(systems) < 2:
        raise ConfigError(f"system.systems has {len(systems)} of them; several are at least two")
    if not 1 <= least <= len(systems):
        raise ConfigError(f"system.least={least}: expected between 1 and the number of systems ({len(systems)})")
    mappings = {
        name: labels.mapping_for(part.labels.name, part.labels.types, setting=f"system.systems.{name}.label_map")
        for name, part in systems.items()
    }
    return SeveralSystems(labels, dict(systems), mappings, least)
