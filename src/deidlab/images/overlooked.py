"""Rows of letters that an engine did not see: a stamp across a line, say, makes a detector drop the line whole.

Ink is judged by its shape alone: pieces as high as letters, side by side, on ground that is bare above and below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from deidlab.images.geometry import Box, around
from deidlab.images.preparing import glyph_height

_STRONG = 0.5  # of the strongest contrast to the ground around: ink; stamps and shadows are weaker
_LETTERS = 3  # pieces side by side that make a row
_HIGH = (0.5, 2.4)  # times the usual height of letters
_WIDE = 4.0  # times that height: several letters that touch
_BESIDE = 1.5  # times that height: the widest blank inside of a row
_BARE = 0.25  # of the density of ink in a row: more above or below it, and it is a texture


def overlooked(pixels: np.ndarray, seen: Sequence[Box]) -> list[Box]:
    """Boxes of rows of letters that lie in none of the boxes that were `seen`; dark on light, (height, width) uint8."""
    import cv2

    usual = glyph_height(pixels)
    if not usual:
        return []
    ink = strong_ink(pixels, usual)
    _, _, found, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    known = np.zeros(pixels.shape, bool)
    for box in seen:
        slack = 0.25 * box.height
        known[_from(box.top - slack) : int(box.bottom + slack) + 1, _from(box.left) : int(box.right) + 1] = True
    pieces = []
    for left, top, width, height, _ in found[1:].tolist():
        if not (_HIGH[0] * usual <= height <= _HIGH[1] * usual and width <= _WIDE * usual):
            continue
        if not known[top + height // 2, left + width // 2]:
            pieces.append(Box(left, top, left + width, top + height))
    return [row for row in rows_of(pieces, usual) if _stands_free(row, ink, usual)]


def strong_ink(pixels: np.ndarray, usual: float) -> np.ndarray:
    """Where there is ink, (height, width) bool; the ground is what letters of the usual height do not reach over."""
    import cv2

    reach = int(3 * usual) | 1
    ground = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    contrast = ground.astype(np.int16) - pixels
    return contrast > max(_STRONG * np.percentile(contrast, 99.5), 24)


def rows_of(pieces: Sequence[Box], usual: float) -> Iterator[Box]:
    """The boxes around pieces that stand side by side; a piece joins the row whose last one is at its height."""
    rows: list[list[Box]] = []
    for piece in sorted(pieces, key=lambda box: box.left):
        for row in rows:
            last = row[-1]
            shared = min(last.bottom, piece.bottom) - max(last.top, piece.top)
            if piece.left - last.right <= _BESIDE * usual and shared >= 0.5 * min(last.height, piece.height):
                row.append(piece)
                break
        else:
            rows.append([piece])
    for row in rows:
        if len(row) >= _LETTERS:
            yield around(row).padded(0.3 * usual, 0.2 * usual)


def _stands_free(row: Box, ink: np.ndarray, usual: float) -> bool:
    """Whether the ground above and below a row is bare, as it is between lines and not in a texture."""
    margin = max(0.3 * usual, 2)
    left, right = _from(row.left), int(row.right) + 1
    inside = ink[_from(row.top) : int(row.bottom) + 1, left:right].mean()
    beside = [
        ink[_from(row.top - margin) : _from(row.top), left:right],
        ink[int(row.bottom) + 1 : int(row.bottom + margin) + 1, left:right],
    ]
    return all(band.mean() <= _BARE * inside for band in beside if band.size)


def _from(edge: float) -> int:
    return max(int(edge), 0)
