"""Files of pictures: what is found is covered, what fails goes black or is not written, nothing hides the others."""

import numpy as np
import pytest

from deidlab import deidentifier
from deidlab.bulk import images
from deidlab.images.boxes import Covering
from deidlab.images.rendering.sheet import Sheet, font_of
from deidlab.types import ConfigError, DataError

Image = pytest.importorskip("PIL.Image", reason='needs pip install "deidlab[image]"')
pytest.importorskip("rapidocr", reason='needs pip install "deidlab[image]"')


def typed(*lines: str) -> np.ndarray:
    sheet = Sheet(430, 20 + 36 * len(lines))
    for i, line in enumerate(lines):
        sheet.word(line, None, 16, 14 + 36 * i, font_of("sans", 20))
    return np.asarray(sheet.image).copy()


@pytest.fixture(scope="module")
def find() -> images.Find:
    return images.finder(deidentifier.load(None))  # rules alone: dates, numbers, titled names


def redact(source, out, find):
    return images.redact_file(source, out, find, images.Sight(), Covering())


def test_a_tiff_with_a_broken_page_is_written_with_that_page_black(tmp_path, find):
    pages = [typed("Seen on 03/04/2012", "Aspirin 81 mg daily"), typed("nothing to see")]
    first, second = (Image.fromarray(page) for page in pages)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second], compression="tiff_adobe_deflate")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with Image.open(tmp_path / "a.tif") as image:
        image.seek(1)
        offset = image.tag_v2[273][0]
    content[offset : offset + 40] = b"\xff" * 40  # the second page's strip
    (tmp_path / "a.tif").write_bytes(content)
    outcome = redact(tmp_path / "a.tif", tmp_path / "out.tif", find)
    assert outcome.failed is None and [page for page, _ in outcome.failed_pages] == [2]
    assert outcome.counts["DATE"] == 1
    with Image.open(tmp_path / "out.tif") as after:
        one = np.asarray(after)
        after.seek(1)
        assert not np.asarray(after).any()
    changed = one != pages[0]
    assert changed[:44].any() and not changed[44:].any()  # the date; the second line is as it was
    assert not one[20:30, 130:180].any()


def test_files_that_cannot_be_read_are_not_written(tmp_path, find):
    (tmp_path / "a.png").write_bytes(b"Anne Smith, no picture")
    outcome = redact(tmp_path / "a.png", tmp_path / "out.png", find)
    assert outcome.failed and "Anne" not in outcome.failed and not (tmp_path / "out.png").exists()


def test_a_system_that_fails_leaves_no_output(tmp_path):
    def fails(documents):
        raise DataError("no answer")

    Image.fromarray(np.full((60, 80), 255, np.uint8)).save(tmp_path / "a.png")
    outcome = redact(tmp_path / "a.png", tmp_path / "out.png", fails)
    assert outcome.failed == "no answer" and [f.name for f in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_without_text_keeps_its_pixels(tmp_path, find):
    pixels = np.full((60, 80, 3), 200, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", dpi=(72, 72))
    assert redact(tmp_path / "a.png", tmp_path / "out.png", find).covered == 0
    with Image.open(tmp_path / "out.png") as after:
        assert (np.asarray(after) == pixels).all() and not after.info


def test_a_place_that_cannot_be_written_is_told(tmp_path, find):
    Image.fromarray(np.full((60, 80), 255, np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "file").touch()
    for place, why in (("file/out.png", "File exists"), ("file/sub/out.png", "Not a directory")):
        outcome = redact(tmp_path / "a.png", tmp_path / place, find)
        assert outcome.failed == f"{tmp_path / place}: {why}"
    assert redact(tmp_path / "a.png", tmp_path / "new" / "out.png", find).failed is None
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_folders_are_searched_and_hidden_files_are_not(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("sub/b.PNG", "a.pdf", ".c.png", "note.txt"):
        (tmp_path / name).touch()
    assert [f.name for f in images.files_of(tmp_path)] == ["a.pdf", "b.PNG"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        images.files_of(tmp_path / "none")


def test_workers_are_at_least_one():
    with pytest.raises(ConfigError, match="workers"), images.readers(images.Sight(), 0):
        pass
