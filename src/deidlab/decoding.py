"""Subword scores -> spans: the best tag sequence that the scheme allows, over whole words.

One decoder serves validation, evaluation, the command line and the exported model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from deidlab.calibration.scaling import Calibration, identifier_log_odds, log_odds, log_sum, normalised, sigmoid
from deidlab.conformal.curve import RiskCurve
from deidlab.conformal.losses import RISKS, covered
from deidlab.labels import OUTSIDE, PREFIXES, LabelSet
from deidlab.types import ConfigError, Document, Prediction, Span, TokenScores


class Roles(NamedTuple):
    """Where the tags of each role stand among the model's outputs: one index a type, (types,)."""

    begin: np.ndarray
    inside: np.ndarray
    last: np.ndarray
    unit: np.ndarray


def roles(labels: LabelSet) -> Roles:
    ids = labels.tag_ids
    return Roles(*(np.array([ids[f"{p}-{t}"] for t in labels.types]) for p in PREFIXES[labels.scheme]))


Mode = Literal["viterbi", "recall_target"]
BLOCK = 1 << 16  # units whose probabilities are worked out at once: a note may have millions
OUTSIDE_ID = 0  # of the tag O
DOUBTFUL = 0.01  # probability of being part of an identifier from which on a word outside of all spans is a doubt


@dataclass(frozen=True)
class Decoder:
    """Viterbi decoding under a label scheme, and what further words a recall target asks for.

    `outside_bias` is subtracted from the log-probability of O: above 0 it buys recall with precision. With
    `mode="recall_target"` every word is covered too whose probability of being part of an identifier reaches the
    threshold at which `curve` promises a `risk` of at most `alpha`, with `confidence` or (None) on average.
    `calibration` makes the scores of spans true; which spans there are goes by the model's own scores alone.
    """

    labels: LabelSet
    outside_bias: float = 0.0
    mode: Mode = "viterbi"
    alpha: float | None = None
    risk: str = RISKS[0]
    confidence: float | None = None
    calibration: Calibration | None = None
    curve: RiskCurve | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.outside_bias):
            raise ConfigError(f"decoding.outside_bias is {self.outside_bias}; expected a finite number")
        if self.mode not in get_args(Mode):
            raise ConfigError(f"decoding.mode is {self.mode!r}; expected one of {', '.join(get_args(Mode))}")
        _ = self.threshold  # what cannot be promised is known before a note is read

    @classmethod
    def stored(cls, labels: LabelSet, settings: Mapping[str, Any], **chosen: Any) -> Decoder:
        """The decoder of a checkpoint's `settings`; what is `chosen` (None: nothing) wins over them.

        Raises `ConfigError` for a setting that is none, and for a recall target that the checkpoint cannot promise.
        """
        merged = {**settings, **{name: value for name, value in chosen.items() if value is not None}}
        if unknown := sorted(set(merged) - {field.name for field in fields(cls)}):
            raise ConfigError(f"decoding has no setting {', '.join(unknown)}: is the model of a later version?")
        for name, kind in (("calibration", Calibration), ("curve", RiskCurve)):
            if isinstance(merged.get(name), Mapping):
                merged[name] = kind.from_dict(merged[name])
        return cls(labels, **merged)

    def settings(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, as JSON; `stored` makes the same decoder of that."""
        kept = {"outside_bias": self.outside_bias}
        if self.mode != "viterbi":
            kept |= {name: getattr(self, name) for name in ("mode", "alpha", "risk", "confidence")}
        return kept | {
            n: learnt.to_dict() for n in ("calibration", "curve") if (learnt := getattr(self, n)) is not None
        }

    @cached_property
    def threshold(self) -> float:
        """Probability of being part of an identifier that has a word covered whatever Viterbi says; 1: none is."""
        if self.mode == "viterbi":
            return 1.0
        if self.curve is None:
            raise ConfigError(
                "decoding.mode=recall_target needs a model that was calibrated: python scripts/calibrate.py run=RUN"
            )
        if self.curve.outside_bias != self.outside_bias:
            raise ConfigError(
                f"decoding.outside_bias={self.outside_bias:g}, and the promise was made for "
                f"{self.curve.outside_bias:g}: leave it as it is, or calibrate the model anew"
            )
        if self.alpha is None:
            raise ConfigError("decoding.mode=recall_target needs decoding.alpha, the risk to stay below, e.g. 0.01")
        return self.curve.thresholds[self.curve.choose(self.alpha, self.risk, self.confidence)]

    def __call__(self, scores: TokenScores) -> tuple[Span, ...]:
        """Spans of one document with scores in 0..1, sorted, not overlapping."""
        unit_scores = scores.log_probs.astype(np.float64)
        if not len(unit_scores):
            return ()
        outside = unit_scores[:, 0].copy()
        unit_scores[:, 0] -= self.outside_bias  # for a while: a copy of all would be gigabytes in a note of 10 MB
        types, opens = self._typed(viterbi(unit_scores, self.labels))
        unit_scores[:, 0] = outside
        if self.threshold < 1:
            self._extend(types, opens, unit_scores)
        return self._spans(types, opens, unit_scores, scores.unit_spans)

    def prediction(self, document: Document, scores: TokenScores) -> Prediction:
        """The spans of a document, and the doubts about what is outside of them."""
        found = self(scores)
        return Prediction(document.id, found, document.fingerprint, doubts=self.doubts(scores, found))

    def doubts(self, scores: TokenScores, found: Sequence[Span], least: float = DOUBTFUL) -> tuple[Span, ...]:
        """Stretches outside of `found` whose words may be identifiers with a probability of `least` or more.

        Neighbours of one likeliest type are one stretch; its score is the mean probability of its characters.
        """
        if not len(scores.log_probs):
            return ()
        blocks = (scores.log_probs[at : at + BLOCK] for at in range(0, len(scores.log_probs), BLOCK))
        said = (self._said(block.astype(np.float64)) for block in blocks)
        probability = np.concatenate([sigmoid(identifier_log_odds(block)) for block in said])
        probability[covered(scores.unit_spans, found)] = 0.0
        places = np.flatnonzero(probability >= least)
        doubted = self._said(scores.log_probs[places].astype(np.float64))
        types = type_log_probabilities(doubted, roles(self.labels)).argmax(axis=1)
        together = (np.diff(places, prepend=-2) == 1) & (np.diff(types, prepend=-1) == 0)
        if not len(places):
            return ()
        firsts = np.flatnonzero(~together)
        lengths = (scores.unit_spans[:, 1] - scores.unit_spans[:, 0])[places]
        means = np.add.reduceat(probability[places] * lengths, firsts) / np.add.reduceat(lengths, firsts)
        starts = scores.unit_spans[places[firsts], 0]
        ends = scores.unit_spans[places[np.append(firsts[1:], len(places)) - 1], 1]
        return tuple(
            Span(start, end, self.labels.types[kind], round(mean, 6))
            for start, end, kind, mean in zip(
                starts.tolist(), ends.tolist(), types[firsts].tolist(), means.tolist(), strict=True
            )
        )

    def _said(self, unit_scores: np.ndarray) -> np.ndarray:
        """What is said of units: their own scores, or these calibrated."""
        return self.calibration.units(unit_scores) if self.calibration else unit_scores

    def _typed(self, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The type of each unit (-1: none) and whether a span starts there, (units,) each."""
        role = roles(self.labels)
        opening = np.zeros(len(self.labels.tags), dtype=bool)
        if self.labels.scheme != "IO":  # under IO a span opens where the type changes
            opening[np.concatenate([role.begin, role.unit])] = True
        type_of = np.full(len(self.labels.tags), -1)
        for index in role:
            type_of[index] = np.arange(len(self.labels.types))
        types = type_of[tags]
        return types, (types >= 0) & (opening[tags] | (np.diff(types, prepend=-1) != 0))

    def _extend(self, types: np.ndarray, opens: np.ndarray, unit_scores: np.ndarray) -> None:
        """Cover, in place, the units that reach the threshold: neighbours of one type are a span of their own."""
        extra = (types < 0) & (identifier_log_odds(unit_scores) >= log_odds(self.threshold))
        best = type_log_probabilities(unit_scores, roles(self.labels)).argmax(axis=1)
        types[extra] = best[extra]
        follows = np.append(False, extra[:-1]) & (np.diff(types, prepend=-1) == 0)
        opens[extra] = ~follows[extra]

    def _spans(
        self, types: np.ndarray, opens: np.ndarray, unit_scores: np.ndarray, unit_spans: np.ndarray
    ) -> tuple[Span, ...]:
        role = roles(self.labels)
        inside = types >= 0
        said, row = normalised(self._said(unit_scores[inside])), np.cumsum(inside) - 1
        spans: list[Span] = []
        for start in np.flatnonzero(opens):
            end = start + 1
            while end < len(types) and types[end] == types[start] and not opens[end]:
                end += 1
            # Where two types share a word (subword units only), the word stays with the first.
            taken = spans[-1].end if spans else 0
            while start < end - 1 and unit_spans[start, 1] <= taken:
                start += 1
            left = max(int(unit_spans[start, 0]), taken)
            right = int(unit_spans[end - 1, 1])
            if left < right:
                label = self.labels.types[types[start]]
                score = span_confidence(said[row[start] : row[end - 1] + 1], role, int(types[start]))
                if self.calibration:
                    score = self.calibration.span_probability(score, label)
                spans.append(Span(left, right, label, round(score, 6)))
        return tuple(spans)


def span_confidence(log_probs: np.ndarray, role: Roles, type_index: int) -> float:
    """Confidence of a span: geometric mean over its units, (units, tags), of the probability of type and place in it.

    A place is what the scheme can say of one (begins, goes on, ends): a span that may be cut wrongly is less sure.
    """
    begin, inside, last, unit = (index[type_index] for index in role)
    tags = [unit] if len(log_probs) == 1 else [begin, *[inside] * (len(log_probs) - 2), last]
    return float(np.exp(log_probs[np.arange(len(tags)), tags].mean()))


def type_log_probabilities(unit_scores: np.ndarray, role: Roles) -> np.ndarray:
    """Log-probability that each unit is of each type, (units, types), whatever its place in a span."""
    distinct = {index[0]: index for index in role}.values()  # a scheme may use one tag in several roles
    return log_sum(np.stack([unit_scores[:, index] for index in distinct]), 0)


def viterbi(unit_scores: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Best valid tag sequence, (units,) from (units, tags) log-probabilities.

    Where each unit's best tag may follow the one before, these are the best sequence; only stretches where one may not
    are searched, from a place between spans to the next, free of their surroundings. A stretch is settled when its best
    sequence fits between others all the same; else the whole document is searched.
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
        path = search(unit_scores[here], steps, free=True)
        if not (steps.starts[path[0]] and steps.ends[path[-1]]):
            return search(unit_scores, steps)
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


def search(unit_scores: np.ndarray, steps: Steps, free: bool = False) -> np.ndarray:
    """Best tag sequence; if `free`, it may begin and end within a span.

    A span may start after anything that ends one, and continues only within its type; so a step compares one "best
    way to be between spans" with two predecessors per type: linear in the number of tags, not quadratic.
    """
    count, role = len(unit_scores), steps.role
    types = len(role.begin)
    enders = np.concatenate([[OUTSIDE_ID], role.last, role.unit])  # what a span may follow
    ending, beginning, within = (unit_scores[:, tags] for tags in (enders, role.begin, role.inside))
    before = np.zeros(count, dtype=np.int32)  # the best of `enders` one unit earlier
    began = np.zeros((count, types), dtype=bool)  # whether a span that goes on here does best to begin one unit earlier
    ends, begins, goes_on = ending[0].copy(), beginning[0], within[0]
    if not free:
        goes_on = np.full(types, -np.inf)
        ends[~steps.starts[enders]] = -np.inf
    for i in range(1, count):
        best = ends.argmax()
        before[i], between = enders[best], ends[best]
        np.greater_equal(begins, goes_on, out=began[i])
        carried = np.maximum(begins, goes_on)
        ends = ending[i] + between
        ends[1 : types + 1] = ending[i, 1 : types + 1] + carried
        begins, goes_on = beginning[i] + between, within[i] + carried
    path = np.empty(count, dtype=np.int64)
    last = np.concatenate([ends, begins, goes_on])[: None if free else len(enders)]
    path[-1] = np.concatenate([enders, role.begin, role.inside])[last.argmax()]
    type_of = np.full(unit_scores.shape[1], -1)
    for tags in steps.continuers:
        type_of[tags] = np.arange(types)
    for i in range(count - 1, 0, -1):
        kind = type_of[path[i]]
        path[i - 1] = before[i] if kind < 0 else (role.begin if began[i, kind] else role.inside)[kind]
    return path
