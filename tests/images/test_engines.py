"""Engines are named, and one that is missing says what installs it."""

import shutil

import pytest

from deidlab.images import engines
from deidlab.types import ConfigError


def test_unknown_engines_and_none_are_refused():
    for names in ((), ("abbyy",)):
        with pytest.raises(ConfigError, match="rapidocr"):
            engines.build(names)


def test_a_missing_tesseract_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="apt-get install tesseract-ocr"):
        engines.build(["tesseract"])


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract is not installed")
def test_a_missing_language_names_its_package():
    with pytest.raises(ConfigError, match="tesseract-ocr-xyz"):
        engines.build(["tesseract"], "eng+xyz")
    with pytest.raises(ConfigError, match="eng"):
        engines.build(["tesseract"], "eng; rm")
