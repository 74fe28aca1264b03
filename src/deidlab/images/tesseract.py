"""Tesseract, the program (Debian package `tesseract-ocr`), asked for words, symbols and how sure it is of each."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np

from deidlab.images.geometry import Box
from deidlab.images.overlooked import overlooked
from deidlab.images.symbols import ink_of, placed
from deidlab.images.words import Reading, Symbol, Word
from deidlab.types import ConfigError, DataError

SPARSE, BLOCK, AUTO = 11, 6, 3  # page segmentation modes
_NUMBERS = re.compile(r"(bbox|x_bboxes|x_wconf|x_conf) ([-\d. ]+)")
_XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass(frozen=True)
class TesseractEngine:
    """Tesseract 4 or later; `segmentation` is its mode (`--psm`): 11 takes sparse text in no order, which loses least.

    `language` is a language pack, or several joined by `+`. Raises `ConfigError` where it is not installed.
    """

    language: str = "eng"
    segmentation: int = SPARSE
    timeout: float = 300.0  # seconds a page
    name: str = "tesseract"

    def __post_init__(self) -> None:
        if not shutil.which("tesseract"):
            raise ConfigError("tesseract is not installed: apt-get install tesseract-ocr, or use --engines rapidocr")
        if not re.fullmatch(r"\w+(\+\w+)*", self.language):
            raise ConfigError(f"--language {self.language!r}: expected Tesseract's names, such as eng or eng+spa")
        there = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False)
        if missing := sorted(set(self.language.split("+")) - set((there.stdout + there.stderr).split())):
            packs = " ".join(f"tesseract-ocr-{language}" for language in missing)
            raise ConfigError(f"tesseract has no {', '.join(missing)}: apt-get install {packs}")

    def read(self, pixels: np.ndarray) -> Reading:
        """Words in Tesseract's order, and rows of letters where it saw none; raises `DataError` when it gives up,
        without what it said."""
        from PIL import Image

        picture = BytesIO()
        Image.fromarray(pixels).save(picture, "PNG", compress_level=1)
        command = ["tesseract", "-", "-", "--psm", str(self.segmentation), "-l", self.language, "--dpi", "150"]
        try:
            done = subprocess.run(
                [*command, "-c", "hocr_char_boxes=1", "hocr"],
                input=picture.getvalue(),
                capture_output=True,
                check=True,
                timeout=self.timeout,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # its threads cost more than they give
            )
        except subprocess.TimeoutExpired:
            raise DataError(f"tesseract took more than {self.timeout:g} seconds for a page") from None
        except subprocess.CalledProcessError as error:
            raise DataError(f"tesseract ended with status {error.returncode}") from None
        words = tuple(_settled(word, pixels) for word in parsed(done.stdout))
        return Reading(self.name, words, tuple(overlooked(pixels, [word.box for word in words])))


def parsed(hocr: bytes) -> list[Word]:
    """The words of Tesseract's hOCR, with the boxes of symbols as it gives them."""
    from defusedxml.ElementTree import fromstring

    words = []
    for element in fromstring(hocr, forbid_dtd=False).iter(f"{_XHTML}span"):
        if element.get("class") == "ocrx_word":
            sure = _numbers(element)["x_wconf"][0] / 100
            symbols = [
                # A word is doubted as a whole: its symbols are surer of themselves than of one another.
                Symbol(text, Box(*_numbers(inner)["x_bboxes"]), min(sure, _numbers(inner)["x_conf"][0] / 100))
                for inner in element.iter(f"{_XHTML}span")
                if inner.get("class") == "ocrx_cinfo" and (text := "".join(inner.itertext()).strip())
            ]
            if symbols:
                words.append(Word(tuple(symbols)))
    return words


def _numbers(element: Any) -> dict[str, list[float]]:
    return {name: [float(n) for n in numbers.split()] for name, numbers in _NUMBERS.findall(element.get("title", ""))}


def _settled(word: Word, pixels: np.ndarray) -> Word:
    """The word with symbols that end where the ink does: those of Tesseract overlap by half a letter."""
    box, height, width = word.box, *pixels.shape
    left, top = max(int(box.left), 0), max(int(box.top), 0)
    right, bottom = min(int(box.right), width), min(int(box.bottom), height)
    if right - left < 2 or bottom - top < 2:
        return word
    middles = np.maximum.accumulate([(s.box.left + s.box.right) / 2 - left for s in word.symbols])
    places = placed(ink_of(pixels[top:bottom, left:right]), [middles.tolist()])[0] + left
    places[0, 0], places[-1, 1] = box.left, box.right
    return Word(
        tuple(
            replace(symbol, box=Box(float(a), box.top, float(b), box.bottom))
            for symbol, (a, b) in zip(word.symbols, places, strict=True)
        )
    )
