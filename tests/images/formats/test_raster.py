"""PNG, JPEG and TIFF: pixels outside of the mask stay, nothing else of the input does, and bad files say so."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest

from deidlab.images.formats.raster import Raster
from deidlab.images.formats.source import Limits
from deidlab.types import DataError

Image = pytest.importorskip("PIL.Image", reason='needs pip install "deidlab[image]"')
SECRET = "Anne Smith 4821"


def corner(page, height, width):
    mask = np.zeros((height, width), bool)
    mask[:4, :6] = True
    return mask


def noise(*shape, dtype=np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(1, np.iinfo(dtype).max, shape).astype(dtype)


def written(file, limits=Limits(), masks=corner) -> bytes:  # noqa: B008
    stream = BytesIO()
    Raster(file, limits).write(stream, masks, "black")
    return stream.getvalue()


def reopened(content: bytes):
    return Image.open(BytesIO(content))


@pytest.mark.parametrize(
    "pixels", [noise(20, 30), noise(20, 30, 3), noise(20, 30, dtype=np.uint16), noise(20, 30) > 128]
)
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_pixels_outside_of_the_mask_are_identical(tmp_path, pixels, ending):
    file = tmp_path / f"page{ending}"
    Image.fromarray(pixels).save(file)
    after = np.asarray(reopened(written(file)))
    mask = corner(0, 20, 30)
    assert (after[~mask] == pixels[~mask]).all() and not after[mask].any()
    assert after.dtype == pixels.dtype


def test_nothing_of_the_metadata_is_left(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    image = Image.fromarray(noise(40, 50, 3))
    exif = image.getexif()
    exif[0x010E], exif[0x013B] = SECRET, SECRET  # description, artist
    text = PngInfo()
    text.add_text("Comment", SECRET)
    text.add_itxt("Patient", SECRET)
    image.save(tmp_path / "a.png", pnginfo=text, exif=exif, dpi=(200, 200))
    image.save(tmp_path / "a.jpg", exif=exif, comment=SECRET.encode())
    image.save(tmp_path / "a.tif", tiffinfo={270: SECRET, 315: SECRET})
    for ending in ("png", "jpg", "tif"):
        file = tmp_path / f"a.{ending}"
        assert SECRET.encode() in file.read_bytes()
        content = written(file)
        assert SECRET.encode() not in content and b"Smith" not in content
        assert not dict(reopened(content).getexif()).keys() & {0x010E, 0x013B}


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    image = Image.fromarray(noise(20, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    assert Raster(tmp_path / "turned.png").page(0).shape == (30, 20)


def test_what_transparency_hides_is_neither_read_nor_kept(tmp_path):
    pixels = noise(20, 30, 4)
    pixels[:, :, 3] = 255
    pixels[10:, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    after = np.asarray(reopened(written(tmp_path / "a.png")))
    assert after.shape == (20, 30, 3) and (after[10:] == 255).all() and (after[5:10] == pixels[5:10, :, :3]).all()


def test_pages_of_a_tiff_keep_their_number_and_kind(tmp_path):
    pages = [noise(20, 30), noise(25, 35, 3), noise(20, 30) > 128]
    images = [Image.fromarray(page) for page in pages]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:])
    source = Raster(tmp_path / "a.tif")
    assert len(source) == 3
    after = reopened(written(tmp_path / "a.tif"))
    for number, page in enumerate(pages):
        after.seek(number)
        mask = corner(0, *page.shape[:2])
        assert (np.asarray(after)[~mask] == page[~mask]).all()


@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_a_truncated_file_says_so_and_nothing_of_it(tmp_path, kind):
    Image.fromarray(noise(60, 60)).save(tmp_path / f"a.{kind}")
    content = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=rf"a\.{kind}.*(whole|damaged)"):
        Raster(tmp_path / f"a.{kind}").page(0)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "note.png").write_text(SECRET)
    with pytest.raises(DataError) as error:
        len(Raster(tmp_path / "note.png"))
    assert SECRET not in str(error.value)


def test_bombs_are_refused_before_they_are_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)  # 1.6 gigapixels in a few bytes
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(DataError, match="max-megapixels"):
        Raster(tmp_path / "bomb.png").page(0)
    Image.new("1", (2000, 2000)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match="2,000 x 2,000"):
        Raster(tmp_path / "large.png", Limits(megapixels=1)).page(0)


def test_too_many_pages_and_animations_are_refused(tmp_path):
    images = [Image.fromarray(noise(8, 8)) for _ in range(3)]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:])
    with pytest.raises(DataError, match="max-pages"):
        len(Raster(tmp_path / "a.tif", Limits(pages=2)))
    images[0].save(tmp_path / "moving.png", save_all=True, append_images=images[1:])
    with pytest.raises(DataError, match="animated"):
        len(Raster(tmp_path / "moving.png"))
