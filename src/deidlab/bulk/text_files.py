"""A note a file: one text file, or a folder of `.txt`, of brat's pairs, or of i2b2 2014 XML, with its subfolders."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from deidlab.bulk.files import NOTES, join_parts, make_folders, private_file, stamp, write_part
from deidlab.bulk.notes import Note, Reading, check_text, decoded, encoded
from deidlab.corpora import brat, i2b2_2014, safe_xml
from deidlab.deidentifier import Deidentified
from deidlab.types import ConfigError, DataError, Document, Losses

Kind = Literal["txt", "brat", "i2b2"]
_SUFFIX: Mapping[str, str] = {"txt": ".txt", "brat": ".txt", "i2b2": ".xml"}
_I2B2_PATIENT = r"^(?:.*/)?(\d+)-\d+$"  # files of the challenge are PATIENT-NOTE.xml


class Mendable(Losses):
    """A ledger that ends a note at its first fault: a note that was half understood must not go out."""

    def fault(self, reason: str, label: str, message: str) -> None:
        raise DataError(message) from None


def patient_of(note_id: str, pattern: str | None) -> dict[str, str]:
    """The patient that an id names by a pattern, as `meta` of a document."""
    if pattern and (found := re.search(pattern, note_id)):
        return {"patient": found[1]}
    return {}


def text_of(path: Path, place: str, kind: Kind, reading: Reading) -> str:
    """The note in a file; raises `DataError` for one that is too large, binary, or not what it should be."""
    if (size := path.stat().st_size) > reading.max_bytes:
        raise DataError(f"{place}: {size:,} bytes are more than --max-note-mb allows ({reading.max_bytes:,})")
    raw = path.read_bytes()
    if kind != "i2b2":
        return decoded(raw, reading.encoding, place)
    losses = Mendable()
    root = safe_xml.parsed(raw, place, losses, reading.encoding)
    note = root.find("TEXT") if root is not None else None
    if note is None:
        raise DataError(f"{place}: has no TEXT element; is this i2b2 2014 XML?")
    text = "".join(note.itertext())
    check_text(text, place)
    return text


def read_note(path: Path, note_id: str, kind: Kind, reading: Reading) -> Note:
    """The note of a file, or its fault; `carrier` is the id, from which its output files are named."""
    pattern = reading.patient_pattern or (_I2B2_PATIENT if kind == "i2b2" else None)
    try:
        text = text_of(path, path.name, kind, reading)
    except DataError as error:
        return Note(note_id, None, str(error), note_id)
    except OSError as error:
        return Note(note_id, None, f"{path.name}: {error.strerror}", note_id)
    return Note(note_id, Document(note_id, text, meta=patient_of(note_id, pattern)), carrier=note_id)


@dataclass(frozen=True)
class TextFile:
    """One text file, or one of i2b2 2014 XML, that is one note."""

    path: Path
    reading: Reading
    kind: Kind = "txt"
    folder: bool = False

    @property
    def name(self) -> str:
        return self.kind

    def total(self) -> int:
        return 1

    def state(self) -> Mapping[str, Any]:
        return {"file": stamp(self.path)}

    def notes(self) -> Iterator[Note]:
        yield read_note(self.path, self.path.stem, self.kind, self.reading)

    def render(self, note: Note, result: Deidentified) -> bytes:
        if self.kind == "i2b2":
            return i2b2_2014.to_xml(Document(note.id, result.text, result.spans))
        return encoded(result.text, self.reading.encoding, note.id)

    def write(self, shard: Path, rendered: Sequence[bytes]) -> None:
        write_part(shard, rendered)

    def join(self, shards: Sequence[Path], out: Path) -> None:
        """Write the note; one that failed leaves no file."""
        if any((shard / NOTES).exists() for shard in shards):
            join_parts(shards, out)
        else:  # nor that of an earlier job, which would be taken for it
            out.unlink(missing_ok=True)


@dataclass(frozen=True)
class TextFolder:
    """A folder with a note in every file of its kind, subfolders included; the output has the same names.

    brat's `.ann` and the TAGS of XML hold the annotations of the output: those of the input, with the identifiers that
    they quote, stay behind, and so does whatever else the XML holds.
    """

    path: Path
    reading: Reading
    kind: Kind
    folder: bool = True
    ignored: Counter[str] = field(default_factory=Counter)  # what is no note, or not looked at, by suffix or sort

    @property
    def name(self) -> str:
        return self.kind

    @cached_property
    def files(self) -> list[Path]:
        """The files of notes relative to the folder, by name."""
        found = []
        for file in self.path.rglob("*"):
            relative = file.relative_to(self.path)
            if file.is_dir():
                if file.is_symlink():
                    self.ignored["linked folders"] += 1
                continue
            if any(part.startswith(".") for part in relative.parts):
                self.ignored["hidden"] += 1
                continue
            if not file.is_file():
                continue
            if file.suffix == _SUFFIX[self.kind]:
                found.append(relative)
            elif not (self.kind == "brat" and file.suffix == ".ann"):
                self.ignored[file.suffix or "no suffix"] += 1
        return sorted(found)

    def total(self) -> int:
        return len(self.files)

    def state(self) -> Mapping[str, Any]:
        listing = [[file.as_posix(), *stamp(self.path / file)] for file in self.files]
        return {"files": hashlib.sha256(json.dumps(listing).encode("utf-8", "surrogatepass")).hexdigest()}

    def notes(self) -> Iterator[Note]:
        for file in self.files:
            yield read_note(self.path / file, file.with_suffix("").as_posix(), self.kind, self.reading)

    def render(self, note: Note, result: Deidentified) -> list[tuple[str, bytes]]:
        out = Document(note.id, result.text, result.spans)
        if self.kind == "i2b2":
            return [(f"{note.carrier}.xml", i2b2_2014.to_xml(out))]
        text = encoded(result.text, self.reading.encoding, note.id)
        if self.kind == "txt":
            return [(f"{note.carrier}.txt", text)]
        return [(f"{note.carrier}.txt", text), (f"{note.carrier}.ann", encoded(brat.to_ann(out), "utf-8", note.id))]

    def write(self, shard: Path, rendered: Sequence[list[tuple[str, bytes]]]) -> None:
        for name, content in (file for files in rendered for file in files):
            relative = Path(name)
            with private_file(make_folders(shard / NOTES, relative.parent) / relative.name) as stream:
                stream.write(content)

    def join(self, shards: Sequence[Path], out: Path) -> None:
        """Move all files of the shards into the folder `out`; goes on where a killed one stopped."""
        out.mkdir(mode=0o700, exist_ok=True)
        for shard in shards:
            for file in sorted((shard / NOTES).rglob("*")):
                if file.is_file():
                    relative = file.relative_to(shard / NOTES)
                    file.replace(make_folders(out, relative.parent) / relative.name)


def folder_kind(path: Path) -> Kind:
    """The kind of notes a folder holds; raises when there is none, or more than one."""
    suffixes = {file.suffix for file in path.rglob("*") if file.is_file()}
    if ".xml" in suffixes and ".txt" in suffixes:
        raise ConfigError(f"{path} holds .xml and .txt: say which are the notes with --format i2b2, brat or txt")
    if ".xml" in suffixes:
        return "i2b2"
    if ".txt" in suffixes:
        return "brat" if ".ann" in suffixes else "txt"
    shown = ", ".join(sorted(suffixes - {""})[:8]) or "no files"
    raise DataError(f"{path} holds no .txt and no .xml ({shown}); tables are given as a file: .jsonl, .csv or .parquet")
