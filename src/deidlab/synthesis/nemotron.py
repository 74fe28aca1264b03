"""Parquet in the column shape of nvidia/Nemotron-PII, so that whatever reads that corpus reads this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from deidlab.types import DataError, Document

COLUMNS = (
    "uid", "domain", "document_type", "document_description", "document_format", "locale", "text", "spans",
    "text_tagged",
)  # fmt: skip
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
BATCH = 512


def write(documents: Iterable[Document], path: Path) -> None:
    """Stream documents, whose labels are Nemotron's (`convention="parts"`, mapped), into one parquet file.

    Raises `DataError` when the file exists.
    """
    path = Path(path)
    if path.exists():
        raise DataError(f"{path} exists already; write to an empty place")
    rows = map(to_row, documents)
    with pa.parquet.ParquetWriter(path, SCHEMA) as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))


def to_row(document: Document) -> dict[str, Any]:
    """The document as a row; `spans` is, as there, the literal of a Python list."""
    text = document.text
    spans = [
        {"start": s.start, "end": s.end, "text": text[s.start : s.end], "label": s.label.lower()}
        for s in document.spans
    ]
    kind = document.meta.get("note_type", "note").replace("_", " ")
    return {
        "uid": document.id,
        "domain": "Healthcare",
        "document_type": kind.title(),
        "document_description": f"A {kind} in the style of institution {document.meta.get('institution', 'unknown')}",
        "document_format": "unstructured" if document.meta.get("institution") in _FREE else "structured",
        "locale": "us" if document.meta.get("culture", "us") == "us" else "intl",
        "text": text,
        "spans": repr(spans),
        "text_tagged": "".join(_tagged(text, spans)),
    }


_FREE = ("fairview", "westover", "thornbury")


def _tagged(text: str, spans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    at = 0
    for span in spans:
        yield text[at : span["start"]]
        yield f"<{span['label']}>{span['text']}</{span['label']}>"
        at = span["end"]
    yield text[at:]
