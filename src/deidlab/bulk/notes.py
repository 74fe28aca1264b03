"""What a job reads and writes: notes with what their file needs to be written back, and the rules for their text.

A note that cannot be read is still a note, with a fault in place of a text: it is listed, and nothing of it goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deidlab.corpora.encodings import likely
from deidlab.corpora.files import lone_surrogate
from deidlab.deidentifier import Deidentified
from deidlab.types import DataError, Document


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a job's input: a document, or the reason why it is none; `carrier` is what its format keeps of it."""

    id: str
    document: Document | None
    fault: str | None = None
    carrier: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """How notes are read: the names of columns, the encoding, the largest note (bytes), and where patients are named.

    `patient_pattern` is searched in a note's id; its first group is the patient.
    """

    encoding: str = "utf-8"
    text_column: str = "text"
    id_column: str | None = None
    patient_column: str | None = None
    patient_pattern: str | None = None
    delimiter: str | None = None
    max_bytes: int = 16 * 2**20


class Renderer(Protocol):
    """What writes a note as its input was written."""

    def render(self, note: Note, result: Deidentified) -> Any: ...


class Format(Renderer, Protocol):
    """A kind of input that can be written back with other texts.

    `render` makes of one note what `write` later stores in the folder of a shard; it raises `DataError` where the
    output cannot carry the text, which fails that note alone. `join` makes the output of all shards, in order.
    """

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> bool:
        """Whether the output is a folder."""
        ...

    def total(self) -> int | None: ...

    def notes(self) -> Iterator[Note]: ...

    def write(self, shard: Path, rendered: Sequence[Any]) -> None: ...

    def join(self, shards: Sequence[Path], out: Path) -> None: ...

    def state(self) -> Mapping[str, Any]:
        """What tells this input from another, to resume only the same."""
        ...


# First bytes of files that hold no plain text, and what to call them.
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x1f\x8b": "gzip-compressed",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"{\\rtf": "rich text (RTF)",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "a SQLite database",
}


def decoded(raw: bytes, encoding: str, place: str) -> str:
    """The bytes as text in the declared encoding, every byte accounted for; raises `DataError` that names a way out."""
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            raise DataError(f"{place}: is {kind}, no plain text")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{place}: is binary (a NUL at byte {raw.index(0)}), no plain text") from None
        raise DataError(f"{place}: byte {error.start} is no {encoding}{hint(raw)}") from None
    check_text(text, place)
    if encoded(text, encoding, place) != raw:
        raise DataError(f"{place}: {encoding} does not give back the same bytes; convert the file to UTF-8 first")
    return text


def check_text(text: str, place: str) -> None:
    """Raise `DataError` for characters that no note holds and no file carries: NUL and lone surrogates."""
    if (position := text.find("\0")) >= 0:
        raise DataError(f"{place}: NUL at character {position}; is this a binary file? Remove it or leave the note out")
    if (lone := lone_surrogate(text)) is not None:
        raise DataError(f"{place}: half of a UTF-16 pair at character {lone}; mend the escape or re-export the note")


def encoded(text: str, encoding: str, place: str) -> bytes:
    """The text in the encoding of its file; raises `DataError` where that has no byte for a character."""
    try:
        if encoding.lower().replace("-", "").replace("_", "") in ("utf16", "utf32"):
            # Python would write a byte-order mark of this machine's order; the text carries its own.
            raise DataError(f"{place}: say which byte order {encoding} has (--encoding {encoding}-le or -be)")
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{place}: {encoding} cannot write U+{ord(error.object[error.start]):04X} at character {error.start} "
            "of the output; convert the input to UTF-8, or use --style mask"
        ) from None


_NAME = re.compile(r"[^\W\d][\w .;:|/()-]{0,39}")


def shown_names(names: Iterable[str]) -> str:
    """Names of columns or keys for a message, if they look like such: a first line may be a note, not a header."""
    names = list(names)
    return ", ".join(names) if all(map(_NAME.fullmatch, names)) else "not shown, for they do not look like names"


def hint(raw: bytes) -> str:
    """A hint at the encoding that bytes seem to have; it is never used without being declared."""
    names = likely(raw)
    if not names:
        return "; declare its encoding with --encoding"
    if names[0].startswith("utf-16"):
        return f"; it begins like UTF-16: declare --encoding {names[0]}"
    return f"; it may be {' or '.join(names)}: declare --encoding {names[0]}, or mend the note"
