"""Where symbols begin and end: an engine knows about where each one is, the ink tells the rest.

Recognisers place a symbol to within half its width, often too far to the right. Words end where the ground is bare
longest; inside of a word each stretch of ink is a symbol where the numbers agree, else the cuts fall where there is
least ink between the centres, so that a box that ends inside of a word ends between two letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_INK = 0.3  # of the strongest contrast to the background
STRONG = 0.6  # of it: ink that outdoes a stamp's
_BARE = 0.05  # of the height: columns with less ink are bare, whatever specks they have
_COVERED = 0.25  # heights by which a gap in strong ink is longer where paler ink hides it
_EARLY, _LATE = 0.3, 0.15  # heights by which a gap may begin before, and end behind, the centres that it parts


def ink_of(strip: np.ndarray, least: float = _INK) -> np.ndarray:
    """Where there is ink, (height, width) bool: pixels that differ from the commonest grey, darker or lighter, by at
    least this share of the strongest contrast."""
    values = strip.astype(np.int16)
    contrast = np.abs(values - np.median(values))
    return contrast > max(least * np.percentile(contrast, 99.5), 12)


def rows(ink: np.ndarray) -> tuple[int, int]:
    """Top and bottom of the ink; all of it where there is none."""
    inked = np.flatnonzero(ink.any(axis=1))
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, ink.shape[0])


def placed(ink: np.ndarray, words: Sequence[Sequence[float]], strong: np.ndarray | None = None) -> list[np.ndarray]:
    """Left and right of each symbol of a line, a (symbols, 2) array for each word.

    `ink` is (height, width) bool; `words` are about the centres of their symbols, pixels from the left, ascending.
    `strong` ink tells where the other has no bare ground between words, as under a stamp.
    """
    columns = _columns(ink)
    darker = columns if strong is None else _columns(strong)
    edges = [(0, 0), *(_gap((columns, darker), a[-1], b[0], ink.shape[0]) for a, b in pairwise(words))]
    edges.append((len(columns), len(columns)))
    found = []
    for ((_, start), (end, _)), centres in zip(pairwise(edges), words, strict=True):
        start, end = min(start, len(columns) - 1), max(end, start + 1)
        found.append(start + _in_word((columns[start:end], darker[start:end]), np.asarray(centres) - start))
    return found


def _columns(ink: np.ndarray) -> np.ndarray:
    columns = ink.sum(axis=0)
    columns[columns <= _BARE * ink.shape[0]] = 0
    return columns


def _gap(inks: Sequence[np.ndarray], a: float, b: float, height: int) -> tuple[int, int]:
    """Where the bare ground between two words begins and ends: the longest stretch near the centres at its sides."""
    first = max(int(a - _EARLY * height), 0)
    last = min(int(np.ceil(max(b, a) + _LATE * height)) + 1, len(inks[0]))
    (start, end), (from_strong, to_strong) = (_longest(columns[first:last] == 0) for columns in inks)
    if to_strong - from_strong > end - start + _COVERED * height:
        start, end = from_strong, to_strong
    if start == end:
        cut = _cut(inks[0], a, b)
        return cut, cut
    return first + start, first + end


def _longest(true: np.ndarray) -> tuple[int, int]:
    found = stretches(true)
    if not len(found):
        return 0, 0
    start, end = found[np.argmax(found[:, 1] - found[:, 0])].tolist()
    return start, end


def _in_word(inks: Sequence[np.ndarray], centres: np.ndarray) -> np.ndarray:
    """Left and right of the symbols of a word, from the ink in its columns."""
    columns = inks[0]
    for ink in inks:
        if len(inked := stretches(ink > 0)) == len(centres):
            return inked.astype(float)
    inked = stretches(columns > 0)
    if len(inked):  # centres that all lie too far to one side are moved back
        middle = (inked[0, 0] + inked[-1, 1]) / 2
        late = (centres[0] + centres[-1]) / 2 - middle
        centres = centres - np.clip(late, -len(columns) / 4, len(columns) / 4)
    cuts = [0, *(_cut(columns, a, b) for a, b in pairwise(centres)), len(columns)]
    found = np.empty((len(centres), 2))
    for i, (first, last) in enumerate(pairwise(cuts)):
        own = np.flatnonzero(columns[first:last])
        found[i] = (first + own[0], first + own[-1] + 1) if len(own) else (first, last)
    return found


def _cut(columns: np.ndarray, a: float, b: float) -> int:
    """The column of least ink between two centres, the one in the middle where there are several."""
    first = int(np.clip(a, 0, len(columns)))
    last = int(np.clip(np.ceil(b), first + 1, len(columns) + 1))
    between = columns[first : last + 1]
    if not len(between):
        return first
    least = np.flatnonzero(between == between.min())
    return first + int(least[np.argmin(np.abs(least - (last - first) / 2))])


def stretches(true: np.ndarray) -> np.ndarray:
    """Begin and end of each run of true values, (runs, 2)."""
    padded = np.concatenate([[False], true, [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
