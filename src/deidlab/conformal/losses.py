"""What a note leaks at each threshold, from its scores alone: how far each character is from being covered.

The spans of a note at threshold t are those of decoding, and every further unit whose probability of being part of an
identifier is at least t. They only grow as t falls, so that a note's leak only falls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.calibration.scaling import identifier_log_odds, log_odds, sigmoid
from deidlab.types import Document, Span, TokenScores

# From only what decoding finds (1) to every word there is (0).
THRESHOLDS = np.concatenate([[1.0], sigmoid(np.arange(8.0, -20.01, -0.1)), [0.0]])
RISKS = ("missed_characters", "missed_entities", "leaking_notes")


@dataclass(frozen=True)
class NoteLeak:
    """A note at every threshold, (thresholds,) each: what it leaks, and what is covered to leak so little.

    `missed` of `characters` visible ones of gold spans, `incomplete` of `entities` gold spans that leak any; `covered`
    visible characters of any kind, and `questions`, the stretches covered beyond what decoding finds.
    """

    patient: str
    characters: int
    missed: np.ndarray
    entities: int
    incomplete: np.ndarray
    covered: np.ndarray
    questions: np.ndarray


def note_leak(
    document: Document, scores: TokenScores, found: Sequence[Span], patient: str, thresholds: np.ndarray = THRESHOLDS
) -> NoteLeak:
    """How a note leaks: `found` are the spans of plain decoding, `thresholds` fall."""
    reach = character_odds(document, scores, found)
    wanted = log_odds(thresholds)
    visible = np.fromiter((not c.isspace() for c in document.text), bool, len(document.text))
    gold = np.zeros(len(document.text), bool)
    entities = []
    for span in document.spans:
        gold[span.start : span.end] = True
        if (own := reach[span.start : span.end][visible[span.start : span.end]]).size:
            entities.append(own.min())
    secret = reach[gold & visible]
    return NoteLeak(
        patient,
        len(secret),
        len(secret) - reached(secret, wanted),
        len(entities),
        len(entities) - reached(np.array(entities), wanted),
        reached(reach[visible], wanted),
        stretches(unit_odds(scores, found), wanted),
    )


def unit_odds(scores: TokenScores, found: Iterable[Span]) -> np.ndarray:
    """Log-odds that each unit is part of an identifier, (units,), by the model's own scores; infinite where found."""
    odds = identifier_log_odds(scores.log_probs.astype(np.float64))
    return np.where(covered(scores.unit_spans, found), np.inf, odds)


def covered(unit_spans: np.ndarray, found: Iterable[Span]) -> np.ndarray:
    """Whether each unit, by its first character, lies in one of the spans, (units,)."""
    inside = np.zeros(int(unit_spans.max(initial=0)) + 1, bool)
    for span in found:
        inside[span.start : span.end] = True
    return inside[unit_spans[:, 0]]


def character_odds(document: Document, scores: TokenScores, found: Iterable[Span]) -> np.ndarray:
    """The same for characters, (characters,): NaN for those that no unit stands for, which nothing can cover."""
    odds = unit_odds(scores, ())
    lengths = scores.unit_spans[:, 1] - scores.unit_spans[:, 0]
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(scores.unit_spans[:, 0] - (ends - lengths), lengths)
    reach = np.full(len(document.text), np.nan)
    np.fmax.at(reach, places, np.repeat(odds, lengths))  # subword units share the word that they stand for
    for span in found:
        reach[span.start : span.end] = np.inf
    return reach


def reached(odds: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How many of the odds reach each of the falling `wanted`, (thresholds,); NaN reaches none."""
    known = np.sort(odds[~np.isnan(odds)])
    return len(known) - np.searchsorted(known, wanted, side="left")


def stretches(odds: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How many runs of units reach each threshold and were not found anyway, (thresholds,)."""
    extra = np.where(np.isinf(odds) & (odds > 0), np.nan, odds)
    return reached(extra, wanted) - reached(np.minimum(extra[1:], extra[:-1]), wanted)


def by_patient(leaks: Sequence[NoteLeak]) -> Mapping[str, np.ndarray]:
    """Losses of every patient, (patients, thresholds) for each of `RISKS`: shares of their own characters, entities
    and notes. A patient without identifiers loses nothing."""
    groups: dict[str, list[NoteLeak]] = {}
    for leak in leaks:
        groups.setdefault(leak.patient, []).append(leak)

    def shares(lost: Callable[[NoteLeak], np.ndarray], of: Callable[[NoteLeak], int]) -> np.ndarray:
        return np.stack([sum(map(lost, own)) / max(sum(map(of, own)), 1) for own in groups.values()])

    return {
        "missed_characters": shares(lambda one: one.missed, lambda one: one.characters),
        "missed_entities": shares(lambda one: one.incomplete, lambda one: one.entities),
        "leaking_notes": shares(lambda one: (one.missed > 0).astype(float), lambda one: 1),
    }
