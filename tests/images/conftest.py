"""Small pictures of text, and the engines that read them where they are installed."""

import shutil

import numpy as np
import pytest

from deidlab.images import engines
from deidlab.images.rendering.sheet import Sheet, font_of


def typed(*lines: str, width: int = 420, size: int = 20) -> np.ndarray:
    """Lines of black sans on white, (height, width) uint8."""
    sheet = Sheet(width, 30 + len(lines) * (size + 14))
    for i, line in enumerate(lines):
        sheet.word(line, None, 16, 14 + i * (size + 14), font_of("sans", size))
    return np.asarray(sheet.image).copy()


@pytest.fixture(scope="session")
def picture():
    return typed


@pytest.fixture(scope="session")
def rapid() -> engines.Engine:
    pytest.importorskip("rapidocr", reason='RapidOCR is not installed: pip install "deidlab[image]"')
    return engines.build(["rapidocr"])[0]


@pytest.fixture(scope="session")
def tesseract() -> engines.Engine:
    pytest.importorskip("cv2", reason='pictures are prepared with OpenCV: pip install "deidlab[image]"')
    if not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed: apt-get install tesseract-ocr")
    return engines.build(["tesseract"])[0]
