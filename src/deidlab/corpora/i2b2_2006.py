"""The inline XML of the 2006 i2b2 de-identification challenge: `<PHI TYPE="...">` inside the text of each `RECORD`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from deidlab.corpora import safe_xml
from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import files_in
from deidlab.types import DataError, Document, Losses, Span

# Records are cut out before they are parsed, so that a malformed one takes no other down with it.
_RECORD = re.compile(rb"<RECORD\b[^>]*>.*?</RECORD\s*>|<RECORD\b[^>]*/>", re.DOTALL)
_RECORD_START = re.compile(rb"<RECORD\b")


def read(path: Path, losses: Losses, encoding: str = "utf-8") -> Iterator[Document]:
    """Read an `.xml` file of records or a folder of them; a record's ID is the document's.

    Raises `DataError` for a folder without `.xml`, and for any fault unless faults are counted.
    """
    for file in files_in(path, ".xml"):
        raw = file.read_bytes()
        records = list(_RECORD.finditer(raw))
        declaration = safe_xml.declaration(raw)
        if not records:
            losses.fault("no_record", "-", f"{file}: holds no complete RECORD element; is this i2b2 2006 XML?")
        elif (cut := len(_RECORD_START.findall(raw)) - len(records)) > 0:
            losses.fault("malformed_xml", "-", f"{file}: {cut} RECORD elements are not closed; mend the XML")
        for number, record in enumerate(records, start=1):
            line = raw.count(b"\n", 0, record.start()) + 1
            place = f"{file.name}, record {number} (from line {line})"
            if (document := _document(declaration + record[0], place, losses, encoding)) is not None:
                yield document


def _document(raw: bytes, place: str, losses: Losses, encoding: str) -> Document | None:
    record = safe_xml.parsed(raw, place, losses, encoding)
    if record is None:
        return None
    note = record.find("TEXT")
    document_id = record.get("ID")
    if note is None or not document_id:
        losses.fault("no_text", "-", f"{place}: has no TEXT element or no ID attribute; is this i2b2 2006 XML?")
        return None
    pieces: list[str] = []
    annotations = list(_walk(note, pieces))
    text = "".join(pieces)
    return Document(document_id, text, checked_spans(document_id, text, annotations, losses))


def _walk(element: Element, pieces: list[str]) -> Iterator[Annotation]:
    """Append the text below `element` to `pieces`; yield what its PHI elements cover, inner ones first."""
    pieces.append(element.text or "")
    for child in element:
        start = sum(map(len, pieces))
        yield from _walk(child, pieces)
        if child.tag == "PHI":
            yield Annotation(start, sum(map(len, pieces)), child.get("TYPE", ""))
        pieces.append(child.tail or "")


def to_record(document: Document) -> bytes:
    """The document as a RECORD element, which parses back to the same text and spans.

    Raises `DataError` for a character XML cannot carry, no id or label, and spans that cross each other.
    """
    if not document.id:
        raise DataError("a document has no id, which a record needs")
    for part, place in ((document.id, "its id"), (document.text, document.id)):
        safe_xml.check_carried(part, place)
    pieces = [f"<RECORD ID={quoteattr(document.id)}>\n<TEXT>"]
    at = 0
    open_spans: list[Span] = []
    for span in (*sorted(document.spans, key=lambda span: (span.start, -span.end, span.label)), None):
        while open_spans and (span is None or open_spans[-1].end <= span.start):
            ending = open_spans.pop()
            pieces.append(_characters(document.text[at : ending.end]) + "</PHI>")
            at = ending.end
        if span is None:
            break
        where = f"{document.id}: {span.label} span {span.start}-{span.end}"
        if open_spans and span.end > open_spans[-1].end:
            raise DataError(f"{where} crosses another, which elements cannot; write JSONL or brat instead")
        safe_xml.check_carried(span.label, where)
        pieces.append(_characters(document.text[at : span.start]) + f"<PHI TYPE={quoteattr(span.label)}>")
        at = span.start
        open_spans.append(span)
    pieces.append(_characters(document.text[at:]) + "</TEXT>\n</RECORD>\n")
    return "".join(pieces).encode()


def _characters(text: str) -> str:
    # A parser would turn a carriage return that stands as it is into a line feed.
    return escape(text, {"\r": "&#13;"})
