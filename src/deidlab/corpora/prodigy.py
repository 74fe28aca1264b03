"""Prodigy's examples: `text`, `spans` in characters, an `answer`, and hashes of its own."""

from __future__ import annotations

from typing import Any

from deidlab.corpora.records import Record, annotation_of, id_of, meta_of
from deidlab.types import Document, Losses


def record(parsed: dict, fallback_id: str, losses: Losses) -> Record | None:
    """The record of an example, or None for one that was rejected or ignored."""
    if (answer := parsed.get("answer", "accept")) != "accept":
        losses.count("not_accepted", answer if answer in ("reject", "ignore") else "-")
        return None
    meta = meta_of(parsed.get("meta"))
    spans = parsed.get("spans") or []
    return Record(
        id_of(parsed, meta.get("id") or str(parsed.get("_input_hash", fallback_id))),
        parsed["text"],
        (tuple(annotation_of(span, "start", "end", f"span {n}") for n, span in enumerate(spans, start=1)),),
        meta,
    )


def to_object(document: Document) -> dict[str, Any]:
    """The document as an accepted example, to import or to review."""
    return {
        "id": document.id,
        "text": document.text,
        "spans": [{"start": span.start, "end": span.end, "label": span.label} for span in document.spans],
        "meta": dict(document.meta),
        "answer": "accept",
    }
