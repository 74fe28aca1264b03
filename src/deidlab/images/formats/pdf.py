"""PDF by PDFium: pages are drawn, covered, and bound again as pictures; no text layer, form or attachment is kept."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from deidlab.images.fill import filled
from deidlab.images.formats.source import Limits, Masks
from deidlab.images.geometry import Box, box_of, moved, quarter_turns
from deidlab.images.words import TEXT_LAYER, Reading, Symbol, Word
from deidlab.types import ConfigError, DataError

_POINTS = 72.0  # an inch
_LETTER = (612.0, 792.0)  # points; the size of a page that does not even tell its own


@dataclass(frozen=True)
class Pdf:
    """A PDF; its pages are drawn with their forms and annotations at `limits.dpi`.

    Raises `DataError` for one that is encrypted, damaged or empty.
    """

    path: Path
    limits: Limits = field(default_factory=Limits)
    known: tuple[str, ...] = field(default=(), repr=False)
    kind: str = "PDF"

    @cached_property
    def _document(self) -> Any:
        try:
            import pypdfium2
        except ImportError:
            raise ConfigError('PDFs need pypdfium2: pip install "deidlab[image]"') from None
        try:
            document = pypdfium2.PdfDocument(self.path)
        except FileNotFoundError:
            raise DataError(f"{self.path.name}: does not exist") from None
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise DataError(f"{self.path.name}: is encrypted; decrypt it first (qpdf --decrypt)") from None
            raise DataError(f"{self.path.name}: PDFium cannot open it; is it a whole PDF?") from None
        if document.get_formtype():
            document.init_forms()  # before any page is loaded, or their fields stay blank
        return document

    @cached_property
    def _pages(self) -> int:
        pages = len(self._document)
        self.limits.check_pages(pages, self.path.name)
        return pages

    def __len__(self) -> int:
        return self._pages

    def page(self, number: int) -> np.ndarray:
        """A page as it is printed, grey or RGB uint8."""
        with self._loaded(number) as page:
            bitmap = page.render(scale=self.limits.dpi / _POINTS, rev_byteorder=True)
            pixels = bitmap.to_numpy()[:, :, :3].copy()
            bitmap.close()
        grey = (pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 1] == pixels[:, :, 2]).all()
        return np.ascontiguousarray(pixels[:, :, 0]) if grey else pixels

    def printed(self, number: int) -> tuple[Reading, ...]:
        """The text layer, also where it is hidden behind a scan; nothing where there is none."""
        with self._loaded(number) as page:
            text = page.get_textpage()
            words = list(_words(page, text, self.limits.dpi / _POINTS))
            text.close()
            width, height = (int(np.ceil(edge * self.limits.dpi / _POINTS)) for edge in page.get_size())
        return (upright(words, height, width),) if words else ()

    def write(self, stream: BinaryIO, masks: Masks, fill: str) -> None:
        """A new PDF with a picture on each page, of the size of the page, stored without loss."""
        import pypdfium2

        made = pypdfium2.PdfDocument.new()
        try:
            for number in range(len(self)):
                try:
                    pixels = self.page(number)
                    pixels = filled(pixels, masks(number, *pixels.shape[:2]), fill)
                    size = tuple(edge * _POINTS / self.limits.dpi for edge in pixels.shape[1::-1])
                except DataError:
                    pixels, size = np.zeros((11, 8), np.uint8), _LETTER  # nothing of a page that failed is shown
                _bind(made, pixels, size)
            made.save(stream)
        finally:
            made.close()

    @contextmanager
    def _loaded(self, number: int) -> Iterator[Any]:
        import pypdfium2

        place = f"{self.path.name}, page {number + 1}"
        try:
            page = self._document[number]
        except pypdfium2.PdfiumError:
            raise DataError(f"{place}: PDFium cannot load it; the file is damaged") from None
        try:
            width, height = page.get_size()
            self.limits.check_size(width * self.limits.dpi / _POINTS, height * self.limits.dpi / _POINTS, place)
            yield page
        except pypdfium2.PdfiumError:
            raise DataError(f"{place}: PDFium cannot draw it") from None
        finally:
            page.close()


def upright(words: Sequence[Word], height: int, width: int) -> Reading:
    """Words of a page of this height and width in a frame in which most of their text runs to the right."""
    ends = np.array([(w.symbols[0].box.middle, w.symbols[-1].box.middle) for w in words if len(w.symbols) > 1])
    across, down = (ends[:, 1] - ends[:, 0]).sum(axis=0) if len(ends) else (1.0, 0.0)
    turns = (0 if across >= 0 else 2) if abs(across) >= abs(down) else 1 if down > 0 else 3
    there = quarter_turns(turns, height, width)

    def turned(word: Word) -> Word:
        return Word(tuple(replace(s, box=box_of(moved(s.box.corners(), there))) for s in word.symbols))

    return Reading(TEXT_LAYER, tuple(turned(word) for word in words), to_page=np.linalg.inv(there))


def _words(page: Any, text: Any, scale: float) -> Iterator[Word]:
    """The words of a text layer with the cells of their characters, in pixels."""
    width, height = (int(np.ceil(edge * scale)) for edge in page.get_size())
    symbols: list[Symbol] = []
    for i in range(text.count_chars()):
        ch = text.get_text_range(i, 1)
        if ch and not ch.isspace() and ch.isprintable():
            left, bottom, right, top = text.get_charbox(i, loose=True)
            a, b = (_pixel(page, width, height, x, y) for x, y in ((left, bottom), (right, top)))
            box = Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
            symbols.append(Symbol(ch, box, 1.0))
        elif symbols:
            yield Word(tuple(symbols))
            symbols = []
    if symbols:
        yield Word(tuple(symbols))


def _pixel(page: Any, width: int, height: int, x: float, y: float) -> tuple[int, int]:
    """Where a point of the page comes to lie; PDFium knows of turned and cropped pages."""
    from pypdfium2 import raw

    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, ctypes.byref(across), ctypes.byref(down))
    return across.value, down.value


def _bind(document: Any, pixels: np.ndarray, size: tuple[float, ...]) -> None:
    import pypdfium2
    from PIL import Image

    width, height = size
    page = document.new_page(width, height)
    picture = pypdfium2.PdfImage.new(document)
    bitmap = pypdfium2.PdfBitmap.from_pil(Image.fromarray(pixels))
    picture.set_bitmap(bitmap)
    picture.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
    page.insert_obj(picture)
    page.gen_content()
    bitmap.close()
    page.close()
