"""A file is what its first bytes say."""

import numpy as np
import pytest

from deidlab.images.formats.opening import check_ending, looks_like_pictures, opened
from deidlab.images.formats.source import Limits
from deidlab.types import ConfigError, DataError

Image = pytest.importorskip("PIL.Image", reason='needs pip install "deidlab[image]"')


def test_the_content_tells_and_not_the_name(tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.jpg", "PNG")
    (tmp_path / "b.png").write_bytes(b"%PDF-1.4 ...")
    (tmp_path / "c").write_bytes(b"\0" * 128 + b"DICM")
    assert [opened(tmp_path / name, Limits()).kind for name in ("a.jpg", "b.png", "c")] == ["PNG", "PDF", "DICOM"]
    assert looks_like_pictures(tmp_path / "c") and looks_like_pictures(tmp_path / "b.png")


def test_the_output_is_named_what_it_is(tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    check_ending(opened(tmp_path / "a.png", Limits()), tmp_path / "b.PNG")
    with pytest.raises(ConfigError, match=r"PNG.*\.png"):
        check_ending(opened(tmp_path / "a.png", Limits()), tmp_path / "b.jpg")


def test_empty_and_absent_files_are_errors(tmp_path):
    (tmp_path / "a.png").touch()
    for name, message in (("a.png", "empty"), ("b.png", "No such file")):
        with pytest.raises(DataError, match=message):
            opened(tmp_path / name, Limits())
