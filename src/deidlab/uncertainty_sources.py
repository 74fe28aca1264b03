"""Sources of uncertainty side by side on notes with gold spans: who puts the errors first?

Sources go by names. The model's own scores give four of them at no cost; MC dropout, an ensemble, a second windowing
and rules take further scorings of the same notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from deidlab import uncertainty as u
from deidlab.calibrating import types_of
from deidlab.conformal.losses import covered
from deidlab.decoding import Decoder
from deidlab.flagging import Flagging
from deidlab.inference import dropout_on, score
from deidlab.metrics.intervals import Resamples
from deidlab.scored_notes import ScoredNote
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.systems.rules import RulesSystem
from deidlab.types import ConfigError, Document, Prediction, TokenScores
from deidlab.workload import Workload, marked, workload

PLOTTED = 60  # points of a curve


@dataclass(frozen=True)
class Units:
    """The words of all notes, end to end: what decoding did with them, and what became of them, (units,) each.

    `probs` is (units, 1 + types); `note` the number of the note of each.
    """

    probs: np.ndarray
    inside: np.ndarray
    outcome: u.Outcome
    note: np.ndarray


def units_of(notes: Sequence[ScoredNote], decoder: Decoder) -> Units:
    """Put notes end to end; a word's type is that of the span which covers it."""
    probs, inside, wrong, missed, numbers = [], [], [], [], []
    number_of = {label: i + 1 for i, label in enumerate(decoder.labels.types)}
    for number, note in enumerate(notes):
        found, bounds = decoder(note.scores), note.scores.unit_spans
        said = decoder.calibration.units(note.log_probs) if decoder.calibration else note.log_probs
        typed = np.zeros(len(bounds), int)
        for span in found:
            typed[(bounds[:, 0] >= span.start) & (bounds[:, 0] < span.end)] = number_of[span.label]
        probs.append(u.type_probs(said, decoder.labels))
        inside.append(covered(bounds, found))
        wrong.append(typed != types_of(note.gold, decoder.labels))
        leaks = marked(note.document, note.document.spans) & ~marked(note.document, found)
        before = np.concatenate([[0], np.cumsum(leaks)])
        missed.append(before[bounds[:, 1]] - before[bounds[:, 0]])
        numbers.append(np.full(len(bounds), number))
    outcome = u.Outcome(np.concatenate(wrong), np.concatenate(missed))
    return Units(np.concatenate(probs), np.concatenate(inside), outcome, np.concatenate(numbers))


def own_sources(units: Units) -> dict[str, np.ndarray]:
    """What one scoring of the notes tells."""
    return {
        "softmax": u.least_confident(units.probs),
        "entropy": u.entropy(units.probs),
        "margin": u.margin(units.probs),
        "identifier or not": u.doubt(units.probs, units.inside),
    }


def scored_again(notes: Sequence[ScoredNote], scores: Iterable[TokenScores], decoder: Decoder) -> np.ndarray:
    """Type probabilities of another scoring of the same notes, (units, 1 + types).

    Raises `ConfigError` where its words are not the same: models to be put together share a tokenizer.
    """
    probs = []
    for note, one in zip(notes, scores, strict=True):
        if not np.array_equal(one.unit_spans, note.scores.unit_spans):
            raise ConfigError("models that are compared word by word need the same tokenizer and model.unit")
        again = replace(note, scores=one)
        said = decoder.calibration.units(again.log_probs) if decoder.calibration else again.log_probs
        probs.append(u.type_probs(said, decoder.labels))
    return np.concatenate(probs)


def dropout_passes(
    system: CheckpointSystem, notes: Sequence[ScoredNote], passes: int, share: float, seed: int
) -> Iterator[np.ndarray]:
    """Scorings with dropout at work (Gal and Ghahramani 2016), each of shape (units, 1 + types)."""
    checkpoint, documents = system.checkpoint, [note.document for note in notes]
    torch.manual_seed(seed)
    for _ in range(passes):
        scores = score(checkpoint.model, checkpoint.encoder, documents, batch_tokens=system.batch_tokens)
        with dropout_on(checkpoint.model, share):
            yield scored_again(notes, scores, checkpoint.decoder)


def other_windows(system: CheckpointSystem, notes: Sequence[ScoredNote], max_length: int, stride: int) -> np.ndarray:
    """The same model, the notes cut at other places, (units, 1 + types)."""
    encoder = replace(system.checkpoint.encoder, max_length=max_length, stride=stride)
    moved = replace(system, checkpoint=replace(system.checkpoint, encoder=encoder))
    return scored_again(notes, moved.scores(note.document for note in notes), system.checkpoint.decoder)


def member(system: CheckpointSystem, other: CheckpointSystem, notes: Sequence[ScoredNote]) -> np.ndarray:
    """Another run's view of the notes, (units, 1 + types). Raises `ConfigError` where its types are others."""
    if other.labels.types != system.labels.types:
        raise ConfigError("runs of an ensemble need the same label types, in the same order")
    return scored_again(notes, other.scores(note.document for note in notes), other.checkpoint.decoder)


def found_by_rules(notes: Sequence[ScoredNote]) -> np.ndarray:
    """Whether rules cover each word, (units,)."""
    predictions = RulesSystem().predict(note.document for note in notes)
    return np.concatenate([covered(n.scores.unit_spans, p.spans) for n, p in zip(notes, predictions, strict=True)])


def judged(
    sources: Mapping[str, np.ndarray], units: Units, clusters: Sequence[str], replicates: int = 200, seed: int = 0
) -> list[dict[str, Any]]:
    """Every source by the area under its risk-coverage curve and the missed characters at the top of its queue.

    The queue is of the words that stay readable. Intervals are over `clusters`, the patients of the notes.
    """
    draws = Resamples.of(list(clusters), replicates, seed)
    readable = ~units.inside
    missed = u.Outcome(units.outcome.wrong[readable], units.outcome.missed[readable])
    lines = []
    for name, values in sources.items():
        line = u.judge(values[readable], missed) | {"aurc": u.judge(values, units.outcome)["aurc"], "source": name}
        top = u.at_the_top(values[readable], 0.05)
        hit, all_missed = (
            np.bincount(draws.cluster[units.note[readable]], weights, draws.clusters)
            for weights in (top * missed.missed, missed.missed)
        )
        drawn = (draws.weights @ hit) / np.maximum(draws.weights @ all_missed, 1e-9)
        low, high = np.percentile(drawn, [2.5, 97.5])
        lines.append({**line, "top_0.05_low": float(low), "top_0.05_high": float(high)})
    return lines


def queues(documents: Sequence[Document], predictions: Sequence[Prediction], flagging: Flagging) -> dict[str, Any]:
    """Missed characters in the first 1, 5 and 10 % of the notes, and of the questions, as they stand in the queue."""
    values, missed, questions = [], [], []
    for document, prediction in zip(documents, predictions, strict=True):
        leaks = marked(document, document.spans) & ~marked(document, prediction.spans)
        asked = flagging.questions(document, prediction)
        values.append(sum(one.value for one in asked))
        missed.append(int(leaks.sum()))
        for one in asked:
            here = marked(document, [one.span]) & leaks if one.kind == "likely_miss" else leaks & False
            questions.append((one.value, int(here.sum())))
    total = max(sum(missed), 1)
    asked_values, caught = (np.array([q[k] for q in questions], float) for k in (0, 1))
    return {
        "notes": {f"top_{s:g}": u.found_at_the_top(np.array(values), np.array(missed), s) for s in u.SHARES},
        "questions": {
            f"top_{s:g}": (u.found_at_the_top(asked_values, caught, s) or 0.0) * float(caught.sum()) / total
            for s in (*u.SHARES, 1.0)
        },
        "questions_per_note": len(questions) / max(len(documents), 1),
        "missed_characters": int(sum(missed)),
    }


def work(
    documents: Sequence[Document], predictions: Sequence[Prediction], flagging: Flagging, seconds: float
) -> Workload:
    """The workload curve, with as many points as a picture needs."""
    whole = workload(documents, predictions, flagging, seconds)
    kept = np.unique(np.linspace(0, len(whole.minutes) - 1, PLOTTED).astype(int))
    scale = 1000 / max(len(documents), 1)
    return Workload(whole.minutes[kept] * scale, whole.leak[kept], whole.false_alarms[kept])


def risk_curves(sources: Mapping[str, np.ndarray], units: Units) -> dict[str, dict[str, list[float]]]:
    """Risk at coverages from a tenth to all words, for a picture."""
    drawn = {}
    for name, values in sources.items():
        coverage, risk = u.risk_coverage(values, units.outcome.wrong)
        kept = np.linspace(len(coverage) // 10, len(coverage) - 1, PLOTTED).astype(int)
        drawn[name] = {"coverage": coverage[kept].tolist(), "risk": risk[kept].tolist()}
    return drawn
