"""What the counts of an evaluation say: rows with intervals and slices, gaps between groups, what is missed.

Everything here derives from counts per document and the documents' meta; no text is needed any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from deidlab.metrics import slices as slicing
from deidlab.metrics.counts import GOLD, Counts
from deidlab.metrics.fairness import ATTRIBUTES, TWIN, check_twins, gaps
from deidlab.metrics.familiarity import LEVELS
from deidlab.metrics.families import FAMILIES
from deidlab.metrics.intervals import Resamples, no_interval, rows_with_intervals
from deidlab.metrics.rows import Row, measures_of, rows
from deidlab.types import ConfigError

Meta = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Judging:
    """How predictions are judged (`conf/evaluation/default.yaml`).

    `slices` is "auto" or a list of keys of the meta and crossings of keys, besides `length_bin` and `rare_name`;
    `slice_metrics` are the families shown by slice. Intervals come from `replicates` (0: none) draws of clusters: the
    first key of `cluster` that a document has, or else the document. `reference` names the group of each attribute
    that others are compared with (null: us, else the largest). `twins` pairs documents of one `meta.twin`.
    `batch_tokens` is how much a model that is judged scores at once; `subwords` adds `binary_subword`.
    """

    slices: Literal["auto"] | Sequence[str | Sequence[str]] = "auto"
    slice_metrics: Sequence[str] = ("strict", "overlap", "char_leak", "document_clean")
    replicates: int = 1000
    level: float = 0.95
    cluster: Sequence[str] = (TWIN, "patient")
    reference: Mapping[str, str | None] = field(default_factory=dict)
    twins: bool = True
    seed: int = 0
    batch_tokens: int = 8192
    subwords: bool = False

    def __post_init__(self) -> None:
        slicing.parse(self.slices)
        if unknown := sorted(set(self.slice_metrics) - set(FAMILIES)):
            raise ConfigError(f"evaluation.slice_metrics has {', '.join(unknown)}; choose from {', '.join(FAMILIES)}")
        if not isinstance(self.replicates, int) or self.replicates < 0:
            raise ConfigError(
                f"evaluation.replicates is {self.replicates!r}; expected a whole number, 0 for no intervals"
            )
        if not isinstance(self.level, float) or not 0 < self.level < 1:
            raise ConfigError(f"evaluation.level is {self.level!r}; expected a number between 0 and 1")
        if isinstance(self.cluster, str):
            raise ConfigError(f"evaluation.cluster is {self.cluster!r}; expected a list of keys, e.g. [twin, patient]")
        if unknown := sorted(set(self.reference) - set(ATTRIBUTES)):
            raise ConfigError(f"evaluation.reference has {', '.join(unknown)}; expected {', '.join(ATTRIBUTES)}")

    def wants(self, key: str) -> bool:
        """Is this key asked for by name?"""
        keys = slicing.parse(self.slices)
        return keys != "auto" and any(key in one for one in keys)

    def check(self, known: Collection[str]) -> None:
        """Raise `ConfigError` for a slice or a cluster that no document can have, given all keys of their meta."""
        if unknown := sorted(set(self.cluster) - set(known) - {TWIN, "patient"}):  # those two may well be missing
            there = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"evaluation.cluster has {', '.join(unknown)}, which no note knows; its keys: {there}")
        if (keys := slicing.parse(self.slices)) != "auto":
            slicing.check(keys, known)

    def keys(self, meta: Meta) -> tuple[slicing.Key, ...]:
        """The slices of these documents. Raises `ConfigError` that lists the keys there are if one has no document."""
        keys = slicing.parse(self.slices)
        if keys == "auto":
            return slicing.automatic(meta)
        slicing.check(keys, {key for one in meta for key in one})
        return tuple(key for key in keys if key != (slicing.RARE_NAME,))

    def resamples(self, document_ids: Sequence[str], meta: Meta) -> Resamples | None:
        """Draws of clusters, None where no interval is wanted."""
        if not self.replicates:
            return None
        # A key is told from the id of a document that happens to look like it.
        clusters = [
            next((f"{key}={one[key]}" for key in self.cluster if key in one), f"document={document_id}")
            for document_id, one in zip(document_ids, meta, strict=True)
        ]
        return Resamples.of(clusters, self.replicates, self.seed)


@dataclass(frozen=True)
class Judge:
    """Rows and findings of one evaluation; `counts` are by family, `familiar` by familiarity of names and family."""

    judging: Judging
    document_ids: tuple[str, ...]
    meta: Meta
    counts: Mapping[str, Counts]
    familiar: Mapping[str, Mapping[str, Counts]]
    resamples: Resamples | None

    def rows(self) -> list[Row]:
        """All rows of a report: every family over all documents, the slice metrics over each slice."""
        lines = [row for metric, counts in self.counts.items() for row in self._rows(counts, metric)]
        for key in self.judging.keys(self.meta):
            for one in slicing.slices(self.meta, key):
                for metric in self._slice_metrics():
                    lines += self._rows(self.counts[metric], metric, one.name, one.members)
        return lines + self._familiarity_rows()

    def _slice_metrics(self) -> list[str]:
        return [metric for metric in self.judging.slice_metrics if metric in self.counts]

    def _rows(self, counts: Counts, metric: str, name: str = "all", members: np.ndarray | None = None) -> list[Row]:
        if self.resamples is None:
            return rows(counts, metric, name, members)
        return rows_with_intervals(counts, metric, self.resamples, name, members, self.judging.level)

    def _familiarity_rows(self) -> list[Row]:
        """Recall and leak of names by how familiar they are; precision has no meaning for a part of the gold."""
        lines = []
        for level in LEVELS:
            for metric, counts in self.familiar.get(level, {}).items():
                for row in self._rows(counts, metric, f"{slicing.RARE_NAME}={level}"):
                    if row["label"] != "macro" and row["support"]:
                        undefined = {m: None for m in measures_of(metric) if m in ("precision", "f1")}
                        bounds = {k for m in undefined for k in (f"{m}_low", f"{m}_high")}
                        lines.append({k: v for k, v in (row | undefined).items() if k not in bounds})
        return lines

    @property
    def clusters(self) -> int:
        """How many patients, families of twins or documents there are to draw from."""
        draws = self.resamples or replace(self.judging, replicates=1).resamples(self.document_ids, self.meta)
        return draws.clusters if draws else 0

    def intervals(self) -> dict[str, Any] | None:
        """How the intervals were made, and why there are none if there are none."""
        if self.resamples is None:
            return None
        judging = self.judging
        drawn = [key for key in judging.cluster if any(key in one for one in self.meta)] or ["document"]
        return {
            "level": judging.level,
            "replicates": judging.replicates,
            "clusters": self.resamples.clusters,
            "clustered_by": drawn[0],
            "none": no_interval(self.resamples),
        }

    def fairness(self, names: Collection[str]) -> list[Row]:
        """Gaps by culture, over names and over all types, and by gender, over names. Raises for twins that are none."""
        if not any(attribute in one for one in self.meta for attribute in ATTRIBUTES):
            return []
        judging = self.judging
        if judging.twins:
            check_twins(self.meta, self.document_ids, self.counts["strict"], names)
        families = {metric: self.counts[metric] for metric in ("strict", "char_leak") if metric in self.counts}
        draws = self.resamples or Resamples.of(self.document_ids, 1)  # one draw bounds nothing: see below
        found = []
        for attribute, kinds in (("culture", ("names", "all")), ("gender", ("names",))):
            found += gaps(
                families, self.meta, attribute, names, draws,
                reference=judging.reference.get(attribute),
                kinds=[kind for kind in kinds if kind == "all" or names],
                twins=judging.twins, level=judging.level,
            )  # fmt: skip
        lines = [asdict(gap) for gap in found]
        if self.resamples is None:
            tested = ("recall_low", "recall_high", "difference_low", "difference_high", "p_value")
            lines = [line | dict.fromkeys(tested) for line in lines]
        return lines


def recall_only(counts: Counts) -> Counts:
    """The gold side alone: what was predicted cannot be told apart by a property of gold spans."""
    values = counts.values.copy()
    values[:, GOLD + 2 :] = 0
    return replace(counts, values=values)


def with_length(meta: Mapping[str, str], words: int) -> dict[str, str]:
    """The meta of a document and the bin of its length, unless it states one itself."""
    return {slicing.LENGTH_BIN: slicing.length_bin(words), **meta}
