"""Predictions made elsewhere, as a system: brat, i2b2 XML or JSONL files written by anyone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deidlab.corpora import brat, i2b2_2014
from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import decoded, files_in
from deidlab.labels import OUTSIDE, LabelSet
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span


@dataclass(frozen=True)
class PredictionsSystem:
    """One file a document (`ID.ann`, `ID.xml`) or JSONL lines with `id` and `spans`; no `.txt` is needed.

    `labels` and `mapping` say what the predicted labels mean. A document without a prediction, or a prediction made
    for another text, is a fault; under `on_error="count"` such a document counts as one in which nothing was found.
    """

    labels: LabelSet
    files: Mapping[str, Path]
    lines: Mapping[str, Mapping[str, Any]]
    mapping: Mapping[str, str]
    losses: Losses = field(default_factory=Losses)
    name: str = "predictions"

    @property
    def ids(self) -> set[str]:
        """The documents that have a prediction."""
        return {*self.files, *self.lines}

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order; raises `DataError` when some are for notes that are not there."""
        left = self.ids
        for document in documents:
            left.discard(document.id)
            spans = (replace(span, label=self.mapping[span.label]) for span in self._spans(document))
            typed = tuple(s for s in spans if s.label != OUTSIDE)
            failed = self.lines.get(document.id, {}).get("failed")
            yield Prediction(document.id, typed, document.fingerprint, failed=failed)
        if left:
            some = ", ".join(sorted(left)[:5])
            self.losses.fault(
                "prediction_for_other_note", "-",
                f"{len(left)} predictions are for notes that the corpus does not have ({some}, ...): are system.path "
                "and data.path of the same notes?",
            )  # fmt: skip

    def _spans(self, document: Document) -> tuple[Span, ...]:
        if document.id in self.lines:
            line = self.lines[document.id]
            if line.get("failed") is not None:
                self.losses.fault("no_answer", "-", f"{document.id}: the system that predicted it failed on this note")
                return ()
            made_for = line.get("fingerprint")
            if made_for is not None and made_for != document.fingerprint:
                self.losses.fault(
                    "other_text", "-", f"{document.id}: the prediction was made for another text (fingerprint differs)"
                )
                return ()
            return checked_spans(document.id, document.text, map(annotation, line["spans"]), self.losses)
        if document.id not in self.files:
            self.losses.fault(
                "no_prediction",
                "-",
                f"{document.id}: has no prediction; an empty file says that nothing was found; "
                "only_predicted=true judges the other notes only",
            )
            return ()
        file = self.files[document.id]
        if file.suffix == ".xml":
            found = i2b2_2014.parse(document.id, file.read_bytes(), self.losses)
            if found is None:
                return ()
            if found.text != document.text:
                self.losses.fault("other_text", "-", f"{document.id}: {file.name} holds another text than the corpus")
                return ()
            return found.spans
        notation = decoded(file.read_bytes(), file.name, self.losses)
        if notation is None:
            return ()
        stated = brat.parse_annotations(document.id, document.text, notation, self.losses)
        return checked_spans(document.id, document.text, stated, self.losses)


def load(
    path: str | Path | None,
    labels: LabelSet,
    vocabulary: str = "own",
    label_map: Mapping[str, str] | None = None,
    on_error: str = "raise",
    setting: str = "system.on_error",
) -> PredictionsSystem:
    """Find the predictions under `path` and map their labels; raises `DataError` that lists labels without a place.

    `setting` is what a user calls `on_error`.
    """
    if path is None:
        raise ConfigError("system=predictions needs system.path=FILE_OR_FOLDER of .ann, .xml or .jsonl predictions")
    losses = Losses(on_error, setting=setting)  # type: ignore[arg-type]
    found = files_in(Path(path), ".ann", ".xml", ".jsonl")
    lines: dict[str, Mapping[str, Any]] = {}
    for file in found:
        if file.suffix == ".jsonl":
            for line in read_lines(file):
                if line["id"] in lines:
                    raise DataError(f"{file.name}: document {line['id']} is predicted twice; keep one line")
                lines[line["id"]] = line
    files: dict[str, Path] = {}
    for file in found:
        if file.suffix != ".jsonl":
            if file.stem in files or file.stem in lines:
                raise DataError(f"{file.name}: document {file.stem} is predicted twice; keep one file or line")
            files[file.stem] = file
    used = labels_used(files.values(), lines.values())
    mapping = labels.mapping_for(vocabulary, used, label_map, setting="system.label_map")
    return PredictionsSystem(labels, files, lines, mapping, losses)


def read_lines(file: Path) -> Iterator[Mapping[str, Any]]:
    """Lines of a predictions file, checked for `id` and `spans`."""
    with file.open("rb") as stream:
        for number, content in enumerate(stream, start=1):
            if not content.strip():
                continue
            try:
                line = json.loads(content.decode("utf-8-sig" if number == 1 else "utf-8"))
                for span in line["spans"]:
                    annotation(span)
                yield {**line, "id": str(line["id"])}
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DataError(
                    f'{file.name} line {number}: expected {{"id": ..., "spans": [{{"start", "end", "label"}}]}} '
                    f"({type(error).__name__})"
                ) from None


def annotation(span: Mapping[str, Any]) -> Annotation:
    """Raises `KeyError` or `TypeError` for what is no span: places are whole numbers, a score is finite or null."""
    start, end, score = span["start"], span["end"], span.get("score")
    if type(start) is not int or type(end) is not int:
        raise TypeError("start and end are no whole numbers")
    if score is not None and not (type(score) in (int, float) and math.isfinite(score)):
        raise TypeError("the score is no number")
    return Annotation(start, end, str(span["label"]), span.get("text"), score=score)


def labels_used(files: Iterable[Path], lines: Iterable[Mapping[str, Any]]) -> set[str]:
    """Every label that occurs in the predictions."""
    quiet = Losses("count")
    used = {str(span["label"]) for line in lines for span in line["spans"]}
    for file in files:
        if file.suffix == ".xml":
            document = i2b2_2014.parse(file.stem, file.read_bytes(), quiet)
            used.update(span.label for span in (document.spans if document else ()))
        else:
            notation = decoded(file.read_bytes(), file.name, quiet) or ""
            used.update(a.label for a in brat.parse_annotations(file.stem, "", notation, quiet))
    return used
