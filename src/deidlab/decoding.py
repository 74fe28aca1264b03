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

    Where each unit's best tag may follow the one before, these are the best sequence; only stretches where one may not
    are searched, from a place between spans to the next. Such a stretch is settled when being free of its surroundings
    would gain it nothing; else the whole document is searched.
    """
    best = unit_scores.argmax(axis=1)
    if labels.scheme == "IO":  # every sequence is valid
        return best
    steps = Steps.of(labels)
    wrong = ~steps.may_follow(best)
    if not wrong.any():
        return best
    between = np.append(steps.ends[best[:-1]] & steps.starts[best[1:]], True)  # a span may end here, another start
    bounds = np.append(0, np.flatnonzero(between) + 1)
    for stretch in np.unique(np.searchsorted(bounds, np.flatnonzero(wrong), side="right") - 1):
        here = slice(bounds[stretch], bounds[stretch + 1])
        path, score = search(unit_scores[here], steps)
        if score < search(unit_scores[here], steps, free=True)[1]:
            return search(unit_scores, steps)[0]
        best[here] = path
    return best


@dataclass(frozen=True)
class Steps:
    """Which tags may follow which: `starts` and `ends` (tags,) bool say where a document may; tags of each role."""

    role: Roles
    starts: np.ndarray
    ends: np.ndarray
    continuers: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, labels: LabelSet) -> Steps:
        role, outside = roles(labels), labels.tag_ids[OUTSIDE]
        closed_scheme = labels.scheme in ("BIOES", "BILOU")
        starts, ends = np.zeros(len(labels.tags), dtype=bool), np.full(len(labels.tags), not closed_scheme)
        starts[np.concatenate([[outside], role.begin, role.unit])] = True
        ends[np.concatenate([[outside], role.last, role.unit])] = True
        return cls(role, starts, ends, (role.inside, role.last) if closed_scheme else (role.inside,))

    def may_follow(self, tags: np.ndarray) -> np.ndarray:
        """Whether each tag of a sequence may stand where it does, (units,); the last must end a span too."""
        carried, type_of = np.full(len(self.starts), -1), np.full(len(self.starts), -1)
        for index in (self.role.begin, self.role.inside):
            carried[index] = np.arange(len(index))
        for index in self.continuers:
            type_of[index] = np.arange(len(index))
        before = np.append(-1, carried[tags[:-1]])
        ended = np.append(True, self.ends[tags[:-1]])
        fine = (self.starts[tags] & ended) | ((type_of[tags] >= 0) & (type_of[tags] == before))
        fine[-1] &= self.ends[tags[-1]]
        return fine


def search(unit_scores: np.ndarray, steps: Steps, free: bool = False) -> tuple[np.ndarray, float]:
    """Best tag sequence and its score; if `free`, it may begin and end within a span.

    A span may start after anything that ends one, and continues only within its type; so a step compares one "best
    way to be between spans" with two predecessors per type: linear in the number of tags, not quadratic.
    """
    count, tag_count = unit_scores.shape
    role = steps.role
    enders, starters = np.flatnonzero(steps.ends), np.flatnonzero(steps.starts)
    back = np.zeros((count, tag_count), dtype=np.int32)
    score = unit_scores[0].copy()
    if not free:
        score[~steps.starts] = -np.inf
    for i in range(1, count):
        emission = unit_scores[i]
        fresh = np.full(tag_count, -np.inf)
        best_ender = enders[score[enders].argmax()]
        fresh[starters] = score[best_ender] + emission[starters]
        back[i, starters] = best_ender
        from_begin = score[role.begin] >= score[role.inside]
        carried = np.where(from_begin, score[role.begin], score[role.inside])
        origin = np.where(from_begin, role.begin, role.inside)
        for tags in steps.continuers:
            fresh[tags] = carried + emission[tags]
            back[i, tags] = origin
        score = fresh
    path = np.empty(count, dtype=np.int64)
    path[-1] = score.argmax() if free else enders[score[enders].argmax()]
    for i in range(count - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path, float(score[path[-1]])
