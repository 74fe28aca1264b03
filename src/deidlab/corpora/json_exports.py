"""Which annotation tool made a JSON object: our own schema, Prodigy, doccano, Label Studio.

The shapes are told apart by keys that only one of them has. What a tool says beyond text and spans (relations, other
annotators' versions, rejected examples) is counted.
"""

from __future__ import annotations

from typing import Any

from deidlab.corpora import doccano, label_studio, prodigy
from deidlab.corpora.records import Malformed, Record, annotation_of, id_of, meta_of
from deidlab.types import Losses


def recognised(parsed: Any, fallback_id: str, losses: Losses) -> Record | None:
    """The record of a parsed object, or None for one that its annotator rejected; raises `Malformed`."""
    match tool_of(parsed):
        case "label_studio":
            return label_studio.record(parsed, fallback_id, losses)
        case "label_studio_min":
            return label_studio.min_record(parsed, fallback_id, losses)
        case "prodigy":
            return prodigy.record(parsed, fallback_id, losses)
        case "doccano":
            return doccano.record(parsed, fallback_id, losses)
        case "jsonl":
            return _own(parsed, fallback_id)
    if isinstance(parsed, dict) and isinstance(parsed.get("text"), str):
        raise Malformed("has a text but no list of spans; write spans: [] for a note without any")
    raise Malformed("expected an object with text and spans, or an export of doccano, Label Studio or Prodigy")


def tool_of(parsed: Any) -> str | None:
    """The tool whose object it is; None for one of none."""
    match parsed:
        case {"data": dict(), "annotations": list()}:
            return "label_studio"
        case {"text": str(), "annotator": _, "annotation_id": _}:
            return "label_studio_min"
        case {"text": str(), "_task_hash": _} | {"text": str(), "_input_hash": _} | {"text": str(), "answer": str()}:
            return "prodigy"
        case {"text": str(), "entities": list()}:
            return "doccano"
        case {"text": str(), "label": list()} | {"text": str(), "labels": list()} | {"data": str(), "label": list()}:
            return "doccano"
        case {"text": str(), "spans": list()}:
            return "jsonl"
    return None


def _own(parsed: dict, fallback_id: str) -> Record:
    spans = tuple(annotation_of(span, "start", "end", f"span {n}") for n, span in enumerate(parsed["spans"], start=1))
    return Record(id_of(parsed, fallback_id), parsed["text"], (spans,), meta_of(parsed.get("meta")))
