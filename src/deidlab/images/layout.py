"""Words on a page as one text: lines in reading order, every character known by the symbol that it was read as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from deidlab.images.geometry import Box, around
from deidlab.images.words import Symbol, Word

Line = list[Word]
_APART = 1.5  # heights of bare ground between words that begin another column or cell
_PROSE = 4.0  # words a line from which a column is text to be read down, not a cell to be read across


@dataclass(frozen=True)
class Layout:
    """The text of a page, and for each of its characters the number of its symbol, -1 for blanks and line ends.

    `lines` gives each symbol the number of its line.
    """

    text: str = field(repr=False)
    owners: np.ndarray  # (characters,) int32
    symbols: tuple[Symbol, ...]
    lines: np.ndarray  # (symbols,) int32

    def symbols_of(self, start: int, end: int) -> np.ndarray:
        """Numbers of the symbols that characters `start` to `end` were read as, in order."""
        owners = self.owners[start:end]
        return np.unique(owners[owners >= 0])


def arranged(words: Iterable[Word]) -> Layout:
    """Lay out words: blanks between words, two where a cell or column ends, a line end after each line."""
    text: list[str] = []
    owners: list[int] = []
    symbols: list[Symbol] = []
    line_of: list[int] = []

    def write(shown: str, owner: int) -> None:
        text.append(shown)
        owners.extend([owner] * len(shown))

    for number, line in enumerate(in_reading_order(lines(words))):
        if number:
            write("\n", -1)
        before: Box | None = None
        for word in line:
            box = word.box
            if before is not None:
                write("  " if box.left - before.right > _APART * max(box.height, before.height) else " ", -1)
            for symbol in word.symbols:
                write(symbol.text, len(symbols))
                symbols.append(symbol)
                line_of.append(number)
            before = box
    return Layout("".join(text), np.array(owners, np.int32), tuple(symbols), np.array(line_of, np.int32))


def lines(words: Iterable[Word]) -> list[Line]:
    """Words that stand side by side, from left to right; the lines from top to bottom.

    A word joins the line whose last word it shares most of its height with: neighbours are compared, so a line may
    bend or fall.
    """
    found: list[Line] = []
    ends: list[Box] = []
    for word in sorted(words, key=lambda w: w.box.left):
        box = word.box
        best, most = -1, 0.5
        for i, end in enumerate(ends):
            shared = min(end.bottom, box.bottom) - max(end.top, box.top)
            share = shared / max(min(end.height, box.height), 1e-6)
            if share > most and end.right - box.left < 0.5 * box.width:
                best, most = i, share
        if best < 0:
            found.append([word])
            ends.append(box)
        else:
            found[best].append(word)
            ends[best] = box
    return sorted(found, key=lambda line: np.mean([(w.box.top + w.box.bottom) / 2 for w in line]))


def in_reading_order(rows: Sequence[Line]) -> list[Line]:
    """Rows of a page, those parts read down first that are columns of prose; cells of a form stay side by side."""
    ordered: list[Line] = []
    start = 0
    while start < len(rows):
        end, cut = _columns(rows, start)
        if cut is None:
            ordered.append(rows[start])
            start += 1
            continue
        left = [[w for w in row if w.box.right <= cut] for row in rows[start:end]]
        right = [[w for w in row if w.box.right > cut] for row in rows[start:end]]
        ordered += [row for row in left if row]
        ordered += in_reading_order([row for row in right if row])
        start = end
    return ordered


def _columns(rows: Sequence[Line], start: int) -> tuple[int, float | None]:
    """Where rows end that from `start` on share a corridor of bare ground, and its middle, if they are columns."""
    corridors = _gaps(rows[start])
    end = start + 1
    while end < len(rows):
        shared = _narrowed(corridors, _gaps(rows[end]))
        if not shared:
            break
        corridors, end = shared, end + 1
    for low, high in corridors if end - start >= 3 else ():
        cut = (low + high) / 2
        left = [[w for w in row if w.box.right <= cut] for row in rows[start:end]]
        right = [[w for w in row if w.box.right > cut] for row in rows[start:end]]
        if _prose(left) and _prose(right):
            return end, cut
    return start + 1, None


def _prose(side: Sequence[Line]) -> bool:
    """Whether the parts of rows on one side of a corridor are lines of a text."""
    parts = [part for part in side if part]
    return len(parts) >= 3 and sum(map(len, parts)) / len(parts) >= _PROSE


def _gaps(row: Line) -> list[tuple[float, float]]:
    """Bare ground between the words of a row that may part columns; all to the right of it as well."""
    found = [
        (a.box.right, b.box.left)
        for a, b in pairwise(row)
        if b.box.left - a.box.right > _APART * max(a.box.height, b.box.height)
    ]
    whole = around(word.box for word in row)
    return [(-np.inf, whole.left), *found, (whole.right, np.inf)]


def _narrowed(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What corridors have in common, those at the margins left out."""
    shared = [(max(a, c), min(b, d)) for a, b in ours for c, d in theirs]
    return [(a, b) for a, b in shared if b - a > 1 and np.isfinite(a) and np.isfinite(b)]
