"""A record: what one JSON object of an annotation tool says of a note, nothing of it checked against the text yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deidlab.corpora.annotations import Annotation


class Malformed(ValueError):
    """An object that is no record; the message says what was expected and holds nothing of the object.

    `reason` is what it is counted as.
    """

    def __init__(self, message: str, reason: str = "malformed_record") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Record:
    """A note and what is stated about it; `versions` are the annotations of each annotator, most often one."""

    id: str
    text: str = field(repr=False)
    versions: tuple[tuple[Annotation, ...], ...]
    meta: Mapping[str, str]


def annotation_of(span: Any, start_key: str, end_key: str, place: str) -> Annotation:
    """The annotation in an object with offsets under two keys, `label`, and perhaps `text` and `score`."""
    if not isinstance(span, dict):
        raise Malformed(f"{place} is no object with {start_key}, {end_key} and label")
    start, end, label = (span.get(key) for key in (start_key, end_key, "label"))
    # By type, since True is an int too.
    if not (type(start) is int and type(end) is int and isinstance(label, str)):
        raise Malformed(f"{place} needs whole numbers as {start_key} and {end_key} and a string as label")
    covered, score = span.get("text"), span.get("score")
    score = float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None
    return Annotation(start, end, label, covered if isinstance(covered, str) else None, place, score)


def id_of(parsed: Mapping[str, Any], fallback: str) -> str:
    """The id as a string, or the fallback where it is missing or empty."""
    stated = parsed.get("id")
    return fallback if stated is None or stated == "" else str(stated)


def meta_of(stated: Any) -> dict[str, str]:
    """Metadata as strings; what is no string is kept as its JSON, what is null left out."""
    if not isinstance(stated, dict):
        return {}
    values = {key: value for key, value in stated.items() if value is not None}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
