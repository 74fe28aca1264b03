"""Synthetic notes as pages: scans, letters, faxes, photographs, forms, screens, with the gold box of every glyph."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from deidlab.images.geometry import moved
from deidlab.images.rendering.sheet import Sheet, font_of, lines_in, quads_of
from deidlab.images.rendering.wear import Wear, worn
from deidlab.types import Document

_MARGIN = 60  # pixels


@dataclass(frozen=True)
class Rendered:
    """A page and the truth about it.

    `pixels` are (height, width) uint8; glyph `i` is character `places[i]` of the document's text and its ink lies in
    `quads[i]`, (4, 2) corners in pixels.
    """

    document: Document
    pixels: np.ndarray
    places: np.ndarray
    quads: np.ndarray


@dataclass(frozen=True)
class Condition:
    """How a note is set (`setting`), and what happens to the page."""

    setting: Callable[[Document, random.Random], Sheet]
    wear: Wear = field(default_factory=Wear)


def rendered(document: Document, condition: Condition, seed: str) -> Rendered:
    """A note on a page; the same for the same seed."""
    rng = random.Random(f"{seed} {document.id}")
    sheet = condition.setting(document, rng)
    pixels, matrix = worn(np.asarray(sheet.image), condition.wear, np.random.default_rng(rng.randrange(2**32)))
    quads = quads_of(sheet)
    return Rendered(
        document, pixels, np.array(sheet.places, np.int32), moved(quads.reshape(-1, 2), matrix).reshape(quads.shape)
    )


def shortened(document: Document, words: int, spans: int = 3) -> Document | None:
    """The first lines of a note: at least so many words and spans; None where the whole note has fewer spans.

    Only spans that lie within these lines whole are kept, and a line that cuts one is not the last.
    """
    end = 0
    for start, line in lines_in(document.text):
        end = start + len(line)
        inside = [s for s in document.spans if s.end <= end]
        cut = any(s.start < end < s.end for s in document.spans)
        if len(document.text[:end].split()) >= words and len(inside) >= spans and not cut:
            break
    inside = [s for s in document.spans if s.end <= end]
    if len(inside) < spans:
        return None
    return replace(document, text=document.text[:end], spans=tuple(inside))


def _trimmed(sheet: Sheet, bottom: float) -> Sheet:
    """The sheet cut below its text: paper without writing takes time and tells nothing."""
    sheet.image = sheet.image.crop((0, 0, sheet.width, min(int(bottom) + _MARGIN, sheet.height)))
    return sheet


def plain(document: Document, rng: random.Random) -> Sheet:
    """A typed page, A4 or letter at about 120 to 150 dots an inch."""
    font = font_of(rng.choice(("sans", "serif", "mono", "times")), rng.choice((18, 20, 22, 24)))
    sheet = Sheet(1100, 3000)
    y = float(_MARGIN)
    for first, line in lines_in(document.text):
        y = sheet.paragraph(line, first, _MARGIN, y, sheet.width - 2 * _MARGIN, font, rng.choice((0, 0, 40)))
    return _trimmed(sheet, y)


def small(document: Document, rng: random.Random) -> Sheet:
    """The same at a low resolution."""
    font = font_of(rng.choice(("sans", "serif", "times")), rng.choice((13, 14, 15)))
    sheet = Sheet(760, 2000)
    y = float(_MARGIN // 2)
    for first, line in lines_in(document.text):
        y = sheet.paragraph(line, first, _MARGIN // 2, y, sheet.width - _MARGIN, font)
    return _trimmed(sheet, y)


def letter(document: Document, rng: random.Random) -> Sheet:
    """A letter under a rule and a heading that names nobody."""
    font, heading = font_of(rng.choice(("serif", "times")), rng.choice((20, 22))), font_of("bold", 26)
    sheet = Sheet(1100, 3000)
    sheet.word("Private and confidential", None, _MARGIN, 40, heading)
    sheet.draw.line((_MARGIN, 84, sheet.width - _MARGIN, 84), fill=60, width=2)
    y = 110.0
    for first, line in lines_in(document.text):
        y = sheet.paragraph(line, first, _MARGIN, y, sheet.width - 2 * _MARGIN, font, leading=1.5)
    return _trimmed(sheet, y)


def form(document: Document, rng: random.Random) -> Sheet:
    """A ruled form: a row for each line, what stands before a colon in a cell of its own."""
    font, side = font_of(rng.choice(("sans", "serif")), rng.choice((17, 19))), 300
    sheet = Sheet(1100, 3600)
    y = 40.0
    for first, line in lines_in(document.text):
        if not line.strip():
            continue
        top, colon = y, line.find(":")
        below = y
        if 0 < colon <= 24:
            below = sheet.paragraph(line[: colon + 1], first, _MARGIN + 8, y + 8, side - 16, font)
            line, first = line[colon + 1 :], first + colon + 1
        right = sheet.width - _MARGIN
        y = max(below, sheet.paragraph(line, first, _MARGIN + side + 8, y + 8, right - side - _MARGIN - 16, font)) + 4
        sheet.draw.rectangle((_MARGIN, top, right, y), outline=120)
        sheet.draw.line((_MARGIN + side, top, _MARGIN + side, y), fill=120)
    return _trimmed(sheet, y)


def columns(document: Document, rng: random.Random) -> Sheet:
    """Two columns of text, the second half beside the first."""
    font, wide = font_of(rng.choice(("serif", "times")), 19), 500
    sheet = Sheet(1200, 3000)
    lines = list(lines_in(document.text))
    half, x, y, lowest = len(document.text) / 2, 60.0, 60.0, 60.0
    for first, line in lines:
        if x == 60 and first > half:
            x, y = 640.0, 60.0
        y = sheet.paragraph(line, first, x, y, wide, font)
        lowest = max(lowest, y)
    return _trimmed(sheet, lowest)


def screen(document: Document, rng: random.Random, dark: bool = False) -> Sheet:
    """A window of a record system: small letters, panels, buttons."""
    ground, ink, panel = (28, 225, 55) if dark else (248, 20, 215)
    font = font_of(rng.choice(("sans", "mono")), rng.choice((14, 15, 16)))
    sheet = Sheet(1000, 2400, ground)
    sheet.draw.rectangle((0, 0, sheet.width, 34), fill=panel)
    at = 16.0
    for label in ("File", "View", "Orders", "Results", "Help"):
        sheet.word(label, None, at, 9, font_of("sans", 14), ink)
        at += 80
    y = 52.0
    for first, line in lines_in(document.text):
        y = sheet.paragraph(line, first, 24, y, sheet.width - 48, font, ink, leading=1.45)
    return _trimmed(sheet, y)


def dark_screen(document: Document, rng: random.Random) -> Sheet:
    return screen(document, rng, dark=True)


CONDITIONS: Mapping[str, Condition] = {
    "clean scan": Condition(plain),
    "scan": Condition(plain, Wear(skew=2, blur=0.6, noise=8)),
    "stamped scan": Condition(plain, Wear(skew=1, blur=0.6, noise=8, stamp=True)),
    "poor scan": Condition(small, Wear(skew=2, blur=0.8, noise=14, specks=0.002, jpeg=50)),
    "fax": Condition(plain, Wear(skew=1, blur=0.7, noise=20, specks=0.001, bilevel=True)),
    "photographed letter": Condition(letter, Wear(skew=2, tilt=0.015, blur=0.9, noise=6, shade=0.4, jpeg=60)),
    "turned scan": Condition(plain, Wear(skew=1, blur=0.5, noise=6, turns=1)),
    "form": Condition(form, Wear(skew=0.6, blur=0.4, noise=6)),
    "two columns": Condition(columns, Wear(blur=0.4, noise=5)),
    "screen": Condition(screen),
    "dark screen": Condition(dark_screen, Wear(jpeg=80)),
}  # fmt: skip
