"""brat standoff: the note in `ID.txt`, its annotations in `ID.ann` (https://brat.nlplab.org/standoff.html).

Offsets are characters into the `.txt` as it lies there, line ends included. Relations, events, attributes,
normalisations and notes carry no span and are counted, not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import (
    BOM,
    decoded,
    encoded,
    files_in,
    named,
    private_folder,
    without_bom,
    write_new,
)
from deidlab.types import DataError, Document, Losses, Span

_SPAN = re.compile(r"(T[^\t ]*)\t([^\t ]+) (\d{1,15} \d{1,15}(?:;\d{1,15} \d{1,15})*)(?:\t(.*))?", re.DOTALL)
_WITHOUT_SPAN = {
    "R": "relation",
    "*": "equivalence",
    "E": "event",
    "A": "attribute",
    "M": "attribute",
    "N": "normalisation",
    "#": "note",
}


def read(path: Path, losses: Losses, annotated: bool = True, encoding: str = "utf-8") -> Iterator[Document]:
    """Read a folder of `.txt` and `.ann` pairs; with `annotated=False` the `.txt` alone are enough.

    A file without its partner is a fault. Raises `DataError` for a folder with neither, and for any fault unless
    faults are counted.
    """
    files = {file.stem: file for file in reversed(files_in(path, ".ann", ".txt"))}
    for document_id in sorted(files):
        note, notation = (files[document_id].with_suffix(suffix) for suffix in (".txt", ".ann"))
        if not note.exists():
            losses.fault("ann_without_txt", "-", f"{notation} has no {note.name} beside it; add it or remove this one")
        elif notation.exists():
            text = decoded(note.read_bytes(), str(note), losses, encoding)
            lines = decoded(notation.read_bytes(), str(notation), losses, encoding)
            if text is not None and lines is not None:
                yield _document(document_id, text, lines, losses)
        elif annotated:
            losses.fault(
                "txt_without_ann",
                "-",
                f"{note} has no {notation.name} beside it; a note without spans needs an empty one",
            )
        elif (text := decoded(note.read_bytes(), str(note), losses, encoding)) is not None:
            yield Document(document_id, text)


def _document(document_id: str, text: str, notation: str, losses: Losses) -> Document:
    # A byte-order mark is a character of the note, unless the offsets were counted without it.
    if text.startswith(BOM):
        quiet = Losses("count")
        with_mark, without = (list(parse_annotations(document_id, t, notation, quiet)) for t in (text, text[1:]))
        if _agreeing(without, text[1:]) > _agreeing(with_mark, text):
            text = without_bom(text, losses)
    annotations = list(parse_annotations(document_id, text, notation, losses))
    return Document(document_id, text, checked_spans(document_id, text, annotations, losses))


def _agreeing(annotations: list[Annotation], text: str) -> int:
    return sum(annotation.agrees(text) for annotation in annotations)


def parse_annotations(document_id: str, text: str, notation: str, losses: Losses) -> Iterator[Annotation]:
    """The text-bound annotations of an `.ann` file.

    A discontinuous one is counted and left out, unless its pieces touch, or only blanks and a line break part them:
    brat cuts an annotation there by itself.
    """
    for number, line in enumerate(without_bom(notation, losses).split("\n"), start=1):
        line = line.removesuffix("\r")
        place = f"{document_id}.ann line {number}"
        if not line.strip():
            continue
        if kind := _WITHOUT_SPAN.get(line[0]):
            losses.count(kind)
        elif (found := _SPAN.fullmatch(line)) is None:
            losses.fault(
                "malformed_annotation", "-", f"{place} is no brat annotation; expected 'T1<tab>LABEL 0 5<tab>text'"
            )
        else:
            _, label, offsets, covered = found.groups()
            pieces = [tuple(map(int, piece.split())) for piece in offsets.split(";")]
            gaps = [text[end:start] for (_, end), (start, _) in pairwise(pieces) if end != start]
            if all(gap.isspace() and "\n" in gap for gap in gaps):
                yield Annotation(pieces[0][0], pieces[-1][1], label, covered, f"line {number}")
            else:
                losses.placed("discontinuous_span", document_id, Span(pieces[0][0], pieces[-1][1], label))


def write(documents: Iterable[Document], path: Path) -> None:
    """Write each document to `path/ID.txt` and `path/ID.ann`.

    Raises `DataError` for a lone surrogate, a label with blanks, an id that is no file name, and a file that exists.
    """
    folder = private_folder(path)
    for document in documents:
        note, notation = (named(folder, document.id, suffix) for suffix in (".txt", ".ann"))
        text, lines = encoded(document.text, document.id), encoded(to_ann(document), document.id)
        write_new(note, text, document.id)
        write_new(notation, lines, document.id)


def to_ann(document: Document) -> str:
    """The `.ann` file of a document; line breaks inside a span become blanks, as brat itself writes them."""
    lines = []
    for number, span in enumerate(document.spans, start=1):
        if not re.fullmatch(r"\S+", span.label):
            raise DataError(f"{document.id}: label {span.label!r} is empty or has blanks; brat cannot carry it")
        covered = re.sub(r"\s", " ", document.text[span.start : span.end])
        lines.append(f"T{number}\t{span.label} {span.start} {span.end}\t{covered}\n")
    return "".join(lines)
