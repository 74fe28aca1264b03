"""What was read on a page: symbols with their boxes, words, and places that look like text and could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deidlab.images.geometry import Box, around

TEXT_LAYER = "text layer"  # the source of a reading that no engine made


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


def as_lists(reading: Reading) -> dict[str, Any]:
    """A reading as JSON takes it; it holds the text that was read."""
    words = [[(s.text, *edges(s.box), float(s.confidence)) for s in word.symbols] for word in reading.words]
    unread = [edges(box) for box in reading.unread]
    return {"source": reading.source, "words": words, "unread": unread, "to_page": reading.to_page.tolist()}


def from_lists(content: Mapping[str, Any]) -> Reading:
    """The reading that `as_lists` was given."""
    words = (
        Word(tuple(Symbol(text, Box(*box), confidence) for text, *box, confidence in word)) for word in content["words"]
    )
    unread = tuple(Box(*box) for box in content["unread"])
    return Reading(content["source"], tuple(words), unread, np.array(content["to_page"]))


def edges(box: Box) -> tuple[float, float, float, float]:
    return float(box.left), float(box.top), float(box.right), float(box.bottom)
