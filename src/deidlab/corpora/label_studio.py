"""Label Studio: tasks with `data` and `annotations`, or one region list a task (JSON-MIN).

Its browser counts UTF-16 code units, other clients characters; the text that the regions state tells which. Audio,
image and other tasks without a text are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from deidlab.corpora.annotations import Annotation
from deidlab.corpora.records import Malformed, Record, annotation_of, id_of, meta_of
from deidlab.corpora.utf16 import characters_of, is_plain, units_of
from deidlab.types import DataError, Document, Losses

_TEXT_LABELS = ("labels", "hypertextlabels")
_OTHER_KEYS = {"audio", "image", "video", "img", "picture", "sound", "pdf", "timeseries"}
_MIN_KEYS = {"id", "text", "label", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
_MEDIA = re.compile(
    r"(?:(?:[a-z][a-z0-9+]*:/|\.{0,2})/[^\n]*|\S+)"
    r"\.(?:wav|mp3|flac|ogg|m4a|png|jpe?g|gif|bmp|tiff?|webp|dcm|mp4|avi|mov|webm|pdf)(?:\?\S*)?",
    re.IGNORECASE,
)


def record(parsed: dict, fallback_id: str, losses: Losses) -> Record | None:
    """The record of a task, or None where every annotation was cancelled; one marked as ground truth settles it."""
    made = [v for v in parsed["annotations"] if isinstance(v, dict) and not v.get("was_cancelled")]
    data = parsed["data"]
    key = _text_key(data)
    if not made:
        losses.count("not_accepted")
        return None
    if truth := [version for version in made if version.get("ground_truth")]:
        if len(made) > 1:
            losses.count("other_version", n=len(made) - 1)
        made = truth[:1]
    versions = tuple(_annotations(_regions(version, losses), data[key]) for version in made)
    meta = {name: value for name, value in data.items() if name not in (key, "id")}
    return Record(id_of(data, id_of(parsed, fallback_id)), data[key], versions, meta_of(meta))


def min_record(parsed: dict, fallback_id: str, losses: Losses) -> Record:
    """The record of a row of JSON-MIN, where regions stand under the name of the control that made them."""
    if not isinstance(parsed.get("label") or [], list):
        raise Malformed("expected a list of spans under label")
    regions, meta = list(parsed.get("label") or []), {}
    for name, value in parsed.items():
        if name in _MIN_KEYS:
            continue
        if isinstance(value, list) and any(isinstance(one, dict) and {"start", "end"} <= set(one) for one in value):
            regions += value
        elif isinstance(value, list | dict):
            losses.count("other_result")
        else:
            meta[name] = value
    text = parsed["text"]
    return Record(id_of(parsed, fallback_id), text, (_annotations(regions, text),), meta_of(meta))


def _text_key(data: dict) -> str:
    """The key of the note: `text`, or the one string that names no other medium."""
    strings = [key for key, value in data.items() if isinstance(value, str) and key != "id"]
    if "text" in strings:
        return "text"
    media = [key for key in strings if key.lower() in _OTHER_KEYS or _MEDIA.fullmatch(data[key])]
    if media:
        raise Malformed(f"is a task of {media[0]} and has no text; export the text tasks alone", "not_text")
    if len(strings) != 1:
        raise Malformed("expected the note in data.text")
    return strings[0]


def _regions(version: dict, losses: Losses) -> list[Any]:
    regions = []
    for result in version.get("result") or ():
        if isinstance(result, dict) and result.get("type") in _TEXT_LABELS:
            regions.append(result.get("value"))
        else:
            relation = isinstance(result, dict) and result.get("type") == "relation"
            losses.count("relation" if relation else "other_result")
    return regions


def _annotations(values: Iterable[Any], text: str) -> tuple[Annotation, ...]:
    """One annotation for each label of a region, in characters."""
    found = []
    for number, value in enumerate(values, start=1):
        labels = value.get("labels", value.get("hypertextlabels")) if isinstance(value, dict) else None
        for label in labels if isinstance(labels, list) and labels else [None]:
            region = {**value, "label": label} if isinstance(value, dict) else value
            found.append(annotation_of(region, "start", "end", f"span {number}"))
    if is_plain(text):
        return tuple(_unescaped(annotation, text) for annotation in found)
    to_character = characters_of(text)
    as_units = [_moved(a, to_character(a.start), to_character(a.end)) for a in found]
    readings = [tuple(_unescaped(a, text) for a in reading) for reading in (as_units, found)]
    stated = [number for number, annotation in enumerate(found) if annotation.covered is not None]
    # Where both readings fit what is stated, it was the browser: most annotators use nothing else.
    in_units, in_characters = (sum(reading[n].agrees(text) for n in stated) for reading in readings)
    return readings[0] if stated and in_units >= in_characters else readings[1]


def _moved(annotation: Annotation, start: int | None, end: int | None) -> Annotation:
    """The annotation elsewhere; an offset between the halves of a pair is left: the checks will name it."""
    return replace(
        annotation,
        start=annotation.start if start is None else start,
        end=annotation.end if end is None else end,
    )


def _unescaped(annotation: Annotation, text: str) -> Annotation:
    """A line break inside a region is exported as a backslash and an n."""
    if annotation.covered is None or annotation.agrees(text):
        return annotation
    return replace(annotation, covered=annotation.covered.replace("\\n", "\n"))


def to_object(document: Document) -> dict[str, Any]:
    """The document as a task with one annotation, offsets in UTF-16 code units, as its browser writes them.

    Raises `DataError` for metadata called `text` or `id`, which a task has no second place for.
    """
    if taken := sorted({"text", "id"} & set(document.meta)):
        raise DataError(f"{document.id}: its meta has {', '.join(taken)}, which a task has already; rename it")
    unit = units_of(document.text)
    result = [
        {
            "id": f"span-{number}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": unit(span.start),
                "end": unit(span.end),
                "text": document.text[span.start : span.end],
                "labels": [span.label],
            },
        }
        for number, span in enumerate(document.spans, start=1)
    ]
    data = {"text": document.text, "id": document.id, **document.meta}
    return {"data": data, "annotations": [{"result": result}]}
