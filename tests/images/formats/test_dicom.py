"""DICOM: bytes outside of the mask stay, whatever the photometric interpretation; the header knows nobody."""

from io import BytesIO

import numpy as np
import pytest

from deidlab.images.formats import dicom_header
from deidlab.images.formats.dicom import Dicom
from deidlab.images.formats.source import Limits
from deidlab.types import DataError

pydicom = pytest.importorskip("pydicom", reason='needs pip install "deidlab[image]"')
pytest.importorskip("dicomanonymizer", reason='needs pip install "deidlab[image]"')

HEIGHT, WIDTH = 12, 16
MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[2:5, 4:9] = True


def dataset(photometric="MONOCHROME2", bits=8, frames=1, samples=1, signed=0, content=None, **more):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.SOPClassUID, one.SOPInstanceUID = UltrasoundImageStorage, generate_uid()
    one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = (
        one.SOPClassUID,
        one.SOPInstanceUID,
    )
    one.PatientName, one.PatientID, one.PatientBirthDate = "Kowalska^Anne", "4821773", "19620403"
    one.ReferringPhysicianName, one.InstitutionName, one.StudyDescription = "Jones^Mary", "Mercy", "Kowalska, chest"
    one.add_new((0x0011, 0x0010), "LO", "ACME")
    one.add_new((0x0011, 0x1001), "LO", "Anne Kowalska")
    inner = Dataset()
    inner.PatientName, inner.CodeMeaning = "Kowalska^Anne", "seen by Kowalska"
    one.ProcedureCodeSequence = Sequence([inner])
    one.Rows, one.Columns, one.SamplesPerPixel, one.PhotometricInterpretation = HEIGHT, WIDTH, samples, photometric
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = bits, bits, bits - 1, signed
    if frames > 1:
        one.NumberOfFrames = frames
    for keyword, value in more.items():
        setattr(one, keyword, value)
    if content is None:
        count = frames * HEIGHT * WIDTH * (2 if photometric == "YBR_FULL_422" else samples)
        content = np.random.default_rng(0).integers(30, 200, count).astype(f"<u{bits // 8}").tobytes()
    one.PixelData = content
    one["PixelData"].VR = "OW" if bits > 8 else "OB"
    return one


def saved(tmp_path, one, name="a.dcm"):
    one.save_as(tmp_path / name, enforce_file_format=True)
    return Dicom(tmp_path / name)


def rewritten(source, fill="black", masks=lambda frame, h, w: MASK):
    stream = BytesIO()
    source.write(stream, masks, fill)
    stream.seek(0)
    return pydicom.dcmread(stream), stream.getvalue()


KINDS = [
    {},
    {"photometric": "MONOCHROME1"},
    {"bits": 16},
    {"bits": 16, "signed": 1},
    {"photometric": "RGB", "samples": 3, "PlanarConfiguration": 0},
    {"photometric": "RGB", "samples": 3, "PlanarConfiguration": 1},
    {"photometric": "YBR_FULL", "samples": 3, "PlanarConfiguration": 0},
    {"frames": 3},
]


@pytest.mark.parametrize("kind", KINDS)
def test_samples_outside_of_the_mask_are_identical_and_one_value_is_inside(tmp_path, kind):
    one = dataset(**kind)
    before = pydicom.pixels.pixel_array(one, raw=True)
    after = pydicom.pixels.pixel_array(rewritten(saved(tmp_path, one))[0], raw=True)
    assert before.shape == after.shape and before.dtype == after.dtype
    outside = np.broadcast_to(~MASK if one.SamplesPerPixel == 1 else ~MASK[..., None], before.shape)
    assert (after[outside] == before[outside]).all()
    covered = after[..., MASK, :] if one.SamplesPerPixel > 1 else after[..., MASK]
    assert len(np.unique(covered.reshape(-1, one.SamplesPerPixel), axis=0)) == 1


@pytest.mark.parametrize(("photometric", "darkest"), [("MONOCHROME2", "min"), ("MONOCHROME1", "max")])
def test_black_is_what_is_shown_black(tmp_path, photometric, darkest):
    one = dataset(photometric)
    values = pydicom.pixels.pixel_array(one, raw=True)
    after = pydicom.pixels.pixel_array(rewritten(saved(tmp_path, one))[0], raw=True)
    assert (after[MASK] == getattr(values, darkest)()).all()


def test_pairs_that_share_a_colour_are_covered_together(tmp_path):
    one = dataset("YBR_FULL_422", samples=3, PlanarConfiguration=0)
    before = np.frombuffer(one.PixelData, np.uint8).reshape(HEIGHT, WIDTH // 2, 4)
    after = np.frombuffer(rewritten(saved(tmp_path, one))[0].PixelData, np.uint8).reshape(HEIGHT, WIDTH // 2, 4)
    pairs = MASK.reshape(HEIGHT, -1, 2).any(axis=2)
    assert (after[~pairs] == before[~pairs]).all() and (after[pairs] == (0, 0, 128, 128)).all()


def test_a_bitmap_keeps_its_other_bits(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2, (HEIGHT, WIDTH)).astype(np.uint8)
    one = dataset(bits=8, content=pydicom.pixels.utils.pack_bits(bits))
    one.BitsAllocated = one.BitsStored = 1
    one.HighBit = 0
    after = pydicom.pixels.pixel_array(rewritten(saved(tmp_path, one))[0])
    assert (after[~MASK] == bits[~MASK]).all() and not after[MASK].any()


def test_what_is_burned_into_one_frame_is_covered_in_all(tmp_path):
    source = saved(tmp_path, dataset(frames=3))
    after, _ = rewritten(source, masks=lambda frame, h, w: MASK if frame == 1 else ~np.ones((h, w), bool))
    assert (pydicom.pixels.pixel_array(after)[:, MASK] == pydicom.pixels.pixel_array(after)[0, 2, 4]).all()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"])  # RLE, JPEG 2000 lossless
def test_losslessly_compressed_frames_are_decoded_and_kept(tmp_path, syntax):
    pixels = np.random.default_rng(0).integers(30, 200, (2, 64, 64)).astype(np.uint8)
    one = dataset(frames=2, content=pixels.tobytes(), Rows=64, Columns=64)
    pydicom.pixels.compress(one, syntax)
    mask = np.zeros((64, 64), bool)
    mask[:9] = True
    after = pydicom.pixels.pixel_array(rewritten(saved(tmp_path, one), masks=lambda frame, h, w: mask)[0])
    assert (after[:, ~mask] == pixels[:, ~mask]).all() and (after[:, mask] == pixels.min()).all()


def test_values_of_the_header_are_in_no_warning(tmp_path, recwarn, caplog):
    one = dataset()
    source = saved(tmp_path, one)
    content = source.path.read_bytes().replace(b"19620403", b"Kowalska")  # no date
    source.path.write_bytes(content)
    rewritten(source)
    assert not [w for w in recwarn if "Kowalska" in str(w.message)] and "Kowalska" not in caplog.text


def test_the_header_names_nobody_at_any_depth(tmp_path):
    after, content = rewritten(saved(tmp_path, dataset()))
    for secret in (b"Kowalska", b"Anne", b"4821773", b"19620403", b"Jones", b"Mercy", b"ACME"):
        assert secret not in content
    assert after.PatientIdentityRemoved == "YES" and after.BurnedInAnnotation == "NO"
    assert {item.CodeValue for item in after.DeidentificationMethodCodeSequence} == {"113100", "113101"}
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID


def test_what_the_header_knows_is_looked_for_in_the_pixels(tmp_path):
    known = saved(tmp_path, dataset()).known
    assert {"Kowalska", "Anne", "Jones", "4821773", "Mercy", "19620403"} <= set(known)
    assert dicom_header.identifiers(dataset(PatientBirthDate="unknown"))  # a date that is none is no fault


def test_text_in_the_unused_bits_goes(tmp_path):
    one = dataset(bits=16, content=np.full(HEIGHT * WIDTH, 0x8123, "<u2").tobytes())
    one.BitsStored, one.HighBit = 12, 11
    one.add_new((0x6000, 0x0102), "US", 15)  # OverlayBitPosition
    values = np.frombuffer(rewritten(saved(tmp_path, one))[0].PixelData, "<u2").reshape(HEIGHT, WIDTH)
    assert (values[~MASK] == 0x123).all()


def test_files_without_a_picture_or_a_decoder_say_so(tmp_path):
    without = dataset()
    del without.PixelData
    with pytest.raises(DataError, match="no pixels"):
        len(saved(tmp_path, without))
    unknown = dataset()
    unknown.PixelData = pydicom.encaps.encapsulate([b"\0" * 100])
    unknown["PixelData"].is_undefined_length = True
    unknown.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    with pytest.raises(DataError, match=r"no installed handler decodes MPEG2.*frames as pictures"):
        len(saved(tmp_path, unknown))
    (tmp_path / "b.dcm").write_bytes(b"Anne Smith" * 40)
    with pytest.raises(DataError, match="no DICOM") as error:
        len(Dicom(tmp_path / "b.dcm"))
    assert "Anne" not in str(error.value)


def test_large_and_truncated_files_are_errors(tmp_path):
    source = saved(tmp_path, dataset())
    with pytest.raises(DataError, match="max-megapixels"):
        len(Dicom(source.path, Limits(megapixels=1e-4)))
    with pytest.raises(DataError, match="max-pages"):
        len(Dicom(saved(tmp_path, dataset(frames=3), "c.dcm").path, Limits(pages=2)))
    content = source.path.read_bytes()
    (tmp_path / "d.dcm").write_bytes(content[:-50])
    with pytest.raises(DataError):
        Dicom(tmp_path / "d.dcm").page(0)
