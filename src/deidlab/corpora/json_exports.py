"""One JSON object of an annotation tool as a record: our own schema, Prodigy, doccano, Label Studio.

The shapes are told apart by keys that only one of them has. What a tool says beyond text and spans (relations, other
annotators' versions, rejected examples) is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deidlab.corpora.annotations import Annotation
from deidlab.types import Losses


class Malformed(ValueError):
    """An object that is no record; the message says what was expected and holds nothing of the object."""


@dataclass(frozen=True, slots=True)
class Record:
    """A note and what is stated about it, nothing of it checked against the text yet."""

    id: str
    text: str = field(repr=False)
    annotations: tuple[Annotation, ...]
    meta: Mapping[str, str]


def recognised(parsed: Any, fallback_id: str, losses: Losses) -> Record | None:
    """The record of a parsed object, or None for one that its annotator rejected; raises `Malformed`."""
    match parsed:
        case {"data": dict(), "annotations": list()}:
            return _label_studio(parsed, fallback_id, losses)
        case {"text": str(), "annotator": _, "annotation_id": _}:
            return _label_studio_min(parsed, fallback_id)
        case {"text": str(), "_task_hash": _} | {"text": str(), "_input_hash": _} | {"text": str(), "answer": str()}:
            return _prodigy(parsed, fallback_id, losses)
        case {"text": str(), "entities": list()}:
            if relations := parsed.get("relations"):
                losses.count("relation", n=len(relations))
            return _doccano(parsed, parsed["entities"], ("entities", "relations", "Comments", "comments"), fallback_id)
        case {"text": str(), "label": list()} | {"text": str(), "labels": list()} | {"data": str(), "label": list()}:
            key = "label" if "label" in parsed else "labels"
            return _doccano(parsed, parsed[key], ("label", "labels", "data", "Comments", "comments"), fallback_id)
        case {"text": str(), "spans": list()}:
            return _own(parsed, fallback_id)
        case {"text": str()}:
            raise Malformed("has a text but no list of spans; write spans: [] for a note without any")
        case _:
            raise Malformed("expected an object with text and spans, or an export of doccano, Label Studio or Prodigy")


def _own(parsed: dict, fallback_id: str) -> Record:
    return Record(
        _id(parsed, fallback_id),
        parsed["text"],
        tuple(_annotation(span, "start", "end", f"span {n}") for n, span in enumerate(parsed["spans"], start=1)),
        _meta(parsed.get("meta")),
    )


def _prodigy(parsed: dict, fallback_id: str, losses: Losses) -> Record | None:
    if (answer := parsed.get("answer", "accept")) != "accept":
        losses.count("not_accepted", answer if answer in ("reject", "ignore") else "-")
        return None
    meta = _meta(parsed.get("meta"))
    spans = parsed.get("spans") or []
    return Record(
        _id(parsed, meta.get("id") or str(parsed.get("_input_hash", fallback_id))),
        parsed["text"],
        tuple(_annotation(span, "start", "end", f"span {n}") for n, span in enumerate(spans, start=1)),
        meta,
    )


def _doccano(parsed: dict, spans: list, structure: tuple[str, ...], fallback_id: str) -> Record:
    text = parsed["text"] if "text" in parsed else parsed["data"]
    annotations = []
    for number, span in enumerate(spans, start=1):
        match span:
            case [start, end, label]:
                span = {"start_offset": start, "end_offset": end, "label": label}
        annotations.append(_annotation(span, "start_offset", "end_offset", f"span {number}"))
    own = {key: value for key, value in parsed.items() if key not in (*structure, "id", "text", "meta")}
    return Record(_id(parsed, fallback_id), text, tuple(annotations), {**_meta(own), **_meta(parsed.get("meta"))})


def _label_studio(parsed: dict, fallback_id: str, losses: Losses) -> Record | None:
    versions = [v for v in parsed["annotations"] if isinstance(v, dict) and not v.get("was_cancelled")]
    versions.sort(key=lambda version: not version.get("ground_truth"))
    if not versions:
        losses.count("not_accepted")
        return None
    if len(versions) > 1:
        losses.count("other_version", n=len(versions) - 1)
    data = parsed["data"]
    strings = [key for key, value in data.items() if isinstance(value, str)]
    key = "text" if "text" in strings else strings[0] if len(strings) == 1 else None
    if key is None:
        raise Malformed("expected the note in data.text")
    values = []
    for result in versions[0].get("result") or ():
        if isinstance(result, dict) and result.get("type") in ("labels", "hypertextlabels"):
            values.append(result.get("value"))
        else:
            losses.count(
                "relation" if isinstance(result, dict) and result.get("type") == "relation" else "other_result"
            )
    meta = {name: value for name, value in data.items() if name != key}
    return Record(_id(parsed, fallback_id), data[key], _studio_annotations(values, data[key]), _meta(meta))


def _label_studio_min(parsed: dict, fallback_id: str) -> Record:
    spans = parsed.get("label") or []
    if not isinstance(spans, list):
        raise Malformed("expected a list of spans under label")
    return Record(_id(parsed, fallback_id), parsed["text"], _studio_annotations(spans, parsed["text"]), {})


def _studio_annotations(values: Iterable[Any], text: str) -> tuple[Annotation, ...]:
    """Label Studio's spans: one for each label of a region, in characters.

    Its browser counts UTF-16 code units, other clients characters; the text that the spans state tells which.
    """
    found = []
    for number, value in enumerate(values, start=1):
        labels = value.get("labels", value.get("hypertextlabels")) if isinstance(value, dict) else None
        for label in labels if isinstance(labels, list) else [None]:
            found.append(_annotation({**(value or {}), "label": label}, "start", "end", f"span {number}"))
    # A line break inside a region is exported as a backslash and an n.
    found = [a if a.covered is None else replace(a, covered=a.covered.replace("\\n", "\n")) for a in found]
    if text.isascii() or max(text) < "\U00010000":
        return tuple(found)
    converted = [_in_characters(annotation, text) for annotation in found]
    stated = [(a, b) for a, b in zip(found, converted, strict=True) if a.covered is not None]
    in_units = sum(b.agrees(text) for _, b in stated) > sum(a.agrees(text) for a, _ in stated)
    return tuple(converted if in_units else found)


def _in_characters(annotation: Annotation, text: str) -> Annotation:
    """The annotation with offsets in UTF-16 code units turned into characters."""
    units = [0]
    for character in text:
        units.append(units[-1] + (2 if character > "\uffff" else 1))
    position = {unit: index for index, unit in enumerate(units)}
    # An offset between the halves of a pair, or past the end, is left as it is: the checks will name it.
    start, end = position.get(annotation.start, annotation.start), position.get(annotation.end, annotation.end)
    return replace(annotation, start=start, end=end)


def _annotation(span: Any, start_key: str, end_key: str, place: str) -> Annotation:
    if not isinstance(span, dict):
        raise Malformed(f"{place} is no object with {start_key}, {end_key} and label")
    start, end, label = (span.get(key) for key in (start_key, end_key, "label"))
    # By type, since True is an int too.
    if not (type(start) is int and type(end) is int and isinstance(label, str)):
        raise Malformed(f"{place} needs whole numbers as {start_key} and {end_key} and a string as label")
    covered, score = span.get("text"), span.get("score")
    score = float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None
    return Annotation(start, end, label, covered if isinstance(covered, str) else None, place, score)


def _id(parsed: dict, fallback: str) -> str:
    stated = parsed.get("id")
    return fallback if stated is None or stated == "" else str(stated)


def _meta(stated: Any) -> dict[str, str]:
    """Metadata as strings; what is no string is kept as its JSON, what is null left out."""
    if not isinstance(stated, dict):
        return {}
    values = {key: value for key, value in stated.items() if value is not None}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
