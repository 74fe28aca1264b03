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
    """How generously is covered: `padding` is in heights of the line, `least_padding` in pixels of what was read.

    Words read with less than `least_confidence`, and places that look like text in which nothing was read, are covered
    whatever they say; `unreadable` false passes them.
    """

    padding: float = 0.12
    least_padding: float = 2.0
    least_confidence: float = 0.55
    unreadable: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.least_confidence <= 1:
            raise ConfigError(f"least_confidence is {self.least_confidence}; expected 0 to 1")
        if self.padding < 0 or self.least_padding < 0:
            raise ConfigError("padding is below 0: boxes would be smaller than what they cover")

    def padded(self, box: Box) -> Box:
        pad = max(self.least_padding, self.padding * min(box.height, box.width))
        return box.padded(pad, pad)


def boxes_of(layout: Layout, ranges: Iterable[tuple[int, int]], covering: Covering) -> list[Box]:
    """Padded boxes over ranges of characters: one for each line that a range touches, from its first symbol to its
    last."""
    found = []
    for start, end in ranges:
        symbols = layout.symbols_of(start, end)
        for line in np.unique(layout.lines[symbols]):
            on_line = symbols[layout.lines[symbols] == line]
            found.append(covering.padded(around(layout.symbols[i].box for i in on_line)))
    return found


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
