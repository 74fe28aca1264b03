"""What was read on a page: symbols with their boxes, words, and places that look like text and could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from deidlab.images.geometry import Box, around


@dataclass(frozen=True, slots=True)
class Symbol:
    """A character as it was read (or a ligature: several), its box, and a confidence from 0 to 1."""

    text: str = field(repr=False)
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """Symbols without a blank between them; at least one."""

    symbols: tuple[Symbol, ...]

    @property
    def text(self) -> str:
        return "".join(symbol.text for symbol in self.symbols)

    @property
    def box(self) -> Box:
        return around(symbol.box for symbol in self.symbols)

    @property
    def confidence(self) -> float:
        return sum(symbol.confidence for symbol in self.symbols) / len(self.symbols)


@dataclass(frozen=True)
class Reading:
    """What one engine read on one page.

    Boxes lie in the frame of the picture it was shown; `to_page` (3 x 3) leads from there to the page's pixels.
    `unread` are places that look like text in which nothing was recognised.
    """

    source: str
    words: tuple[Word, ...]
    unread: tuple[Box, ...] = ()
    to_page: np.ndarray = field(default_factory=lambda: np.eye(3))
