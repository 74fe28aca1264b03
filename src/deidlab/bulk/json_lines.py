"""JSON Lines: the text of each object is replaced, every other byte of its line stays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]  # not in its stubs
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from deidlab.bulk.files import join_parts, stamp, write_part
from deidlab.bulk.lines import check_encoding, count_lines, lines
from deidlab.bulk.notes import Note, Reading, check_text, decoded, encoded, shown_names
from deidlab.bulk.text_files import patient_of
from deidlab.deidentifier import Deidentified
from deidlab.types import DataError, Document

# What describes the text that was would be wrong of the new one, and may quote the identifiers: it is left out. The
# second may as well be a column of its own; it describes the text when it is a list of lists or of objects.
OF_THE_OLD_TEXT = ("spans", "entities", "text_tagged")
PERHAPS_OF_THE_OLD_TEXT = ("annotations", "label", "labels")
_BLANKS = " \t\r\n"


class Member(NamedTuple):
    """A key of an object with its value, where the value lies in the line, and where the member does."""

    key: str
    value: Any
    start: int
    end: int
    begin: int


class Row(NamedTuple):
    """A line and where its text lies in it."""

    line: str
    members: tuple[Member, ...]


def members(line: str) -> tuple[Member, ...]:
    """The members of the JSON object that a line holds; raises `ValueError` for any other line."""
    decoder = JSONDecoder()
    at = _skip(line, 1 if line.startswith("\ufeff") else 0)
    if line[at : at + 1] != "{":
        raise ValueError("no object")
    found: list[Member] = []
    at = _skip(line, at + 1)
    while line[at : at + 1] != "}":
        begin = at
        if line[at : at + 1] != '"':
            raise ValueError("no key")
        key, at = scanstring(line, at + 1, True)
        at = _skip(line, at)
        if line[at : at + 1] != ":":
            raise ValueError("no colon")
        start = _skip(line, at + 1)
        value, at = decoder.raw_decode(line, start)
        found.append(Member(key, value, start, at, begin))
        at = _skip(line, at)
        if line[at : at + 1] == ",":
            at = _skip(line, at + 1)
            if line[at : at + 1] == "}":
                raise ValueError("a comma too many")
        elif line[at : at + 1] != "}":
            raise ValueError("no comma")
    if line[at + 1 :].strip(_BLANKS):
        raise ValueError("more than an object")
    return tuple(found)


def _skip(line: str, at: int) -> int:
    while line[at : at + 1] and line[at] in _BLANKS:
        at += 1
    return at


def describes_text(member: Member) -> bool:
    """Whether a member says something about the text that is no longer true of another."""
    if member.key in PERHAPS_OF_THE_OLD_TEXT:
        return isinstance(member.value, list) and any(isinstance(part, list | dict) for part in member.value)
    return member.key in OF_THE_OLD_TEXT


def spliced(row: Row, column: str, text: str | None, spans: list[dict[str, Any]] | None) -> str:
    """The line with another text, without what described the old one; with `spans`, where they are wanted."""
    pieces: list[str] = []
    for number, member in enumerate(row.members):
        if member.key != column and describes_text(member):
            continue
        if pieces:
            pieces.append(row.line[row.members[number - 1].end : member.begin])
        value = json.dumps(text, ensure_ascii=False) if member.key == column else row.line[member.start : member.end]
        pieces += [row.line[member.begin : member.start], value]
    if spans is not None:
        pieces.append(f', "spans": {json.dumps(spans, ensure_ascii=False)}')
    return row.line[: row.members[0].begin] + "".join(pieces) + row.line[row.members[-1].end :]


@dataclass(frozen=True)
class JsonLines:
    """A `.jsonl` file (or a stream of such lines), one note an object."""

    path: Path
    reading: Reading
    spans: bool = False  # whether each object gets the annotations of its new text as `spans`
    name: str = "jsonl"
    folder: bool = False

    def __post_init__(self) -> None:
        check_encoding(self.reading.encoding)

    def total(self) -> int:
        return count_lines(self.path)

    def state(self) -> Mapping[str, Any]:
        return {"file": stamp(self.path)}

    @property
    def columns(self) -> list[str]:
        """The keys of the first object that stay in the output: other objects may have more."""
        with self.path.open("rb") as stream:
            for raw in lines(stream, self.reading.max_bytes):
                try:
                    found = members(decoded(raw or b"", self.reading.encoding, self.path.name))
                except (ValueError, RecursionError, DataError):
                    continue
                return [member.key for member in found if not describes_text(member)]
        return []

    def notes(self) -> Iterator[Note]:
        with self.path.open("rb") as stream:
            yield from self.stream(stream)

    def stream(self, stream: BinaryIO) -> Iterator[Note]:
        """The notes of an open stream; an empty line is none."""
        stem = self.path.stem if self.path.name else "stdin"
        for number, raw in enumerate(lines(stream, self.reading.max_bytes), start=1):
            if raw is not None and not raw.strip():
                continue
            place, fallback = f"{self.path.name or 'stdin'} line {number}", f"{stem}-{number}"
            try:
                if raw is None:
                    raise DataError(f"{place}: is longer than --max-note-mb allows ({self.reading.max_bytes:,} bytes)")
                yield self._note(raw, place, fallback)
            except DataError as error:
                yield Note(fallback, None, str(error))

    def _note(self, raw: bytes, place: str, fallback: str) -> Note:
        line = decoded(raw, self.reading.encoding, place)
        try:
            row = Row(line, members(line))
        except (ValueError, RecursionError):  # their messages may quote the line
            raise DataError(f"{place}: is no JSON object; mend the line") from None
        values = {member.key: member.value for member in row.members}
        if len(values) < len(row.members):
            raise DataError(f"{place}: has a key twice; readers disagree which counts, so mend the line")
        column = self.reading.text_column
        if column not in values:
            raise DataError(f"{place}: has no {column!r}; its keys: {shown_names(values)} (--text-column)")
        text = values[column]
        if text is not None and not isinstance(text, str):
            raise DataError(f"{place}: {column!r} is a {type(text).__name__}; expected a string")
        check_text(text or "", place)
        id_column = self.reading.id_column or "id"
        if self.reading.id_column and id_column not in values:
            raise DataError(f"{place}: has no {id_column!r} (--id-column)")
        note_id = str(values.get(id_column, fallback))
        return Note(note_id, Document(note_id, text or "", meta=self._meta(values, note_id)), carrier=row)

    def _meta(self, values: Mapping[str, Any], note_id: str) -> Mapping[str, str]:
        """The patient: of the named column, else of our own schema's `meta`, else of the id."""
        meta = values.get("meta")
        if self.reading.patient_column:
            patient = values.get(self.reading.patient_column)
        else:
            patient = meta.get("patient") if isinstance(meta, dict) else None
        return patient_of(note_id, self.reading.patient_pattern) if patient in (None, "") else {"patient": str(patient)}

    def render(self, note: Note, result: Deidentified) -> bytes:
        row: Row = note.carrier
        column = self.reading.text_column
        absent = any(member.key == column and member.value is None for member in row.members)  # null stays null
        spans = [{"start": s.start, "end": s.end, "label": s.label} for s in result.spans] if self.spans else None
        line = spliced(row, column, None if absent else result.text, spans)
        return encoded(line if line.endswith("\n") else line + "\n", self.reading.encoding, note.id)

    def head(self) -> bytes:
        return b""

    def write(self, shard: Path, rendered: Sequence[bytes]) -> None:
        write_part(shard, rendered)

    def join(self, shards: Sequence[Path], out: Path) -> None:
        join_parts(shards, out, self.head())
