"""From spans of a page's text to boxes on the page, exact to the symbol, and from boxes to the pixels they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.images.geometry import Box, around, moved
from deidlab.images.layout import Layout
from deidlab.images.words import Reading
from deidlab.types import ConfigError


@dataclass(frozen=True)
class Covering:
    """How generously is covered, in heights of the line; `least_padding` in pixels of what was read.

    A box reaches `padding` beyond its symbols, and up to `reach` to the sides where the ground is bare: half of the way
    to the next symbol. Words read with less than `least_confidence`, and places that look like text in which nothing
    was read, are covered whatever they say; `unreadable` false passes them.
    """

    padding: float = 0.12
    reach: float = 0.3
    least_padding: float = 2.0
    least_confidence: float = 0.55
    unreadable: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.least_confidence <= 1:
            raise ConfigError(f"least_confidence is {self.least_confidence}; expected 0 to 1")
        if min(self.padding, self.reach, self.least_padding) < 0:
            raise ConfigError("padding is below 0: boxes would be smaller than what they cover")

    def padded(self, box: Box, before: float = 0.0, behind: float = 0.0) -> Box:
        """The box with its margins; `before` and `behind` are the widths of bare ground at its sides."""
        pad = max(self.least_padding, self.padding * min(box.height, 2 * box.width))
        left, right = (max(pad, min(ground / 2, self.reach * box.height)) for ground in (before, behind))
        return Box(box.left - left, box.top - pad, box.right + right, box.bottom + pad)


def boxes_of(layout: Layout, ranges: Iterable[tuple[int, int]], covering: Covering) -> list[Box]:
    """Padded boxes over ranges of characters: one for each line that a range touches, from its first symbol to its
    last."""
    found = []
    for start, end in ranges:
        symbols = layout.symbols_of(start, end)
        for line in np.unique(layout.lines[symbols]):
            on_line = symbols[layout.lines[symbols] == line]
            box = around(layout.symbols[i].box for i in on_line)
            found.append(covering.padded(box, *_ground(layout, on_line[0], on_line[-1], box)))
    return found


def _ground(layout: Layout, first: int, last: int, box: Box) -> tuple[float, float]:
    """How much ground is bare to the left and to the right of symbols on their line."""

    def beside(i: int) -> Box | None:
        inside = 0 <= i < len(layout.symbols) and layout.lines[i] == layout.lines[first]
        return layout.symbols[i].box if inside else None

    left, right = beside(first - 1), beside(last + 1)
    return box.left - left.right if left else np.inf, right.left - box.right if right else np.inf


def doubtful(reading: Reading, covering: Covering) -> list[Box]:
    """Padded boxes over what could not be read well enough to know that it names nobody."""
    if not covering.unreadable:
        return []
    doubted = [word.box for word in reading.words if word.confidence < covering.least_confidence]
    return [covering.padded(box) for box in (*doubted, *reading.unread)]


def mask_of(boxes: Sequence[Box], to_page: np.ndarray, height: int, width: int) -> np.ndarray:
    """The pixels of a page, (height, width) bool, that boxes in the frame of a reading cover.

    On a skewed page they are covered by slanting boxes, which spare the lines above and below.
    """
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    for box in boxes:
        points = moved(box.corners(), to_page)
        if _upright(points):  # outwards to whole pixels
            (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0)) - 1
            draw.rectangle((left, top, max(left, right), max(top, bottom)), fill=1)
        else:
            draw.polygon([tuple(point) for point in points.tolist()], fill=1, outline=1)
    return np.array(canvas, dtype=bool)


def _upright(points: np.ndarray) -> bool:
    """Whether corners are those of a rectangle whose sides run along rows and columns."""
    return all(len(np.unique(np.round(points[:, axis], 3))) <= 2 for axis in (0, 1))
