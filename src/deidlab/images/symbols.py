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
_BARE = 0.05  # of the height: columns with less ink are bare, whatever specks they have
_EARLY, _LATE = 0.3, 0.15  # heights by which a gap may begin before, and end behind, the centres that it parts


def ink_of(strip: np.ndarray) -> np.ndarray:
    """Where there is ink, (height, width) bool: pixels that differ from the commonest grey, darker or lighter."""
    values = strip.astype(np.int16)
    contrast = np.abs(values - np.median(values))
    return contrast > max(_INK * np.percentile(contrast, 99.5), 12)


def rows(ink: np.ndarray) -> tuple[int, int]:
    """Top and bottom of the ink; all of it where there is none."""
    inked = np.flatnonzero(ink.any(axis=1))
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, ink.shape[0])


def placed(ink: np.ndarray, words: Sequence[Sequence[float]]) -> list[np.ndarray]:
    """Left and right of each symbol of a line, a (symbols, 2) array for each word.

    `ink` is (height, width) bool; `words` are about the centres of their symbols, pixels from the left, ascending.
    """
    columns = ink.sum(axis=0)
    columns[columns <= _BARE * ink.shape[0]] = 0
    edges = [(0, 0), *(_gap(columns, a[-1], b[0], ink.shape[0]) for a, b in pairwise(words))]
    edges.append((len(columns), len(columns)))
    found = []
    for ((_, start), (end, _)), centres in zip(pairwise(edges), words, strict=True):
        start, end = min(start, len(columns) - 1), max(end, start + 1)
        found.append(start + _in_word(columns[start:end], np.asarray(centres) - start))
    return found


def _gap(columns: np.ndarray, a: float, b: float, height: int) -> tuple[int, int]:
    """Where the bare ground between two words begins and ends: the longest stretch near the centres at its sides."""
    first = max(int(a - _EARLY * height), 0)
    last = min(int(np.ceil(max(b, a) + _LATE * height)) + 1, len(columns))
    bare = stretches(columns[first:last] == 0)
    if not len(bare):
        cut = _cut(columns, a, b)
        return cut, cut
    start, end = bare[np.argmax(bare[:, 1] - bare[:, 0])]
    return first + int(start), first + int(end)


def _in_word(columns: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Left and right of the symbols of a word, from the ink in its columns."""
    inked = stretches(columns > 0)
    if len(inked) == len(centres):
        return inked.astype(float)
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
