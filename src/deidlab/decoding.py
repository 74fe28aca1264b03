"""Subword scores -> spans: the best tag sequence that the scheme allows, over whole words.

One decoder serves validation, evaluation, the command line and the exported model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deidlab.encoding import first_subwords
from deidlab.labels import OUTSIDE, PREFIXES, LabelSet
from deidlab.types import ConfigError, Span, TokenScores


class Roles(NamedTuple):
    """Where the tags of each role stand among the model's outputs: one index a type, (types,)."""

    begin: np.ndarray
    inside: np.ndarray
    last: np.ndarray
    unit: np.ndarray


def roles(labels: LabelSet) -> Roles:
    ids = labels.tag_ids
    return Roles(*(np.array([ids[f"{p}-{t}"] for t in labels.types]) for p in PREFIXES[labels.scheme]))


@dataclass(frozen=True)
class Decoder:
    """Viterbi decoding under a label scheme.

    `outside_bias` is subtracted from the log-probability of O: above 0 it buys recall with precision.
    """

    labels: LabelSet
    outside_bias: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.outside_bias):
            raise ConfigError(f"decoding.outside_bias is {self.outside_bias}; expected a finite number")

    def __call__(self, scores: TokenScores) -> tuple[Span, ...]:
        """Spans of one document with scores in 0..1, sorted, not overlapping."""
        unit_scores = scores.log_probs[first_subwords(scores.units)].astype(np.float64)
        if not len(unit_scores):
            return ()
        unit_scores[:, 0] -= self.outside_bias
        tags = viterbi(unit_scores, self.labels)
        return self._spans(tags, unit_scores, scores.unit_spans)

    def _spans(self, tags: np.ndarray, unit_scores: np.ndarray, unit_spans: np.ndarray) -> tuple[Span, ...]:
        role = roles(self.labels)
        opens = np.zeros(len(self.labels.tags), dtype=bool)
        if self.labels.scheme != "IO":  # under IO a span opens where the type changes
            opens[np.concatenate([role.begin, role.unit])] = True
        type_of = np.full(len(self.labels.tags), -1)
        for index in role:
            type_of[index] = np.arange(len(self.labels.types))
        types = type_of[tags]
        starts = np.flatnonzero((types >= 0) & (opens[tags] | (np.diff(types, prepend=-1) != 0)))
        spans: list[Span] = []
        for start in starts:
            end = start + 1
            while end < len(tags) and types[end] == types[start] and not opens[tags[end]]:
                end += 1
            # Where two types share a word (subword units only), the word stays with the first.
            taken = spans[-1].end if spans else 0
            while start < end - 1 and unit_spans[start, 1] <= taken:
                start += 1
            left = max(int(unit_spans[start, 0]), taken)
            right = int(unit_spans[end - 1, 1])
            if left < right:
                score = type_probability(unit_scores[start:end], role, int(types[start]))
                spans.append(Span(left, right, self.labels.types[types[start]], score))
        return tuple(spans)


def type_probability(unit_scores: np.ndarray, role: Roles, type_index: int) -> float:
    """Confidence of a span: geometric mean over its units of the probability that the unit is of the span's type."""
    columns = np.unique([index[type_index] for index in role])
    of_type = np.logaddexp.reduce(unit_scores[:, columns], axis=1)
    everything = np.logaddexp.reduce(unit_scores, axis=1)
    return round(float(np.exp(np.mean(of_type - everything))), 6)


def viterbi(unit_scores: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Best valid tag sequence, (units,) from (units, tags) log-probabilities.

    A span may start after anything that ends one, and continues only within its type; so a step compares one "best
    way to be between spans" with two predecessors per type: linear in the number of tags, not quadratic.
    """
    count, tag_count = unit_scores.shape
    outside = labels.tag_ids[OUTSIDE]
    role = roles(labels)
    if labels.scheme == "IO":  # every sequence is valid
        return unit_scores.argmax(axis=1)
    closed_scheme = labels.scheme in ("BIOES", "BILOU")
    enders = np.concatenate([[outside], role.last, role.unit] if closed_scheme else [np.arange(tag_count)])
    starters = np.unique(np.concatenate([[outside], role.begin, role.unit]))
    continuers = [role.inside, role.last] if closed_scheme else [role.inside]

    back = np.zeros((count, tag_count), dtype=np.int32)
    score = np.full(tag_count, -np.inf)
    score[starters] = unit_scores[0, starters]
    for i in range(1, count):
        emission = unit_scores[i]
        fresh = np.full(tag_count, -np.inf)
        best_ender = enders[score[enders].argmax()]
        fresh[starters] = score[best_ender] + emission[starters]
        back[i, starters] = best_ender
        from_begin = score[role.begin] >= score[role.inside]
        carried = np.where(from_begin, score[role.begin], score[role.inside])
        origin = np.where(from_begin, role.begin, role.inside)
        for tags in continuers:
            fresh[tags] = carried + emission[tags]
            back[i, tags] = origin
        score = fresh
    path = np.empty(count, dtype=np.int64)
    path[-1] = enders[score[enders].argmax()]
    for i in range(count - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path
