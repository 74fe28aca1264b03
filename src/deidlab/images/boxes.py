"""From spans of a page's text to boxes on the page, exact to the symbol, and from boxes to the pixels they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deidlab.images.geometry import Box, around, moved
from deidlab.images.layout import Layout
from deidlab.images.words import Reading, Symbol
from deidlab.types import ConfigError

_CLOSE = 0.2  # heights between a word and a mark that is set to it


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
            before, behind = _beside(layout, on_line[0], -1), _beside(layout, on_line[-1], 1)
            if before and _touches(before, box):
                box = replace(box, left=min(box.left, before.box.middle[0]))
            if behind and _touches(behind, box):
                box = replace(box, right=max(box.right, behind.box.middle[0]))
            bare = (
                box.left - before.box.right if before else np.inf,
                behind.box.left - box.right if behind else np.inf,
            )
            found.append(covering.padded(box, *bare))
    return found


def _beside(layout: Layout, symbol: int, step: int) -> Symbol | None:
    """The symbol before or behind another on its line."""
    i = symbol + step
    inside = 0 <= i < len(layout.symbols) and layout.lines[i] == layout.lines[symbol]
    return layout.symbols[i] if inside else None


def _touches(mark: Symbol, box: Box) -> bool:
    """Whether a neighbour is a mark set close to a word; where one ends and the other begins is then least certain, and
    half of the mark is covered too."""
    apart = max(mark.box.left - box.right, box.left - mark.box.right)
    return not mark.text.isalnum() and apart < _CLOSE * box.height


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
