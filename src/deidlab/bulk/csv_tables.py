"""CSV by RFC 4180: the text of each record is replaced, every other byte of it stays, quotes and line ends included.

The standard library's reader does not say where a field lies, and guesses where a file is malformed; here a record
that is not what it should be is a note that failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from deidlab.bulk.files import CHUNK, join_parts, stamp, write_part
from deidlab.bulk.lines import check_encoding
from deidlab.bulk.notes import Note, Reading, check_text, decoded, encoded, shown_names
from deidlab.bulk.text_files import patient_of
from deidlab.deidentifier import Deidentified
from deidlab.types import ConfigError, DataError, Document

_LINE_END = re.compile(r"\r?\n\Z")


class Field(NamedTuple):
    """A value and where it is written in its record."""

    start: int
    end: int
    value: str
    quoted: bool


class Row(NamedTuple):
    """A record and where its text lies in it."""

    record: str
    text: Field


def records(stream: BinaryIO, longest: int, delimiter: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Records with the number of their first line; None in place of one of more than `longest` bytes.

    A record ends at a line end outside quotes, and a quote opens at the start of a field only: one that stands
    elsewhere spoils its own record and no other. Quotes are a byte of their own in every encoding accepted here.
    """
    parts: list[bytes] = []
    size, place = 0, "start"
    line = first = 1
    while piece := stream.readline(CHUNK):
        size += len(piece)
        if size <= longest:
            parts.append(piece)
        else:
            parts.clear()
        place = after(piece, place, delimiter)
        if not piece.endswith(b"\n"):
            continue
        line += 1
        if place != "quoted":
            yield first, b"".join(parts) if size <= longest else None
            parts, size, place, first = [], 0, "start", line
    if size:
        yield first, b"".join(parts) if size <= longest else None


def after(piece: bytes, place: str, delimiter: bytes) -> str:
    """Where in a field a reader is after a piece: at its `start`, in `plain` or `quoted` text, or behind that."""
    at = 0
    while at < len(piece):
        match place:
            case "start":
                opens = piece.startswith(b'"', at)
                place, at = ("quoted", at + 1) if opens else ("plain", at)
            case "plain":
                found = piece.find(delimiter, at)
                place, at = ("plain", len(piece)) if found < 0 else ("start", found + len(delimiter))
            case "quoted":
                found = piece.find(b'"', at)
                place, at = ("quoted", len(piece)) if found < 0 else ("closed", found + 1)
            case _:  # a quote closed the field, or is the first of two
                place, at = ("quoted", at + 1) if piece.startswith(b'"', at) else ("plain", at)
    return place


def fields(record: str, delimiter: str) -> list[Field]:
    """The fields of a record without its line end; raises `ValueError` where a quote stands out of place."""
    plain = re.compile(f'[^"{re.escape(delimiter)}]*')
    quoted = re.compile('"((?:[^"]|"")*)"')
    found: list[Field] = []
    at = 0
    while True:
        match = quoted.match(record, at) if record[at : at + 1] == '"' else plain.match(record, at)
        if match is None:
            raise ValueError("a quote that is not closed")
        in_quotes = match.re is quoted
        value = match[1].replace('""', '"') if in_quotes else match[0]
        found.append(Field(match.start(), match.end(), value, in_quotes))
        at = match.end()
        if at == len(record):
            return found
        if record[at] != delimiter:
            raise ValueError("a quote inside a field")
        at += 1


def written(field: Field, text: str, delimiter: str) -> str:
    """Another text in the place of a field: in quotes where the old one was, or where it needs them."""
    if field.quoted or any(c in text for c in ('"', "\n", "\r", delimiter)):
        return '"' + text.replace('"', '""') + '"'
    return text


@dataclass(frozen=True)
class CsvTable:
    """A `.csv` or `.tsv` file with a header, one note a record."""

    path: Path
    reading: Reading
    name: str = "csv"
    folder: bool = False

    def __post_init__(self) -> None:
        check_encoding(self.reading.encoding)
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ConfigError(f"--delimiter {self.delimiter!r}: expected one character, no quote and no line end")

    @property
    def delimiter(self) -> str:
        return self.reading.delimiter or ("\t" if self.path.suffix == ".tsv" else ",")

    @property
    def _parted(self) -> bytes:
        return self.delimiter.encode(self.reading.encoding)

    def total(self) -> int:
        with self.path.open("rb") as stream:
            return max(sum(1 for _ in records(stream, self.reading.max_bytes, self._parted)) - 1, 0)

    def state(self) -> Mapping[str, Any]:
        return {"file": stamp(self.path)}

    @cached_property
    def header(self) -> str:
        """The first record as it is written; raises `DataError` without one."""
        with self.path.open("rb") as stream:
            for _, raw in records(stream, self.reading.max_bytes, self._parted):
                if raw is not None:
                    return decoded(raw, self.reading.encoding, f"{self.path.name} line 1")
                break
        raise DataError(f"{self.path.name}: has no header; expected a first line that names the columns")

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns; raises `DataError` where one that is asked for is missing."""
        place = f"{self.path.name} line 1"
        try:
            found = fields(_LINE_END.sub("", self.header.removeprefix("\ufeff")), self.delimiter)
        except ValueError as error:
            raise DataError(f"{place}: {error}") from None
        names = [field.value for field in found]
        if any("\r" in name for name in names):
            raise DataError(f"{place}: lines end with a bare carriage return; convert the line ends")
        missing = [name for name in self._wanted if name not in names]
        if missing:
            hint = "; is it parted by another character (--delimiter)?" if len(names) == 1 else ""
            raise DataError(f"{self.path.name} has no column {missing[0]!r}; its columns: {shown_names(names)}{hint}")
        if twice := [name for name in self._wanted if names.count(name) > 1]:
            raise DataError(f"{self.path.name} has two columns {twice[0]!r}; rename one")
        return names

    @property
    def _wanted(self) -> list[str]:
        named = (self.reading.text_column, self.reading.id_column, self.reading.patient_column)
        return [name for name in named if name]

    def notes(self) -> Iterator[Note]:
        columns = self.columns
        with self.path.open("rb") as stream:
            for number, (line, raw) in enumerate(records(stream, self.reading.max_bytes, self._parted)):
                if number == 0 or (raw is not None and self._is_empty(raw)):
                    continue
                place, fallback = f"{self.path.name} record {number} (line {line})", f"{self.path.stem}-{number}"
                try:
                    if raw is None:
                        raise DataError(f"{place}: is longer than --max-note-mb allows; is a quote not closed?")
                    yield self._note(raw, place, fallback, columns)
                except DataError as error:
                    yield Note(fallback, None, str(error))

    def _is_empty(self, raw: bytes) -> bool:
        """An empty line, which is no record where there are several columns; a tab may part two empty fields."""
        return len(self.columns) > 1 and self._parted not in raw and not raw.strip()

    def _note(self, raw: bytes, place: str, fallback: str, columns: list[str]) -> Note:
        record = decoded(raw, self.reading.encoding, place)
        try:
            found = fields(_LINE_END.sub("", record), self.delimiter)
        except ValueError as error:
            raise DataError(f"{place}: {error}; a quote in a field is doubled, and the field quoted") from None
        if len(found) != len(columns):
            raise DataError(f"{place}: has {len(found)} fields; the header has {len(columns)}")
        values = {name: field for name, field in zip(columns, found, strict=True) if name in self._wanted}
        text = values[self.reading.text_column]
        check_text(text.value, place)
        note_id = values[self.reading.id_column].value if self.reading.id_column else fallback
        patient = values[self.reading.patient_column].value if self.reading.patient_column else ""
        meta = {"patient": patient} if patient else patient_of(note_id, self.reading.patient_pattern)
        return Note(note_id, Document(note_id, text.value, meta=meta), carrier=Row(record, text))

    def render(self, note: Note, result: Deidentified) -> bytes:
        record, field = note.carrier
        if result.text != field.value:
            record = record[: field.start] + written(field, result.text, self.delimiter) + record[field.end :]
        line = record if record.endswith("\n") else record + "\n"
        return encoded(line, self.reading.encoding, note.id)

    def head(self) -> bytes:
        header = self.header if self.header.endswith("\n") else self.header + "\n"
        return encoded(header, self.reading.encoding, self.path.name)

    def write(self, shard: Path, rendered: Sequence[bytes]) -> None:
        write_part(shard, rendered)

    def join(self, shards: Sequence[Path], out: Path) -> None:
        join_parts(shards, out, self.head())
