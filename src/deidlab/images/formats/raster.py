"""PNG, JPEG and TIFF, one page or many, by Pillow: decoded to pixels, covered, and encoded anew from these alone."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from deidlab.images.fill import filled
from deidlab.images.formats.source import Limits, Masks
from deidlab.images.words import Reading
from deidlab.types import DataError

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
_SAVING: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 6},
    "JPEG": {"quality": 95, "subsampling": 0},
    "TIFF": {"save_all": True},
}


@dataclass(frozen=True)
class Raster:
    """A file that Pillow decodes; `kind` is PNG, JPEG or TIFF, whatever its name says.

    Transparency is laid over white, palettes become colours, and a photograph is turned as its EXIF says, for that is
    lost. Raises `DataError` for a file that is none of the three, is too large, or moves.
    """

    path: Path
    limits: Limits = field(default_factory=Limits)
    known: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def kind(self) -> str:
        with self._opened() as image:
            return _kind(image)

    @cached_property
    def _pages(self) -> int:
        with self._opened() as image:
            pages = getattr(image, "n_frames", 1) if _kind(image) != "JPEG" else 1
            if _kind(image) == "PNG" and pages > 1:
                raise DataError(f"{self.path.name}: an animated PNG; expected one picture a file")
        self.limits.check_pages(pages, self.path.name)
        return pages

    def __len__(self) -> int:
        return self._pages

    def page(self, number: int) -> np.ndarray:
        """The pixels of a page: uint8, uint16 or bool, grey or RGB."""
        place = f"{self.path.name}, page {number + 1}"
        with self._opened(number) as image:
            self.limits.check_size(image.width, image.height, place)
            image.load()
            return as_pixels(image, place)

    def printed(self, number: int) -> tuple[Reading, ...]:
        return ()

    def write(self, stream: BinaryIO, masks: Masks, fill: str) -> None:
        """The pages in the format of the input; losslessly, unless that is JPEG."""
        from PIL import Image

        pages = (Image.fromarray(self._covered(i, masks, fill)) for i in range(len(self)))
        first = next(pages)
        settings = dict(_SAVING[self.kind])
        if self.kind == "TIFF":  # group 4 takes black and white only
            settings |= {"compression": "tiff_adobe_deflate", "append_images": pages}
        with tempfile.TemporaryFile() as rough:  # pages of a TIFF are chained by reading what was written
            first.save(rough, self.kind, **settings)
            rough.seek(0)
            shutil.copyfileobj(rough, stream)

    def _covered(self, number: int, masks: Masks, fill: str) -> np.ndarray:
        try:
            pixels = self.page(number)
        except DataError:
            with self._opened(number) as image:  # it failed; a page of its size stands for it
                self.limits.check_size(image.width, image.height, f"{self.path.name}, page {number + 1}")
                return np.zeros(image.size[::-1], np.uint8)
        return filled(pixels, masks(number, *pixels.shape[:2]), fill)

    @contextmanager
    def _opened(self, number: int = 0) -> Iterator[Any]:
        """The file at one of its pages; what Pillow says of a broken one becomes a `DataError`."""
        from PIL import Image, UnidentifiedImageError

        warnings.filterwarnings("ignore", module="PIL")  # what they tell is an error here, or of no use to the reader
        Image.init()  # TIFF is not among the formats that it knows at once
        place = f"{self.path.name}, page {number + 1}" if number else self.path.name
        try:
            with Image.open(self.path, formats=("PNG", "JPEG", "TIFF")) as image:
                if number:
                    image.seek(number)
                yield image
        except UnidentifiedImageError:
            raise DataError(f"{place}: no PNG, JPEG or TIFF, or the beginning of it is damaged") from None
        except Image.DecompressionBombError:
            raise DataError(f"{place}: far more pixels than --max-megapixels allows") from None
        except DataError:
            raise
        except FileNotFoundError:
            raise DataError(f"{place}: does not exist") from None
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            # Pillow raises all of these for damaged files; its messages may quote their bytes.
            raise DataError(f"{place}: cannot be decoded ({type(error).__name__}); is the file whole?") from None


def _kind(image: Any) -> str:
    return "JPEG" if image.format == "MPO" else image.format


def as_pixels(image: Any, place: str) -> np.ndarray:
    """The pixels of a Pillow image as they are shown."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        return np.asarray(ground.convert("L" if image.mode in ("L", "LA", "1") else "RGB"))
    match image.mode:
        case "1" | "L" | "RGB":
            return np.asarray(image)
        case "I;16" | "I;16L" | "I;16B" | "I;16N":
            return np.asarray(image).astype(np.uint16)
        case "I":
            values = np.asarray(image)
            if values.min() < 0 or values.max() > 65535:
                raise DataError(f"{place}: 32-bit pixels beyond 16 bits; expected 1, 8 or 16 bits")
            return values.astype(np.uint16)
        case "P" | "CMYK" | "YCbCr" | "LAB" | "HSV":
            return np.asarray(image.convert("RGB"))
    raise DataError(f"{place}: pixels of kind {image.mode}; expected 1, 8 or 16 bits")
