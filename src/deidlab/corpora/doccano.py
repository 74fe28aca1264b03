"""doccano's sequence labelling: a `label` of triples, or `entities` with `relations`, in characters."""

from __future__ import annotations

from typing import Any

from deidlab.corpora.records import Record, annotation_of, id_of, meta_of
from deidlab.types import Document, Losses

_STRUCTURE = {"label", "labels", "entities", "relations", "Comments", "comments", "id", "text", "meta"}


def record(parsed: dict, fallback_id: str, losses: Losses) -> Record:
    """The record of a line; every key that is not doccano's own is metadata. Relations are counted."""
    if relations := parsed.get("relations"):
        losses.count("relation", n=len(relations))
    key = next(key for key in ("entities", "label", "labels") if isinstance(parsed.get(key), list))
    text_key = "text" if "text" in parsed else "data"
    annotations = []
    for number, span in enumerate(parsed[key], start=1):
        match span:
            case [start, end, label]:
                span = {"start_offset": start, "end_offset": end, "label": label}
        annotations.append(annotation_of(span, "start_offset", "end_offset", f"span {number}"))
    own = {name: value for name, value in parsed.items() if name not in _STRUCTURE | {text_key}}
    meta = {**meta_of(own), **meta_of(parsed.get("meta"))}
    return Record(id_of(parsed, fallback_id), parsed[text_key], (tuple(annotations),), meta)


def to_object(document: Document) -> dict[str, Any]:
    """The document as a line that doccano imports."""
    return {
        "id": document.id,
        "text": document.text,
        "label": [[span.start, span.end, span.label] for span in document.spans],
        "meta": dict(document.meta),
    }
