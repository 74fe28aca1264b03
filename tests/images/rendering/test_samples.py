"""The pages that systems are judged by: the same each time, whatever else is chosen."""

import numpy as np
import pytest

from deidlab.images.rendering.samples import FRAMES, samples

pytest.importorskip("cv2", reason='needs pip install "deidlab[image]"')
pytest.importorskip("pydicom", reason='needs pip install "deidlab[image]"')


def test_a_page_does_not_depend_on_what_else_is_chosen():
    alone = list(samples(2, 0, 20, ["form", FRAMES]))
    assert [(s.condition, s.number) for s in alone] == [("form", 0), (FRAMES, 0), ("form", 1), (FRAMES, 1)]
    among = {(s.condition, s.number): s for s in samples(2, 0, 20, ["clean scan", "form", "screen", FRAMES])}
    for sample in alone:
        other = among[sample.condition, sample.number]
        assert sample.page.document == other.page.document and (sample.pixels == other.pixels).all()
    other_seed = next(iter(samples(1, 1, 20, ["form"])))
    assert other_seed.page.document.text != alone[0].page.document.text


def test_frames_bring_what_their_header_knows_and_pages_nothing():
    page, frame = samples(1, 0, 20, ["screen", FRAMES])
    assert not page.known and page.page.document.spans
    name = next(s for s in frame.page.document.spans if s.label == "medical_record_number")
    assert frame.page.document.text[name.start : name.end] in frame.known
    assert isinstance(frame.pixels, np.ndarray) and frame.pixels.shape[:2] == frame.page.pixels.shape
    assert "known" not in repr(frame)
