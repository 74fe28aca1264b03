"""OCR engines: what they are asked and what they answer."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from deidlab.images.words import Reading
from deidlab.types import ConfigError


class Engine(Protocol):
    """Reads pictures; `name` tells it from others."""

    @property
    def name(self) -> str: ...

    def read(self, pixels: np.ndarray) -> Reading:
        """What stands in an upright grey picture, (height, width) uint8; boxes are in its pixels."""
        ...


def build(names: Sequence[str], language: str = "eng") -> tuple[Engine, ...]:
    """The engines of these names, each ready to read; `language` is Tesseract's (`eng`, `spa`, `eng+spa`).

    Raises `ConfigError` for an unknown name and for one that is not installed, saying what installs it.
    """
    if not names:
        raise ConfigError("no OCR engine is named: --engines rapidocr, tesseract, or both")
    if unknown := sorted(set(names) - set(_BUILDERS)):
        raise ConfigError(f"--engines {', '.join(unknown)}: expected some of {', '.join(_BUILDERS)}")
    return tuple(_BUILDERS[name](language) for name in dict.fromkeys(names))


def installed() -> tuple[str, ...]:
    """The names of engines that can be built here."""
    here = {"rapidocr": importlib.util.find_spec("rapidocr"), "tesseract": shutil.which("tesseract")}
    return tuple(name for name, found in here.items() if found)


def _rapidocr(language: str) -> Engine:
    if not importlib.util.find_spec("rapidocr"):
        raise ConfigError('RapidOCR is not installed: pip install "deidlab[image]"')
    from deidlab.images.rapid import RapidEngine

    return RapidEngine()


def _tesseract(language: str) -> Engine:
    from deidlab.images.tesseract import TesseractEngine

    return TesseractEngine(language)


_BUILDERS: dict[str, Callable[[str], Engine]] = {"rapidocr": _rapidocr, "tesseract": _tesseract}
