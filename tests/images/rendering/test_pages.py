"""Rendered pages: ink lies in the gold boxes of its glyphs, whatever was done to the page."""

import numpy as np
import pytest

from deidlab.images.rendering.pages import CONDITIONS, rendered, shortened
from deidlab.types import Document, Span

NOTE = Document(
    "n1",
    "Patient: Anne O'Neil\nDOB: 03/04/1962\nShe was seen by Dr. Kowalska on the ward and went home with her sister.\n",
    (Span(9, 20, "PATIENT"), Span(26, 36, "DATE")),
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_visible_character_has_a_glyph_and_ink_in_its_box(condition):
    pytest.importorskip("cv2", reason='wear needs pip install "deidlab[image]"')
    page = rendered(NOTE, CONDITIONS[condition], "0")
    assert "".join(NOTE.text[i] for i in sorted(page.places)) == "".join(NOTE.text.split())
    ground = np.median(page.pixels)
    dark = ground < 128
    for quad in page.quads:
        (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
        inside = page.pixels[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        assert (inside.max() - ground if dark else ground - inside.min()) > 40


def test_a_page_depends_on_its_seed_alone():
    pytest.importorskip("cv2", reason='wear needs pip install "deidlab[image]"')
    once, again, other = (rendered(NOTE, CONDITIONS["scan"], seed).pixels for seed in "001")
    assert once.tobytes() == again.tobytes() != other.tobytes()


def test_notes_are_cut_behind_whole_spans():
    short = shortened(NOTE, words=3, spans=2)
    assert short.text == "Patient: Anne O'Neil\nDOB: 03/04/1962" and short.spans == NOTE.spans
    assert shortened(NOTE, words=3, spans=3) is None
    cut = Document("c", "by Anne\nSmith today", (Span(3, 13, "PATIENT"),))
    assert shortened(cut, words=1, spans=1).text == cut.text
