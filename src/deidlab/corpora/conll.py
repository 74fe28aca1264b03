"""CoNLL columns: a token a line, its tag in the last column, a blank line after a sentence, `-DOCSTART-` before a note.

The text is rebuilt: a blank between tokens, a line feed between sentences. Where a column holds `SpaceAfter=No`,
`SpacesAfter=...` or `SpacesBefore=...` (CoNLL-U's MISC, with UDPipe's escapes `\\s \\t \\r \\n`) that is what stands
there; the writer uses them, so that its files give back the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import decoded, encoded, files_in, private_folder, without_bom, write_new
from deidlab.corpora.tag_columns import detected_scheme, fits, spans_of_tags, split_tag
from deidlab.labels import OUTSIDE, PREFIXES, Scheme, tag_sequence
from deidlab.types import ConfigError, DataError, Document, Losses, Span

DOCSTART = "-DOCSTART-"
_ESCAPES = {" ": "\\s", "\t": "\\t", "\r": "\\r", "\n": "\\n", "\\": "\\\\"}
_UNESCAPES = {escape: character for character, escape in _ESCAPES.items()}
_TOKEN = re.compile(r"[\w\u0300-\u036f]+|[^ \t\r\n]")  # a word with its combining marks, or one other character


@dataclass(frozen=True, slots=True)
class _Row:
    """A token with its tag, the line it comes from, and the blanks around it."""

    token: str = field(repr=False)
    tag: str
    line: int
    before: str = ""
    after: str | None = None  # None: not stated
    ends_sentence: bool = False


def read(
    path: Path,
    losses: Losses,
    scheme: Scheme | None = None,
    suffix: str | Sequence[str] = ".conll",
    encoding: str = "utf-8",
) -> Iterator[Document]:
    """Read a file, or the files of a folder that end on `suffix`, one or several.

    A file without `-DOCSTART-` is one document. `scheme` is detected from the prefixes of each file when not given. A
    tag that continues no span opens one, which is counted as `opened_by_inside`. Raises `DataError` for a folder
    without such files, and for any fault unless faults are counted; `ConfigError` for an unknown scheme.
    """
    if scheme is not None and scheme not in PREFIXES:
        raise ConfigError(f"scheme is {scheme!r}; expected one of {', '.join(PREFIXES)} (data.reader.scheme)")
    for file in files_in(path, *([suffix] if isinstance(suffix, str) else suffix)):
        if (content := decoded(file.read_bytes(), str(file), losses, encoding)) is None:
            continue
        notes = list(_notes(file, without_bom(content, losses), losses))
        used = scheme or detected_scheme((row.tag for _, rows in notes for row in rows), str(file), losses)
        for document_id, rows in notes:
            place = f"{document_id} ({file.name})"
            if used is not None and fits([(row.tag, row.line) for row in rows], used, place, losses):
                yield _document(document_id, rows, used, losses)


def _notes(file: Path, content: str, losses: Losses) -> Iterator[tuple[str, list[_Row]]]:
    """The documents of a file as (id, rows); one with a line that is no row is a fault and left out."""
    if not content.strip():
        losses.fault("empty_file", "-", f"{file}: is empty; remove it, or write {DOCSTART} for an empty note")
        return
    lines = content.removesuffix("\n").split("\n")
    document_id, number, broken = file.stem, 0, False
    rows: list[_Row] = []
    for line_number, raw in enumerate(lines, start=1):
        line = raw.removesuffix("\r")
        columns = _columns(line)
        if _is_comment(line, columns) and (not rows or rows[-1].ends_sentence):
            losses.count("comment")
        elif columns and columns[0] == DOCSTART:
            if (number or rows) and not broken:
                yield document_id, rows
            number += 1
            document_id, rows, broken = _stated_id(columns) or f"{file.stem}-{number}", [], False
        elif not columns:
            if rows:
                rows[-1] = replace(rows[-1], ends_sentence=True)
        elif not broken:
            if broken := len(columns) < 2 or not columns[0] or not columns[-1]:
                place = f"{document_id} ({file.name}), line {line_number}"
                losses.fault("malformed_row", "-", f"{place}: expected a token and its tag")
            else:
                rows.append(_row(columns, line_number))
    if not broken:
        yield document_id, rows


def _is_comment(line: str, columns: list[str]) -> bool:
    """Whether a line before a sentence is a comment of CoNLL-U (`# text = ...`), and no `#` with its tag."""
    if not line.startswith("# ") or "\t" in line:
        return False
    tag = columns[-1]
    return len(columns) != 2 or (tag != OUTSIDE and split_tag(tag)[1] == tag)


def _columns(line: str) -> list[str]:
    """The columns of a line, parted by tabs or else by blanks; none for a blank line."""
    if not line.strip(" \t"):
        return []
    return line.split("\t") if "\t" in line else [column for column in line.split(" ") if column]


def _stated_id(columns: list[str]) -> str | None:
    return next((column[3:] for column in columns[1:] if column.startswith("id=") and column != "id="), None)


def _row(columns: list[str], line: int) -> _Row:
    spaces: dict[str, str] = {}
    for part in (part for column in columns[1:-1] for part in column.split("|")):
        key, _, value = part.partition("=")
        if part == "SpaceAfter=No":
            spaces["SpacesAfter"] = ""
        elif key in ("SpacesBefore", "SpacesAfter"):
            spaces[key] = re.sub(r"\\[strn\\]", lambda escape: _UNESCAPES[escape[0]], value)
    return _Row(columns[0], columns[-1], line, spaces.get("SpacesBefore", ""), spaces.get("SpacesAfter"))


def _document(document_id: str, rows: list[_Row], scheme: Scheme, losses: Losses) -> Document:
    pieces: list[str] = []
    offsets: list[tuple[int, int]] = []
    length = 0
    for index, row in enumerate(rows):
        # Nobody states that the note ends on a blank, so the default after its last token is nothing.
        default = "" if index + 1 == len(rows) else "\n" if row.ends_sentence else " "
        after = default if row.after is None else row.after
        start = length + len(row.before)
        offsets.append((start, start + len(row.token)))
        pieces += (row.before, row.token, after)
        length = start + len(row.token) + len(after)
    text = "".join(pieces)
    annotations = [
        Annotation(offsets[first][0], offsets[last][1], label, place=f"line {rows[first].line}")
        for first, last, label in spans_of_tags([row.tag for row in rows], scheme, losses)
    ]
    return Document(document_id, text, checked_spans(document_id, text, annotations, losses))


def write(documents: Iterable[Document], path: Path, scheme: Scheme = "BIO") -> None:
    """Write all documents to one file of three columns: token, blanks around it, tag.

    Raises `DataError` for what columns cannot carry: a note of nothing but blanks, overlapping spans, a span that
    begins or ends with a blank, two adjacent spans of one label under IO, blanks in a label, a lone surrogate.
    """
    path = Path(path)
    content = b"".join(encoded(to_conll(document, scheme), document.id) for document in documents)
    private_folder(path.parent)
    write_new(path, content, path.name)


def to_conll(document: Document, scheme: Scheme = "BIO") -> str:
    """The lines of a document, beginning with its `-DOCSTART-`."""
    if not document.id or re.search(r"[\t\r\n]", document.id):
        raise DataError(f"document id {document.id!r} is empty or holds a tab or line break; columns cannot carry it")
    encoded(document.text, document.id)  # so that an error names the place in the note, not in the file
    tokens = _tokens(document)
    if document.text and not tokens:
        raise DataError(
            f"{document.id}: is nothing but blanks, which columns cannot carry; write JSONL or brat instead"
        )
    tags = tag_sequence(_spans_of_tokens(document, tokens, scheme), scheme)
    lines = [f"{DOCSTART}\tid={document.id}\t{OUTSIDE}\n\n"]
    next_starts = [*(start for start, _ in tokens), len(document.text)][1:]
    for index, ((start, end), next_start, tag) in enumerate(zip(tokens, next_starts, tags, strict=True)):
        before = document.text[:start] if index == 0 else ""
        after, final = document.text[end:next_start], index + 1 == len(tokens)
        lines.append(f"{document.text[start:end]}\t{_misc(before, after, final)}\t{tag}\n")
        if final or "\n" in after:
            lines.append("\n")
    return "".join(lines)


def _tokens(document: Document) -> list[tuple[int, int]]:
    """Words and single characters as offsets, cut wherever a span begins or ends."""
    cuts = sorted({0, len(document.text), *(cut for span in document.spans for cut in (span.start, span.end))})
    return [found.span() for start, end in pairwise(cuts) for found in _TOKEN.finditer(document.text, start, end)]


def _spans_of_tokens(document: Document, tokens: list[tuple[int, int]], scheme: Scheme) -> list[tuple[int, str] | None]:
    """For each token the (number, label) of its span; raises `DataError` for spans that columns cannot carry."""
    spans = sorted(document.spans)
    for previous, span in pairwise([Span(0, 0, ""), *spans]):
        where = f"{document.id}: {span.label} span {span.start}-{span.end}"
        if span.start < previous.end:
            raise DataError(f"{where} overlaps another, which columns cannot carry; write JSONL or brat instead")
        covered = document.text[span.start : span.end]
        if covered != covered.strip(" \t\r\n") or not covered:
            raise DataError(f"{where} is empty or begins or ends with a blank, which columns cannot carry")
        if not re.fullmatch(r"\S+", span.label):
            raise DataError(f"{where}: the label is empty or has blanks, which columns cannot carry")
        between = document.text[previous.end : span.start].strip(" \t\r\n")
        if scheme == "IO" and previous.label == span.label and not between:
            raise DataError(f"{where} follows another {span.label}, which IO cannot tell apart; write BIO")
    number_of_start = {span.start: number for number, span in enumerate(spans)}
    inside: list[tuple[int, str] | None] = []
    current = None
    for start, _ in tokens:
        if start in number_of_start:
            current = number_of_start[start]
        elif current is not None and start >= spans[current].end:
            current = None
        inside.append(None if current is None else (current, spans[current].label))
    return inside


def _misc(before: str, after: str, final: bool) -> str:
    """The middle column: what the reader's defaults would get wrong about the blanks around a token."""
    stated = [f"SpacesBefore={_escaped(before)}"] if before else []
    if after != "" and after != ("" if final else "\n" if "\n" in after else " "):
        stated.append(f"SpacesAfter={_escaped(after)}")
    elif not after and not final:
        stated.append("SpaceAfter=No")
    return "|".join(stated) or "_"


def _escaped(blanks: str) -> str:
    return "".join(_ESCAPES[character] for character in blanks)
