"""Scores on a page whose truth can be seen: two words, one of them a name."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.images.boxes import Covering
from deidlab.images.geometry import Box
from deidlab.images.redacting import covers
from deidlab.images.rendering.pages import Rendered
from deidlab.images.scoring import aligned, confusions, coverage, edit_distance, kept_out, score, without_ocr
from deidlab.images.words import Reading, Symbol, Word
from deidlab.redaction.policy import Policy
from deidlab.types import Document, Span

TEXT = "Mr Smith"
PLACES = [0, 1, 3, 4, 5, 6, 7]
BARE = Covering(padding=0, reach=0, least_padding=0)


def box(place: int) -> Box:
    return Box(10 * place, 5, 10 * place + 9, 20)


PAGE = Rendered(
    Document("p", TEXT, (Span(3, 8, "PATIENT"),)),
    np.full((30, 90), 255, np.uint8),
    np.array(PLACES),
    np.array([box(place).corners() for place in PLACES]),
)


def read_as(text: str, source: str = "x") -> Reading:
    """Every glyph read as a letter of this text; a blank is one that was not read."""
    words = [[Symbol(ch, box(i + shift), 1.0) for i, ch in enumerate(part) if ch != " "]
             for part, shift in ((text[:2], 0), (text[3:], 3))]  # fmt: skip
    return Reading(source, tuple(Word(tuple(word)) for word in words if word))


def judged(read: str, *found: tuple[int, int], again: str = "        ", shrunk: bool = False):
    made = covers([(read_as(read),)], lambda d: [[Span(*f, "PATIENT") for f in found]], BARE, "p")
    mask = made.mask(0, 30, 90)
    if shrunk:
        mask[:, :35] = False
    return score(PAGE, made.pages[0], mask, [read_as(again, "attacker")])


def test_all_is_well():
    result = judged("Mr Smith", (3, 8))
    assert (result.identifier, result.covered, result.other, result.wrongly) == (5, 5, 2, 0)
    assert not result.causes and result.errors == 0 and result.readable["any"] == 0


@pytest.mark.parametrize(
    ("result", "causes"),
    [
        (lambda: judged("Mr Smith"), {"model": 5}),
        (lambda: judged("Mr Smlth"), {"misread": 5}),
        (lambda: judged("Mr      "), {"unread": 5}),
        (lambda: judged("Mr Smith", (3, 8), shrunk=True), {"box": 1}),
        (lambda: judged("Mr Smi  ", (3, 6)), {"unread": 2}),
    ],
)
def test_every_miss_has_its_cause(result, causes):
    assert result().causes == Counter(causes)


def test_what_is_covered_without_need_is_counted():
    assert judged("Mr Smith", (0, 8)).wrongly == 2
    assert judged("Mr Smith", (0, 8)).area == pytest.approx((8 * 10 - 1) * 15 / 2700, abs=0.01)


def test_a_name_that_can_be_read_again_leaks_and_pieces_of_it_do_not():
    assert judged("Mr Smith", again="Mr SMITH").readable == {"attacker": 1, "any": 1}
    assert judged("Mr Smith", again="Mr Sm th").readable["any"] == 0


def test_an_error_of_recognition_counts_once():
    assert judged("Mr Smyth").errors == 1 and judged("Mr Smyth").length == 8
    assert confusions(PAGE, read_as("Mr Smyth"))["x", "i", "y"] == 1
    assert confusions(PAGE, read_as("Mr Sm th"))["x", "i", ""] == 1


def test_letters_are_aligned_within_their_word():
    """A letter that is lost makes no confusion of those behind it, and two may become one."""
    late = confusions(PAGE, read_as("Mr mith "))  # every letter stands a place too far to the left
    assert {key[1:]: n for key, n in late.items() if key[1] != key[2]} == {("S", ""): 1}
    assert list(aligned("Warner", "Wamer")) == [("W", "W"), ("a", "a"), ("rn", "m"), ("e", "e"), ("r", "r")]
    assert list(aligned("ab", "xyzuvab")) == [("a", "a"), ("b", "b")]


def test_what_a_policy_keeps_is_no_leak():
    document = Document("d", "Anne of Ohio", (Span(0, 4, "PATIENT"), Span(8, 12, "STATE")))
    kept = kept_out(document, Policy.load("hipaa_safe_harbor"))
    assert [span.label for span in kept.spans] == ["PATIENT"]
    assert without_ocr(kept, lambda documents: [[Span(0, 3, "PATIENT")]]) == (3, 4)


def test_coverage_is_the_share_of_a_quad_under_the_mask():
    mask = np.zeros((10, 10), bool)
    mask[:, :5] = True
    quads = np.stack([Box(0, 0, 10, 10).corners(), Box(0, 0, 5, 5).corners(), Box(6, 0, 9, 9).corners()])
    assert coverage(mask, quads).tolist() == [0.5, 1.0, 0.0]


@settings(deadline=None)
@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_the_edit_distance_is_levenshteins(a, b):
    def slow(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    assert edit_distance(a[:5], b[:5]) == slow(a[:5], b[:5])
