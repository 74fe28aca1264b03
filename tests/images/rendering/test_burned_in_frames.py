"""Frames: what is burned in is what the header says, and the file is DICOM."""

import random
from io import BytesIO

import numpy as np
import pytest

from deidlab.images.known import occurrences
from deidlab.images.rendering import frames
from deidlab.synthesis.people import name_pool

pydicom = pytest.importorskip("pydicom", reason='needs pip install "deidlab[image]"')


def made(seed: int = 0) -> frames.Frame:
    rng = random.Random(seed)
    pool = name_pool("us", "test")
    return frames.frame("f", pool.draw(rng, "female"), pool.draw(rng, "male"), "Mercy Hospital", seed)


@pytest.mark.parametrize("seed", range(4))
def test_the_header_knows_every_identifier_of_the_frame(seed):
    from deidlab.images.formats.dicom_header import identifiers

    one = made(seed)
    stream = BytesIO()
    frames.write(stream, one)
    stream.seek(0)
    known = identifiers(pydicom.dcmread(stream))
    text = one.rendered.document.text
    covered = {i for a, b in occurrences(text, known) for i in range(a, b)}
    for span in one.rendered.document.spans:
        letters = [i for i in range(span.start, span.end) if text[i].isalnum()]
        assert len(covered & set(letters)) >= len(letters) - (span.label == "clinician_name")  # the initial


@pytest.mark.parametrize(("kind", "bits"), [("MONOCHROME2", 8), ("MONOCHROME1", 8), ("MONOCHROME2", 16), ("RGB", 8)])
def test_pixels_survive_the_file(kind, bits):
    one, stream = made(), BytesIO()
    frames.write(stream, one, kind, bits)
    stream.seek(0)
    pixels = pydicom.dcmread(stream).pixel_array
    wanted = one.rendered.pixels
    match kind:
        case "RGB":
            assert (pixels == wanted[:, :, None]).all()
        case "MONOCHROME1":
            assert (pixels == 255 - wanted).all()
        case _:
            assert (pixels == wanted.astype(np.uint16) * (16 if bits == 16 else 1)).all()
