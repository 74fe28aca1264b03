"""Where symbols begin and end: an engine knows about where each one is, the ink tells the rest.

Recognisers place a symbol to within several pixels. The cut between two symbols is put where there is least ink
between their centres, so that a box that ends inside of a word ends between two letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_INK = 0.3  # of the strongest contrast to the background


def ink_of(strip: np.ndarray) -> np.ndarray:
    """Where there is ink, (height, width) bool: pixels that differ from the commonest grey, darker or lighter."""
    values = strip.astype(np.int16)
    contrast = np.abs(values - np.median(values))
    return contrast > max(_INK * np.percentile(contrast, 99.5), 12)


def extents(ink: np.ndarray, centres: Sequence[float]) -> np.ndarray:
    """Left and right of each symbol, (symbols, 2), from the ink of a line and about where its symbols are.

    `centres` ascend. Neighbours share an edge unless there is bare ground between them.
    """
    columns = ink.sum(axis=0)
    cuts = [0, *(_cut(columns, a, b) for a, b in pairwise(centres)), len(columns)]
    found = np.empty((len(centres), 2))
    for i, (first, last) in enumerate(pairwise(cuts)):
        inked = np.flatnonzero(columns[first:last])
        found[i] = (first + inked[0], first + inked[-1] + 1) if len(inked) else (first, last)
    return found


def _cut(columns: np.ndarray, a: float, b: float) -> int:
    """The column of least ink between two centres, the one in the middle where there are several."""
    first, last = int(a), max(int(np.ceil(b)), int(a) + 1)
    between = columns[first : last + 1]
    if not len(between):
        return min(first, len(columns))
    least = np.flatnonzero(between == between.min())
    return first + int(least[np.argmin(np.abs(least - (last - first) / 2))])


def rows(ink: np.ndarray) -> tuple[int, int]:
    """Top and bottom of the ink; all of it where there is none."""
    inked = np.flatnonzero(ink.any(axis=1))
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, ink.shape[0])


def runs(ink: np.ndarray) -> np.ndarray:
    """Left and right of each stretch of columns that have ink, (stretches, 2)."""
    inked = np.concatenate([[False], ink.any(axis=0), [False]])
    return np.flatnonzero(inked[1:] != inked[:-1]).reshape(-1, 2).astype(float)
