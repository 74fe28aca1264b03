"""nvidia/Nemotron-PII: synthetic English texts with 55 labels, from the hub or from parquet files.

`spans` is a string, the literal of a Python list of {start, end, text, label}; a `text` in it can be a number. Each uid
has a `us` and an `intl` twin, so that splits go by `meta.uid`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet

from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import files_in
from deidlab.types import DataError, Document, Losses

COLUMNS = ("uid", "text", "spans")
META = ("uid", "domain", "document_type", "document_format", "locale")


def read(path: Path, losses: Losses, domain: str | None = None) -> Iterator[Document]:
    """Read a parquet file or a folder of them; `domain` keeps only the rows of that domain.

    Raises `DataError` for a folder without parquet files, a file without the columns, and for any fault unless faults
    are counted.
    """
    for file in files_in(path, ".parquet"):
        yield from _documents(_rows(file), str(file), losses, domain)


def read_hub(
    split: str, losses: Losses, repository: str, revision: str, domain: str | None = None
) -> Iterator[Document]:
    """Read a split from the hub at a fixed revision; raises `DataError` that says what to download when it cannot."""
    from datasets import load_dataset

    try:
        rows = load_dataset(_snapshot(repository, revision), split=split)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{repository} at {revision[:12]} cannot be had from the hub ({type(error).__name__}). Where there is a "
            f"network: hf download {repository} --repo-type dataset --revision {revision} --local-dir FOLDER; then "
            "data.path=FOLDER"
        ) from None
    yield from _documents(rows, f"{repository} {split}", losses, domain)


def _snapshot(repository: str, revision: str) -> str:
    """The folder of the repository in the hub's cache (it is public), downloaded if it is not there yet."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        HfApi().dataset_info(repository, revision=revision, timeout=10)
        reachable = True
    except Exception:
        # Whatever kept the hub from answering, the cache may do. A download would take half a minute of retries
        # to find out that there is no network.
        reachable = False
    return snapshot_download(repository, repo_type="dataset", revision=revision, local_files_only=not reachable)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        table = pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: is no parquet file ({type(error).__name__}); download it again") from None
    columns = [name for name in dict.fromkeys((*COLUMNS, *META)) if name in table.schema_arrow.names]
    for batch in table.iter_batches(batch_size=1024, columns=columns):
        yield from batch.to_pylist()


def _documents(rows: Iterable[Mapping[str, Any]], place: str, losses: Losses, domain: str | None) -> Iterator[Document]:
    for number, row in enumerate(rows):
        if number == 0 and (missing := [name for name in COLUMNS if name not in row]):
            raise DataError(f"{place}: has no column {', '.join(missing)}; expected {', '.join((*COLUMNS, *META))}")
        if domain is not None and row.get("domain") != domain:
            continue
        if (document := _document(row, f"{place}, row {number}", losses)) is not None:
            yield document


def _document(row: Mapping[str, Any], place: str, losses: Losses) -> Document | None:
    if row["uid"] is None or not isinstance(row["text"], str):
        losses.fault("malformed_record", "-", f"{place}: has no uid or no text")
        return None
    meta = {name: str(row[name]) for name in META if row.get(name) is not None}
    document_id = "-".join(filter(None, (str(row["uid"]), meta.get("locale"))))
    try:
        stated = row["spans"] if isinstance(row["spans"], list) else ast.literal_eval(row["spans"])
        annotations = [_annotation(span, row["text"], f"span {number}") for number, span in enumerate(stated, start=1)]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        losses.fault("malformed_spans", "-", f"{document_id} ({place}): spans is no list of start, end, text, label")
        return None
    return Document(document_id, row["text"], checked_spans(document_id, row["text"], annotations, losses), meta)


def _annotation(span: Mapping[str, Any], text: str, place: str) -> Annotation:
    start, end, label, covered = int(span["start"]), int(span["end"]), str(span["label"]), span.get("text")
    if covered is not None and not isinstance(covered, str):
        # A number lost its leading zeros and trailing decimals as a literal: compare it as the number it is.
        found = text[max(start, 0) : max(end, 0)]
        covered = found if _is_number(found, covered) else str(covered)
    return Annotation(start, end, label, covered, place)


def _is_number(found: str, number: Any) -> bool:
    try:
        return type(number)(found) == number
    except (ValueError, TypeError):
        return False
