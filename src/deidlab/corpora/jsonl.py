"""JSON Lines of notes: our own schema, and the exports of doccano, Label Studio and Prodigy.

Ours, one object a line: `{"id": ..., "text": ..., "spans": [{"start": 0, "end": 4, "label": "NAME"}], "meta": {...}}`.
A file that begins with `[` is read as one JSON array of such objects, as Label Studio and doccano can export.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deidlab.corpora.annotations import checked_spans
from deidlab.corpora.files import decoded, encoded, files_in, lone_surrogate, private_folder, without_bom, write_new
from deidlab.corpora.json_exports import Malformed, recognised
from deidlab.types import Document, Losses


def read(path: Path, losses: Losses) -> Iterator[Document]:
    """Read a `.jsonl` or `.json` file or a folder of them.

    An object without an id is named after its file and line. Raises `DataError` for a folder without such files, and
    for any fault unless faults are counted.
    """
    for file in files_in(path, ".jsonl", ".json"):
        for place, fallback_id, parsed in _objects(file, losses):
            if (document := _document(parsed, place, fallback_id, losses)) is not None:
                yield document


def _objects(file: Path, losses: Losses) -> Iterator[tuple[str, str, Any]]:
    """Every JSON value of a file with its place and an id for the case that it has none."""
    with file.open("rb") as lines:
        first = lines.readline()
        if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            yield from _elements(file, first + lines.read(), losses)
            return
        empty = True
        for number, raw in enumerate(_chained(first, lines), start=1):
            place = f"{file}, line {number}"
            if (line := decoded(raw, place, losses)) is None:
                empty = False
                continue
            line = without_bom(line, losses) if number == 1 else line
            if not line.strip():
                continue
            empty = False
            if (parsed := _parsed(line, place, losses)) is not None:
                yield place, f"{file.stem}-{number}", parsed
        if empty:
            losses.fault("empty_file", "-", f"{file}: is empty; remove it")


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _elements(file: Path, raw: bytes, losses: Losses) -> Iterator[tuple[str, str, Any]]:
    if (content := decoded(raw, str(file), losses)) is None:
        return
    for number, parsed in enumerate(_parsed(without_bom(content, losses), str(file), losses) or (), start=1):
        yield f"{file}, element {number}", f"{file.stem}-{number}", parsed


def _parsed(content: str, place: str, losses: Losses) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        # `error.msg` is one of the parser's own sentences; `str(error)` would be as safe, `error.doc` is the note.
        losses.fault("malformed_json", "-", f"{place}, character {error.pos}: {error.msg}; mend the JSON")
    except (ValueError, RecursionError):
        losses.fault("malformed_json", "-", f"{place}: holds a number or a nesting that is too large; mend the JSON")
    return None


def _document(parsed: Any, place: str, fallback_id: str, losses: Losses) -> Document | None:
    try:
        record = recognised(parsed, fallback_id, losses)
    except Malformed as error:
        losses.fault("malformed_record", "-", f"{place}: {error}")
        return None
    if record is None:
        return None
    for part in (record.text, record.id, *record.meta.values()):
        if (position := lone_surrogate(part)) is not None:
            losses.fault(
                "lone_surrogate", "-", f"{place}: half of a UTF-16 pair at character {position}; mend the escape"
            )
            return None
    spans = checked_spans(record.id, record.text, record.annotations, losses)
    return Document(record.id, record.text, spans, record.meta)


def write(documents: Iterable[Document], path: Path) -> None:
    """Write all documents to one file; raises `DataError` for a lone surrogate and for a file that exists."""
    path = Path(path)
    content = b"".join(encoded(to_line(document), document.id) for document in documents)
    private_folder(path.parent)
    write_new(path, content, path.name)


def to_line(document: Document) -> str:
    """The document as one line of our own schema."""
    encoded(document.text, document.id)  # so that an error names the place in the note, not in the file
    spans = []
    for span in document.spans:
        row: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label}
        spans.append(row if span.score is None else {**row, "score": span.score})
    row = {"id": document.id, "text": document.text, "spans": spans, "meta": dict(document.meta)}
    return json.dumps(row, ensure_ascii=False) + "\n"
