"""JSON Lines of notes: our own schema, and the exports of doccano, Label Studio and Prodigy.

Ours, one object a line: `{"id": ..., "text": ..., "spans": [{"start": 0, "end": 4, "label": "NAME"}], "meta": {...}}`.
A file that begins with `[` is read as one JSON array of such objects, as Label Studio and doccano can export.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from deidlab.corpora.annotations import checked_spans
from deidlab.corpora.annotators import Policy, check_policy, merged, settled
from deidlab.corpora.encodings import known
from deidlab.corpora.files import decoded, encoded, files_in, lone_surrogate, private_folder, without_bom, write_new
from deidlab.corpora.json_exports import recognised
from deidlab.corpora.records import Malformed
from deidlab.types import Document, Losses

_FAULT = object()  # None is JSON's null


def read(path: Path, losses: Losses, annotators: Policy = "error", encoding: str = "utf-8") -> Iterator[Document]:
    """Read a `.jsonl` or `.json` file or a folder of them.

    An object without an id is named after its file and line. `annotators` says what counts where those of one task
    differ (`deidlab.corpora.annotators`). Raises `DataError` for a folder without such files, and for any fault unless
    faults are counted.
    """
    check_policy(annotators)
    documents = (
        document
        for file in files_in(path, ".jsonl", ".json")
        for place, fallback_id, parsed in objects(file, losses, encoding)
        if (document := _document(parsed, place, fallback_id, annotators, losses)) is not None
    )
    # doccano and Prodigy write a record for each annotator; to put them together all must be held.
    yield from documents if annotators == "error" else merged(documents, annotators, losses)


def objects(file: Path, losses: Losses, encoding: str = "utf-8") -> Iterator[tuple[str, str, Any]]:
    """Every JSON value of a file with its place and an id for the case that it has none."""
    with file.open("rb") as stream:
        first = stream.readline()
        # Bytes are cut at line feeds before they are decoded, so that one bad line costs no other.
        if known(encoding).startswith(("utf-16", "utf-32")) or _begins_array(first):
            yield from _whole(file, first + stream.read(), losses, encoding)
            return
        yield from _lines(file, chain([first], stream), losses, encoding)


def _begins_array(raw: bytes) -> bool:
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _lines(file: Path, lines: Iterable[bytes | str], losses: Losses, encoding: str) -> Iterator[tuple[str, str, Any]]:
    empty = True
    for number, raw in enumerate(lines, start=1):
        place = f"{file}, line {number}"
        line = raw if isinstance(raw, str) else decoded(raw, place, losses, encoding)
        if line is None:
            empty = False
            continue
        line = without_bom(line, losses) if number == 1 else line
        if not line.strip():
            continue
        empty = False
        if (parsed := _parsed(line, place, losses)) is not _FAULT:
            yield place, f"{file.stem}-{number}", parsed
    if empty:
        losses.fault("empty_file", "-", f"{file}: is empty; remove it")


def _whole(file: Path, raw: bytes, losses: Losses, encoding: str) -> Iterator[tuple[str, str, Any]]:
    """The elements of a file that is one JSON array, or its lines where it had to be decoded whole."""
    if (content := decoded(raw, str(file), losses, encoding)) is None:
        return
    content = without_bom(content, losses)
    if not content.lstrip().startswith("["):
        yield from _lines(file, content.split("\n"), losses, encoding)
        return
    elements = _parsed(content, str(file), losses)
    if elements == []:
        losses.fault("empty_file", "-", f"{file}: is an empty array; remove it")
    for number, parsed in enumerate(elements if isinstance(elements, list) else (), start=1):
        yield f"{file}, element {number}", f"{file.stem}-{number}", parsed


def _parsed(content: str, place: str, losses: Losses) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        # `error.msg` is one of the parser's own sentences; `str(error)` would be as safe, `error.doc` is the note.
        losses.fault("malformed_json", "-", f"{place}, character {error.pos}: {error.msg}; mend the JSON")
    except (ValueError, RecursionError):
        losses.fault("malformed_json", "-", f"{place}: holds a number or a nesting that is too large; mend the JSON")
    return _FAULT


def _document(parsed: Any, place: str, fallback_id: str, annotators: Policy, losses: Losses) -> Document | None:
    try:
        record = recognised(parsed, fallback_id, losses)
    except Malformed as error:
        losses.fault(error.reason, "-", f"{place}: {error}")
        return None
    except (TypeError, AttributeError, KeyError, ValueError):  # their messages may quote the note
        losses.fault("malformed_record", "-", f"{place}: is no object as the tool exports it; export it again")
        return None
    if record is None:
        return None
    for part in (record.text, record.id, *record.meta.values()):
        if (position := lone_surrogate(part)) is not None:
            losses.fault(
                "lone_surrogate", "-", f"{place}: half of a UTF-16 pair at character {position}; mend the escape"
            )
            return None
    versions = [checked_spans(record.id, record.text, version, losses) for version in record.versions]
    spans = settled(record.id, versions, annotators, losses)
    return None if spans is None else Document(record.id, record.text, spans, record.meta)


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
