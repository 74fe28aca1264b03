"""Surrogate stability: does a system score the same when the same notes have other surrogates?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deidlab.attacks.outcome import Outcome
from deidlab.attacks.release import hides, is_mask, surrogates_by, with_patient
from deidlab.corpora.splits import drawn
from deidlab.labels import LabelSet
from deidlab.metrics.intervals import Resamples
from deidlab.metrics.rows import Row, rows
from deidlab.redaction.redactor import Redactor
from deidlab.redaction.text import clusters
from deidlab.types import ConfigError, Document, Losses

if TYPE_CHECKING:
    from deidlab.evaluation import System
    from deidlab.judging import Judging

METRICS = ("strict", "char_leak")


def resynthesised(document: Document, redactor: Redactor, losses: Losses) -> Document:
    """The document with its gold identifiers replaced by surrogates, gold spans following.

    What has no surrogate (a date that cannot be read) stays as it was and is counted in `losses`, by label; so do types
    that the policy does not hide, and spans that overlap others, which have no one place to follow to.
    """
    document = with_patient(document)
    alone = [group[0] for group in clusters(sorted(document.spans)) if len(group) == 1]
    for group in clusters(sorted(document.spans)):
        for span in group if len(group) > 1 else ():
            losses.count("overlapping_not_resynthesised", span.label)
    wanted = [span for span in alone if hides(redactor, span.label)]
    first = redactor.redact(document, wanted)
    masked = {
        first.offsets.span_to_old(span.start, span.end)[0]
        for span in first.spans
        if is_mask(redactor, first.text, span)
    }
    for span in wanted:
        if span.start in masked:
            losses.count("no_surrogate", span.label)
    redacted = redactor.redact(document, [span for span in wanted if span.start not in masked])
    moved = [(*redacted.offsets.span_to_new(span.start, span.end), span) for span in document.spans]
    spans = tuple(sorted(type(span)(start, end, span.label) for start, end, span in moved))
    return Document(document.id, redacted.text, spans, document.meta)


def stability(
    *,
    system: System,
    documents: Sequence[Document],
    labels: LabelSet,
    judging: Judging,
    losses: Losses,
    policy: str = "i2b2",
    repeats: int = 50,
    notes: int | None = None,
    seed: int = 42,
    **_: Any,
) -> Outcome:
    """Judge the system on `repeats` re-syntheses of the documents, each with a key of its own.

    Rows `resynthesis_strict` and `resynthesis_char_leak` are means over the re-syntheses; their intervals are
    percentiles of `judging.replicates` bootstrap draws of re-syntheses, so they speak of surrogates alone, not of
    which notes were at hand. The finding also has the spread, and the scores on the notes as they were. Raises
    `ConfigError` for less than two repeats and for answers made elsewhere, which cannot be asked about new texts.
    """
    from deidlab.evaluation import evaluate
    from deidlab.judging import Judging
    from deidlab.speed import measurable

    if repeats < 2:
        raise ConfigError(f"attack.repeats is {repeats}; expected 2 or more re-syntheses")
    if not measurable(system):
        raise ConfigError("attack=resynthesis asks the system about new texts: name the system, not its predictions")
    chosen = drawn(documents, notes, seed)
    plain = Judging(replicates=0, batch_tokens=judging.batch_tokens)

    def scores(asked: Sequence[Document]) -> dict[str, Row]:
        before = system.losses.counts.copy()
        counts = evaluate(system, asked, labels, total=len(asked), judging=plain).counts
        system.losses.counts.clear()
        system.losses.counts.update(before)  # the report counts what was lost of the notes themselves
        return {metric: rows(counts[metric], metric)[0] for metric in METRICS}

    original, anew = scores(chosen), []
    for number in range(1, repeats + 1):
        redactor = surrogates_by(policy, seed, number)
        # What has no surrogate has none under any key: it is counted once.
        counted = losses if number == 1 else Losses("count")
        anew.append(scores([resynthesised(note, redactor, counted) for note in chosen]))
    draws = (
        Resamples.of([str(i) for i in range(repeats)], judging.replicates, judging.seed) if judging.replicates else None
    )
    summaries = [
        summary(metric, measure, original[metric][measure], [one[metric][measure] for one in anew], draws, judging)
        for metric in METRICS
        for measure in ("precision", "recall", "f1", "value")
        if measure in original[metric]
    ]
    finding = {"kind": "resynthesis", "notes": len(chosen), "repeats": repeats, "measures": summaries}
    return Outcome([row_of(metric, summaries, original[metric]["support"]) for metric in METRICS], finding)


def summary(
    metric: str,
    measure: str,
    original: float | None,
    values: Sequence[float | None],
    draws: Resamples | None,
    judging: Judging,
) -> dict[str, Any]:
    """Mean, its interval, and spread of a measure over the re-syntheses; null where it is undefined in one."""
    line: dict[str, Any] = {"metric": metric, "measure": measure, "original": original}
    defined = [value for value in values if value is not None]
    if len(defined) < len(values):
        return line | dict.fromkeys(("mean", "low", "high", "deviation", "least", "most"))
    low = high = None
    if draws is not None:
        tail = (1 - judging.level) / 2
        means = draws.weights @ np.array(defined) / len(defined)
        low, high = (float(bound) for bound in np.quantile(means, [tail, 1 - tail]))
    return line | {
        "mean": statistics.fmean(defined),
        "low": low,
        "high": high,
        "deviation": statistics.stdev(defined),
        "least": min(defined),
        "most": max(defined),
    }


def row_of(metric: str, summaries: Sequence[dict[str, Any]], support: int) -> Row:
    """A row of the report from the summaries of a metric."""
    row: Row = {"metric": f"resynthesis_{metric}", "label": "micro", "slice": "all"}
    for line in summaries:
        if line["metric"] == metric:
            row[line["measure"]] = line["mean"]
            if line["low"] is not None:
                row |= {f"{line['measure']}_low": line["low"], f"{line['measure']}_high": line["high"]}
    return row | {"support": support}
