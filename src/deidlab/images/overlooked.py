"""Rows of letters that an engine did not see: a stamp across a line, say, makes a detector drop the line whole.

Ink is judged by its shape alone: pieces as high as letters, side by side, on ground that is bare above and below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from deidlab.images.geometry import Box, around
from deidlab.images.preparing import glyph_height

_STRONG = (0.65, 0.4)  # of the strongest contrast to the ground: ink that outdoes a stamp's, and paler ink
_LETTERS = 3  # pieces side by side that make a row
_HIGH = (0.5, 2.4)  # times the usual height of letters
_WIDE = 4.0  # times that height: several letters that touch
_BESIDE = 1.5  # times that height: the widest blank inside of a row
_BARE = 0.25  # of the density of ink in a row: more above or below it, and it is a texture


def overlooked(pixels: np.ndarray, seen: Sequence[Box]) -> list[Box]:
    """Boxes of rows of letters that lie in none of the boxes that were `seen`; dark on light, (height, width) uint8."""
    usual = glyph_height(pixels)
    found: list[Box] = []
    for strong in _STRONG if usual else ():
        ink = strong_ink(pixels, usual, strong)
        pieces, letters = _pieces(ink, usual)
        known = _within([*seen, *found], pixels.shape)
        new = [box for box in pieces if not known[int(box.top + box.height / 2), int(box.left + box.width / 2)]]
        found += [row for row in rows_of(new, usual) if _stands_free(row, letters, usual)]
    return found


def strong_ink(pixels: np.ndarray, usual: float, strong: float) -> np.ndarray:
    """Where there is ink, (height, width) bool; the ground is what letters of the usual height do not reach over."""
    import cv2

    reach = int(3 * usual) | 1
    ground = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    contrast = ground.astype(np.int16) - pixels
    return contrast > max(strong * np.percentile(contrast, 99.5), 24)


def _pieces(ink: np.ndarray, usual: float) -> tuple[list[Box], np.ndarray]:
    """Connected ink that may be letters, and all ink but what is larger than these."""
    import cv2

    _, labels, found, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    left, top, width, height, _ = found.T
    small = (height <= _HIGH[1] * usual) & (width <= _WIDE * usual)
    small[0] = False  # the ground
    edges = np.stack([left, top, left + width, top + height], axis=1)
    return [Box(*edge) for edge in edges[small & (height >= _HIGH[0] * usual)].tolist()], small[labels]


def _within(boxes: Sequence[Box], shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for box in boxes:
        slack = 0.25 * box.height
        mask[_from(box.top - slack) : int(box.bottom + slack) + 1, _from(box.left) : int(box.right) + 1] = True
    return mask


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
