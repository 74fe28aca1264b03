"""Run a system over gold documents and count what it got right, in memory that holds no more than a chunk of notes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deidlab.excerpts import Excerpt, errors_of
from deidlab.judging import Judge, Judging, recall_only, with_length
from deidlab.labels import OUTSIDE, LabelSet
from deidlab.metrics.confusion import Confusion, confusion
from deidlab.metrics.counts import Counts, concatenate
from deidlab.metrics.fairness import missed_types
from deidlab.metrics.familiarity import LEVELS, KnownNames
from deidlab.metrics.families import measure, strict
from deidlab.metrics.leak import char_leak
from deidlab.metrics.matching import exact
from deidlab.metrics.official import i2b2_2014_official, meddocan_official, printed
from deidlab.metrics.rows import Row
from deidlab.metrics.slices import RARE_NAME
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tokens import WordTable
from deidlab.progress import progress_bar
from deidlab.systems.answers import check_answer
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

CHUNK = 256  # documents matched at once; their counts are all that is kept


class System(Protocol):
    """Anything that maps documents to predictions, in order: a checkpoint, rules, a cloud API, files."""

    @property
    def name(self) -> str: ...

    @property
    def losses(self) -> Losses: ...

    @property
    def labels(self) -> LabelSet: ...

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]: ...


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Counts per family and document, from which every row, slice and interval derives."""

    labels: LabelSet
    counts: dict[str, Counts]
    document_ids: tuple[str, ...]
    meta: tuple[dict[str, str], ...]
    timings: dict[str, Any] = field(default_factory=dict)
    official: dict[str, Any] | None = None
    judging: Judging = field(default_factory=Judging)
    confusion: Confusion | None = None
    familiar: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    excerpts: tuple[Excerpt, ...] = field(default=(), repr=False)

    @cached_property
    def judge(self) -> Judge:
        resamples = self.judging.resamples(self.document_ids, self.meta)
        return Judge(self.judging, self.document_ids, self.meta, self.counts, self.familiar, resamples)

    def rows(self) -> list[Row]:
        """The rows of `report.json`: every family over all documents, and by slice."""
        return self.judge.rows()

    def findings(self) -> dict[str, Any]:
        """What `report.json` says beyond rows; only what there is to say."""
        found = {
            "intervals": self.judge.intervals(),
            "missed_types": missed_types(self.counts["strict"]),
            "fairness": self.judge.fairness(self.labels.names),
            "confusion": as_json(self.confusion) if self.confusion else None,
        }
        return {key: value for key, value in found.items() if value}


def evaluate(
    system: System,
    documents: Iterable[Document],
    labels: LabelSet,
    *,
    total: int | None = None,
    predictions_file: Path | None = None,
    official: str | None = None,
    judging: Judging | None = None,
    known_names: KnownNames | None = None,
    excerpts: bool = False,
) -> Evaluation:
    """Evaluate a system on documents whose spans carry types of `labels`.

    A system with another label set is mapped through `labels.maps`. Predictions are written to `predictions_file` as
    they come: ids, offsets, labels, scores and the fingerprint of the text, never the text. `official` names a scorer
    ("i2b2_2014" or "meddocan") whose own sections are wanted too; it alone keeps all documents in memory. `known_names`
    are those of training, for the slice `rare_name`. `excerpts` keeps the errors with their text. Raises `DataError`
    without documents, and for a label of the system that has no place in `labels`; `ConfigError` for `rare_name`
    without names to compare with, and for `judging.subwords` of a system without a tokenizer.
    """
    judging = judging or Judging()
    if judging.wants(RARE_NAME) and not (known_names and labels.names):
        raise ConfigError(
            f"evaluation.slices: {RARE_NAME} needs the names of a train split and label types marked as names"
        )
    scorers = {None: None, "i2b2_2014": i2b2_2014_official, "meddocan": meddocan_official}
    if official not in scorers:
        raise ConfigError(f"official={official!r}; expected i2b2_2014, meddocan or null")
    cut = None
    if judging.subwords and (cut := getattr(system, "subwords", None)) is None:
        raise ConfigError(
            f"evaluation.subwords: {system.name} has no tokenizer of its own (a checkpoint has): set it to false"
        )
    started = time.perf_counter()
    pairs = predicted_pairs(system, documents)
    mapping = labels.mapping_for(system.labels.name, system.labels.types)
    parts: list[dict[str, Counts]] = []
    familiar: list[dict[str, dict[str, Counts]]] = []
    confused: Confusion | None = None
    errors: list[Excerpt] = []
    ids: list[str] = []
    meta: list[dict[str, str]] = []
    kept: list[tuple[Document, Iterable[Span]]] = []
    words = 0
    stream = predictions_file.open("w", encoding="utf-8") if predictions_file else None
    try:
        with progress_bar() as progress:
            task = progress.add_task("evaluating", total=total, note="")
            while chunk := list(islice(pairs, CHUNK)):
                chunk = [(document, relabelled(prediction, mapping)) for document, prediction in chunk]
                for document, prediction in chunk:
                    length = len(document.text.split())
                    words += length
                    if stream:
                        stream.write(json.dumps(prediction_line(prediction)) + "\n")
                    ids.append(document.id)
                    meta.append(with_length(document.meta, length))
                    errors += errors_of(document, prediction) if excerpts else ()
                parts.append(count(chunk, labels, cut))
                confused = added(confused, confusion(*tables(chunk, labels)))
                if known_names and labels.names:
                    familiar.append(count_familiar(chunk, labels, known_names))
                if official:
                    kept += [(document, prediction.spans) for document, prediction in chunk]
                progress.update(task, advance=len(chunk))
    finally:
        if stream:
            stream.close()
    if not parts:
        raise DataError("no documents to evaluate on: is data.splits.test (or data.path) right?")
    counts = joined(parts)
    by_level: dict[str, dict[str, Counts]] = {
        level: joined([part[level] for part in familiar]) for level in (LEVELS if familiar else ())
    }
    seconds = time.perf_counter() - started
    timings = {"evaluation_seconds": round(seconds, 3), "words_per_second": round(words / seconds, 1)}
    scorer = scorers[official]
    sections = printed(scorer(kept)) if scorer else None
    return Evaluation(
        labels, counts, tuple(ids), tuple(meta), timings, sections, judging, confused, by_level, tuple(errors)
    )


def joined(parts: Sequence[Mapping[str, Counts]]) -> dict[str, Counts]:
    """The counts of consecutive chunks as those of the whole, family by family."""
    return {metric: concatenate(part[metric] for part in parts) for metric in parts[0]}


def added(first: Confusion | None, second: Confusion) -> Confusion:
    return first + second if first else second


def relabelled(prediction: Prediction, mapping: Mapping[str, str]) -> Prediction:
    spans = (replace(span, label=mapping[span.label]) for span in prediction.spans)
    return replace(prediction, spans=tuple(span for span in spans if span.label != OUTSIDE))


def predicted_pairs(system: System, documents: Iterable[Document]) -> Iterator[tuple[Document, Prediction]]:
    """Documents with their predictions; a system that skips or reorders one is caught."""
    waiting: list[Document] = []

    def passing() -> Iterator[Document]:
        for document in documents:
            waiting.append(document)
            yield document

    for prediction in system.predict(passing()):
        document = waiting.pop(0)
        check_answer(document, prediction, system.name)
        yield document, prediction
    if waiting:
        raise DataError(f"the system gave no answer for {len(waiting)} documents, first {waiting[0].id}")


def count(
    chunk: list[tuple[Document, Prediction]],
    labels: LabelSet,
    cut: Callable[[Sequence[Document]], Iterable[np.ndarray]] | None = None,
) -> dict[str, Counts]:
    """All metric families of some documents, and strict over the coarse categories of the label set.

    `cut` gives the bounds of the subwords of documents, where these are to be counted too.
    """
    gold = [document.spans for document, _ in chunk]
    found = [prediction.spans for _, prediction in chunk]
    texts = TextTable.of(document.text for document, _ in chunk)
    subwords = WordTable.at(list(cut([document for document, _ in chunk])), texts) if cut else None
    families = measure(*tables(chunk, labels), texts, labels.scheme, subwords)
    if category := labels.coarse.get("category"):
        names = tuple(dict.fromkeys(c for c in category.values() if c != OUTSIDE))
        sides = [SpanTable.of([coarse(spans, category) for spans in side], names) for side in (gold, found)]
        families["category_strict"] = strict(exact(*sides))
    return families


def tables(chunk: list[tuple[Document, Prediction]], labels: LabelSet) -> tuple[SpanTable, SpanTable]:
    """Gold and predicted spans of a chunk."""
    gold, found = ([d.spans for d, _ in chunk], [p.spans for _, p in chunk])
    return SpanTable.of(gold, labels.types), SpanTable.of(found, labels.types)


def count_familiar(
    chunk: list[tuple[Document, Prediction]], labels: LabelSet, known: KnownNames
) -> dict[str, dict[str, Counts]]:
    """Strict recall and leak of gold names, by how familiar each is from training."""
    levels: dict[str, list[list[Span]]] = {level: [[] for _ in chunk] for level in LEVELS}
    for number, (document, _) in enumerate(chunk):
        for span in document.spans:
            if span.label in labels.names:
                levels[known.familiarity(document.text[span.start : span.end])][number].append(span)
    texts = TextTable.of(document.text for document, _ in chunk)
    predicted = tables(chunk, labels)[1]
    counted = {}
    for level, spans in levels.items():
        gold = SpanTable.of(spans, labels.types)
        counted[level] = {
            "strict": recall_only(strict(exact(gold, predicted))),
            "char_leak": char_leak(gold, predicted, texts),
        }
    return counted


def coarse(spans: Iterable[Span], category: Mapping[str, str]) -> list[Span]:
    return [replace(s, label=category[s.label]) for s in spans if category[s.label] != OUTSIDE]


def as_json(confused: Confusion) -> dict[str, Any]:
    """The confusion of the types that occur; the last row is spurious, the last column missed."""
    matrix = confused.matrix
    n = len(confused.labels)
    occurs = [i for i in range(n) if matrix[i].any() or matrix[:, i].any()]
    return {
        "labels": [confused.labels[i] for i in occurs],
        "matrix": matrix[[*occurs, n]][:, [*occurs, n]].tolist(),
    }


def prediction_line(prediction: Prediction) -> dict[str, Any]:
    """A line of `predictions.jsonl`."""
    spans = [
        {"start": s.start, "end": s.end, "label": s.label} | ({} if s.score is None else {"score": s.score})
        for s in prediction.spans
    ]
    failed = {} if prediction.failed is None else {"failed": prediction.failed}
    return {"id": prediction.document_id, "fingerprint": prediction.fingerprint, "spans": spans, **failed}
