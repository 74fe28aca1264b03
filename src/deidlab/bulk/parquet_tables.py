"""Parquet: the text column is replaced; every other column, the schema and its metadata stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from deidlab.bulk.files import NOTES, private_file, replaced, stamp
from deidlab.bulk.notes import Note, Reading, check_text, shown_names
from deidlab.bulk.text_files import patient_of
from deidlab.deidentifier import Deidentified
from deidlab.types import DataError, Document

ROWS = 256  # read at once
_SEAM = b"PAR1PAR1"  # the last bytes of a file, the first of another
GROUP_BYTES = 64 * 2**20  # of a row group of the output


class Row(NamedTuple):
    """A row, with the batch that holds it."""

    batch: pa.RecordBatch
    number: int
    null: bool


def appended(path: Path, footer: pq.FileMetaData) -> bool:
    """Whether the file was appended to another, whose rows would be read in the place of its own, or not at all.

    A footer counts positions from the beginning of its own file, so that between the last column and the footer there
    are as many bytes too many as the other file has; page indices may be there too.
    """
    end = 4
    for group in range(footer.num_row_groups):
        for at in range(footer.num_columns):
            column = footer.row_group(group).column(at)
            first = min(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset)
            end = max(end, first + column.total_compressed_size)
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        unaccounted = len(content) - 8 - int.from_bytes(content[-8:-4], "little") - end
        return unaccounted > 0 and content.rfind(_SEAM, 0, unaccounted + 4) >= 0


@dataclass(frozen=True)
class ParquetTable:
    """A `.parquet` file, one note a row."""

    path: Path
    reading: Reading
    name: str = "parquet"
    folder: bool = False

    @cached_property
    def file(self) -> pq.ParquetFile:
        """The opened file; raises `DataError` for one that is no Parquet or lacks a column."""
        try:
            file = pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError):
            raise DataError(f"{self.path.name}: is no whole Parquet file") from None
        if appended(self.path, file.metadata):
            raise DataError(f"{self.path.name}: is two Parquet files, one after the other; give each by itself")
        schema = file.schema_arrow
        for name in filter(None, (self.reading.text_column, self.reading.id_column, self.reading.patient_column)):
            places = schema.get_all_field_indices(name)
            if not places:
                raise DataError(f"{self.path.name} has no column {name!r}; its columns: {shown_names(schema.names)}")
            if len(places) > 1:
                raise DataError(f"{self.path.name} has two columns {name!r}; rename one")
        kind = schema.field(self.reading.text_column).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise DataError(f"{self.path.name}: column {self.reading.text_column!r} is {kind}; expected a string")
        return file

    @property
    def columns(self) -> list[str]:
        return self.file.schema_arrow.names

    def total(self) -> int:
        return self.file.metadata.num_rows

    def state(self) -> Mapping[str, Any]:
        return {"file": stamp(self.path)}

    def notes(self) -> Iterator[Note]:
        number = 0
        try:
            for batch in self.file.iter_batches(batch_size=ROWS):
                for index in range(len(batch)):
                    number += 1
                    yield self._note(batch, index, number)
        except (pa.ArrowException, OSError):
            raise DataError(f"{self.path.name}: cannot be read beyond row {number}; is the file whole?") from None

    def _note(self, batch: pa.RecordBatch, index: int, number: int) -> Note:
        place = f"{self.path.name} row {number}"

        def value(name: str | None) -> Any:
            return batch.column(name)[index].as_py() if name else None

        note_id = f"{self.path.stem}-{number}"
        try:
            note_id = str(value(self.reading.id_column) or note_id)
            text = value(self.reading.text_column)
            check_text(text or "", place)
            if text and len(text.encode()) > self.reading.max_bytes:
                raise DataError(f"{place}: the note is larger than --max-note-mb allows")
        except UnicodeDecodeError:
            return Note(note_id, None, f"{place}: the text is no UTF-8, as Parquet demands; re-export the file")
        except DataError as error:
            return Note(note_id, None, str(error))
        patient = value(self.reading.patient_column)
        known = {"patient": str(patient)} if patient not in (None, "") else {}
        meta = known or patient_of(note_id, self.reading.patient_pattern)
        return Note(note_id, Document(note_id, text or "", meta=meta), carrier=Row(batch, index, text is None))

    def render(self, note: Note, result: Deidentified) -> tuple[Row, str | None]:
        return note.carrier, None if note.carrier.null else result.text

    def write(self, shard: Path, rendered: Sequence[tuple[Row, str | None]]) -> None:
        schema = self.file.schema_arrow
        rows = [row.batch.slice(row.number, 1) for row, _ in rendered]
        table = pa.Table.from_batches(rows, schema=schema).combine_chunks()
        at = schema.get_field_index(self.reading.text_column)
        texts = pa.array([text for _, text in rendered], type=schema.field(at).type)
        with private_file(shard / NOTES) as stream:
            pq.write_table(table.set_column(at, schema.field(at), texts), stream, compression="zstd")

    def join(self, shards: Sequence[Path], out: Path) -> None:
        """One file of all shards, in row groups of a bounded size, compressed as the input is."""
        groups = self.file.metadata
        compression = groups.row_group(0).column(0).compression if groups.num_row_groups else "SNAPPY"
        with replaced(out) as stream:
            codec = "NONE" if compression == "UNCOMPRESSED" else compression
            with pq.ParquetWriter(stream, self.file.schema_arrow, compression=codec) as writer:
                waiting: list[pa.Table] = []
                for shard in shards:
                    waiting.append(pq.ParquetFile(shard / NOTES).read())
                    if sum(table.nbytes for table in waiting) >= GROUP_BYTES:
                        writer.write_table(pa.concat_tables(waiting))
                        waiting = []
                if waiting:
                    writer.write_table(pa.concat_tables(waiting))
