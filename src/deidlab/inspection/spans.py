"""Annotations that look wrong by themselves: their edges, their length, how they lie to each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import regex

from deidlab.inspection.findings import Finding
from deidlab.inspection.mentions import Meanings
from deidlab.types import Document, Span

LONGEST = 120  # characters; the longest addresses of i2b2 2014 and MEDDOCAN are shorter
_OPENING, _CLOSING = "([{«“", ")]}»”"
_NEVER_FIRST = frozenset(",;:.!?" + _CLOSING)
_NEVER_LAST = frozenset(",;:!?" + _OPENING)
_PARAGRAPH = regex.compile(r"\n[ \t\r]*\n")
# Scripts without blanks between words have no halves of words.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")
# A word of five letters or more is no abbreviation, and a number has no full stop of its own.
_STOPPED = regex.compile(r"(?:^|[^\p{L}.])(?:\p{L}{5,}|\p{N}+)\.$")


def suspicious(document: Document, meanings: Meanings) -> Iterator[Finding]:
    """What looks wrong about single annotations of a note, and about pairs that overlap."""
    for span in document.spans:
        for code in edges(document.text, span, meanings.group(span.label)):
            yield _finding(code, document, span)
    for inner, outer, code in overlaps(document.spans):
        other = f"{outer.label} {outer.start}-{outer.end}"
        yield _finding(code, document, inner, f"the other is {other}")


def edges(text: str, span: Span, group: str) -> Iterator[str]:
    """Codes of what is wrong with the ends of one annotation, whose label is of a group of the taxonomy."""
    covered = text[span.start : span.end]
    if covered[0].isspace() or covered[-1].isspace():
        yield "blank_edge"
    elif _punctuated(covered):
        yield "punctuation_edge"
    # Ages end where a sex or a suffix begins: `fiftyF`, `ninetyish`.
    age = group == "AGE" and text[span.end - 1].isalpha()
    if _inside_word(text, span.start) or (not age and _inside_word(text, span.end)):
        yield "half_word"
    if len(covered) > LONGEST:
        yield "very_long"
    if _PARAGRAPH.search(covered):
        yield "spans_paragraphs"


def _punctuated(covered: str) -> bool:
    first, last = covered[0], covered[-1]
    if first in _NEVER_FIRST or last in _NEVER_LAST:
        return True
    for opening, closing in zip(_OPENING, _CLOSING, strict=True):
        if (first == opening and closing not in covered) or (last == closing and opening not in covered):
            return True
    return bool(_STOPPED.search(covered)) and "." not in covered[:-1]


def _inside_word(text: str, at: int) -> bool:
    """Whether a cut parts two letters, two digits, or a letter from its mark; `67F` and `45kg` may be cut."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if _UNSPACED.match(before) or _UNSPACED.match(after):
        return False
    marked = regex.match(r"\p{M}", after) is not None and before.isalpha()
    return marked or (before.isalpha() and after.isalpha()) or (before.isdecimal() and after.isdecimal())


def overlaps(spans: tuple[Span, ...]) -> Iterator[tuple[Span, Span, str]]:
    """Pairs of neighbours that share characters, the one told of first, and how they lie."""
    ordered = sorted(spans, key=lambda span: (span.start, -span.end, span.label))
    reaching = ordered[0] if ordered else None
    for previous, span in pairwise(ordered):
        assert reaching is not None
        if (span.start, span.end) == (previous.start, previous.end):
            yield span, previous, "two_labels"
        elif span.start < reaching.end:
            yield span, reaching, "nested" if span.end <= reaching.end else "crossing"
        reaching = max(reaching, span, key=lambda one: one.end)


def _finding(code: str, document: Document, span: Span, detail: str = "") -> Finding:
    return Finding(code, document.id, span.start, span.end, span.label, detail=detail)
