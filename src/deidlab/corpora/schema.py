"""The one `datasets` schema of every corpus, and documents to it and back.

Notes are PHI: the Arrow files lie where the caller says, in a folder only its owner may enter, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, Features, List, Value
from datasets.table import MemoryMappedTable

from deidlab.corpora.files import private, private_folder
from deidlab.types import Document, Span

FEATURES = Features(
    {
        "id": Value("string"),
        "text": Value("large_string"),  # offsets of 64 bits: a batch of notes may exceed 2 GiB
        "spans": List({"start": Value("int64"), "end": Value("int64"), "label": Value("string")}),
        "meta": List({"key": Value("string"), "value": Value("string")}),
    }
)


def to_row(document: Document) -> dict[str, Any]:
    """The document as a row of `FEATURES`."""
    return {
        "id": document.id,
        "text": document.text,
        "spans": [{"start": span.start, "end": span.end, "label": span.label} for span in document.spans],
        "meta": [{"key": key, "value": value} for key, value in sorted(document.meta.items())],
    }


def from_row(row: Mapping[str, Any]) -> Document:
    """The document of a row."""
    spans = tuple(Span(span["start"], span["end"], span["label"]) for span in row["spans"])
    return Document(row["id"], row["text"], spans, {pair["key"]: pair["value"] for pair in row["meta"]})


def write_arrow(documents: Iterable[Document], file: Path) -> None:
    """Stream documents into an Arrow file of mode 0600 in a folder of mode 0700; an existing file is replaced.

    Written by pyarrow rather than by `Dataset.from_generator`, whose cache others may read, and which is named after
    a pickle of the generator and therefore differs from run to run.
    """
    private_folder(file.parent).chmod(0o700)
    file.unlink(missing_ok=True)
    schema = FEATURES.arrow_schema
    rows = map(to_row, documents)
    with open(file, "wb", opener=private) as stream, pa.ipc.new_stream(stream, schema) as writer:
        while batch := list(islice(rows, 256)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))


def open_arrow(file: Path, fingerprint: str) -> Dataset:
    """Map an Arrow file into memory; `fingerprint` names what `datasets` may derive from it, the same in every run."""
    return Dataset(MemoryMappedTable.from_file(str(file)), fingerprint=fingerprint)
