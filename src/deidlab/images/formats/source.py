"""What every format of pictures can do: say how many pages it has, show one, and write all of them covered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from deidlab.images.words import Reading
from deidlab.types import ConfigError, DataError

# (page, height, width) -> the pixels to cover, (height, width) bool; for a page that failed, all of them.
Masks = Callable[[int, int, int], np.ndarray]


@dataclass(frozen=True)
class Limits:
    """What is not opened because it would take all memory, and at how many dots an inch a PDF is drawn."""

    megapixels: float = 100.0  # a page
    pages: int = 5000
    dpi: int = 200

    def __post_init__(self) -> None:
        if self.megapixels <= 0 or self.pages < 1 or not 50 <= self.dpi <= 1200:
            raise ConfigError("--max-megapixels is above 0, --max-pages at least 1, --dpi between 50 and 1200")

    def check_size(self, width: float, height: float, place: str) -> None:
        """Raise `DataError` for a page of too many pixels, before any of them is decoded."""
        if width < 1 or height < 1:
            raise DataError(f"{place}: the page has no pixels ({width:.0f} x {height:.0f})")
        if width * height > self.megapixels * 1e6:
            raise DataError(
                f"{place}: {width:,.0f} x {height:,.0f} pixels are more than --max-megapixels allows "
                f"({self.megapixels:g}); raise it if the file is to be trusted"
            )

    def check_pages(self, pages: int, place: str) -> None:
        if pages > self.pages:
            raise DataError(f"{place}: {pages:,} pages are more than --max-pages allows ({self.pages:,})")
        if pages < 1:
            raise DataError(f"{place}: has no pages")


class Source(Protocol):
    """A file of pages. `kind` is its format; `known` are identifiers that it tells outside of its pixels."""

    @property
    def path(self) -> Path: ...

    @property
    def kind(self) -> str: ...

    def __len__(self) -> int: ...

    @property
    def known(self) -> Sequence[str]: ...

    def page(self, number: int) -> np.ndarray:
        """The pixels of a page for reading, (height, width) or (height, width, 3); raises `DataError`."""
        ...

    def printed(self, number: int) -> tuple[Reading, ...]:
        """Text that the file itself holds for a page, as a further reading."""
        ...

    def write(self, stream: BinaryIO, masks: Masks, fill: str) -> None:
        """The file with its pages covered and without its metadata."""
        ...
