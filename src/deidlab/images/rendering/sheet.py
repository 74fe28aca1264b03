"""A blank sheet on which text is set, every glyph remembered with the box of its ink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

FONTS = {
    "sans": "DejaVuSans.ttf",
    "serif": "DejaVuSerif.ttf",
    "mono": "DejaVuSansMono.ttf",
    "times": "STIXGeneral.ttf",
    "bold": "DejaVuSans-Bold.ttf",
}


@lru_cache(maxsize=64)
def font_of(name: str, size: int) -> Any:
    """One of the fonts that come with matplotlib, which every installation has; `size` in pixels."""
    import matplotlib
    from PIL import ImageFont

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FONTS[name]
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


@dataclass
class Sheet:
    """A grey page under the pen. `places` are characters of the text, `boxes` where the ink of each of them lies."""

    width: int
    height: int
    ground: int = 255
    places: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        from PIL import Image, ImageDraw

        self.image = Image.new("L", (self.width, self.height), self.ground)
        self.draw = ImageDraw.Draw(self.image)

    def word(self, text: str, first: int | None, x: float, y: float, font: Any, ink: int = 0) -> None:
        """Set a word; `first` is the place of its first character in the text, None for what is not of it."""
        self.draw.text((x, y), text, font=font, fill=ink)
        if first is None:
            return
        for i, ch in enumerate(text):
            left, top, right, bottom = font.getbbox(ch)
            at = x + font.getlength(text[: i + 1]) - font.getlength(ch)
            if right > left and bottom > top:
                self.places.append(first + i)
                self.boxes.append((at + left, y + top, at + right, y + bottom))

    def paragraph(
        self, text: str, first: int, x: float, y: float, width: float, font: Any, ink: int = 0, leading: float = 1.35
    ) -> float:
        """Set a line of text, broken at blanks to a width; gives the y below it. Blanks keep their number of places."""
        blank, down = font.getlength(" "), leading * font.size
        at = x
        for offset, word in words_in(text):
            wide = font.getlength(word)
            if at > x and at + wide > x + width:
                at, y = x, y + down
            self.word(word, first + offset, at, y, font, ink)
            at += wide + blank
        return y + down


def words_in(text: str) -> Iterator[tuple[int, str]]:
    """The words of a line with their places."""
    at = 0
    for word in text.split(" "):
        if word:
            yield at, word
        at += len(word) + 1


def lines_in(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their places."""
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def quads_of(sheet: Sheet) -> np.ndarray:
    """(glyphs, 4, 2) corners of the boxes of a sheet, clockwise from the left top."""
    boxes = np.array(sheet.boxes, dtype=float).reshape(-1, 4)
    return boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
