"""What is found in the text of pages is covered on each of them, by every reading that gives reason for it."""

import numpy as np
import pytest

from deidlab.images.boxes import Covering
from deidlab.images.geometry import Box
from deidlab.images.redacting import covers, whole
from deidlab.images.words import TEXT_LAYER, Reading, Symbol, Word
from deidlab.types import Span

BARE = Covering(padding=0, reach=0, least_padding=0)


def reading(source: str, *lines: str, confidence: float = 1.0) -> Reading:
    """Letters of 6 by 10 pixels."""
    words = []
    for row, line in enumerate(lines):
        x = 0
        for text in line.split():
            boxes = [Box(x + 6 * i, 20 * row, x + 6 * i + 6, 20 * row + 10) for i in range(len(text))]
            words.append(Word(tuple(Symbol(ch, box, confidence) for ch, box in zip(text, boxes, strict=True))))
            x += 6 * (len(text) + 1)
    return Reading(source, tuple(words))


def names(documents):
    """Finds every Smith."""
    return [[Span(i, i + 5, "PATIENT") for i in range(len(d.text)) if d.text.startswith("Smith", i)] for d in documents]


def test_a_name_is_covered_on_the_page_where_it_stands():
    found = covers([(reading("x", "Mr Smith"),), (reading("x", "no one"),)], names, BARE, "file")
    first, second = found.mask(0, 30, 80), found.mask(1, 30, 80)
    assert first[:10, 18:48].all() and first.sum() == 300 and not second.any()
    assert found.counts == {"PATIENT": 1}


def test_pages_of_a_source_are_one_document():
    seen = []
    covers(
        [(reading("x", "page one"), reading("y", "other")), (reading("x", "page two"),)],
        lambda documents: [seen.append((d.id, d.text)) or [] for d in documents],
        BARE,
        "file",
    )
    assert seen == [("file (x)", "page one\n\npage two\n\n"), ("file (y)", "other\n\n")]


def test_a_span_over_a_page_end_is_covered_on_both_sides():
    found = covers(
        [(reading("x", "Anne"),), (reading("x", "Smith left"),)], lambda d: [[Span(0, 11, "PATIENT")]], BARE, "file"
    )
    assert found.mask(0, 20, 60)[:10, :24].all() and found.mask(1, 20, 60)[:10, :30].all()
    assert not found.mask(1, 20, 60)[:, 30:].any()


def test_what_one_engine_finds_is_covered_where_another_misread_it():
    good, bad = reading("a", "Mr Smithson"), reading("b", "Mr Sm1thsan")

    def find(documents):
        return [[Span(3, 11, "PATIENT")] if "Smithson" in d.text else [] for d in documents]

    (a, b) = covers([(good, bad)], find, BARE, "file").pages[0]
    assert a.ranges[0] == (3, 11) and b.ranges == ((3, 11),)


def test_known_identifiers_and_what_was_read_badly_are_covered_without_a_model():
    def nothing(documents):
        return [[] for _ in documents]

    known = covers([(reading("x", "DOE JANE"),)], nothing, BARE, "file", known=["Jane"])
    assert known.mask(0, 10, 60)[:, 24:48].all() and not known.mask(0, 10, 60)[:, :24].any()
    assert covers([(reading("x", "blurr", confidence=0.2),)], nothing, BARE, "f").mask(0, 10, 30).all()


def test_a_date_whose_month_was_misread_is_found_and_all_else_as_it_was_read():
    def find(documents):
        return [
            [Span(i, i + len(w), "X") for w in ("September 5", "Marsh") if (i := d.text.find(w)) >= 0]
            for d in documents
        ]

    found = covers([(reading("x", "Marsh 7 on Septeiber 5"),)], find, BARE, "file")
    assert set(found.pages[0][0].ranges) == {(0, 5), (11, 22)} and found.counts == {"X": 2}


@pytest.mark.parametrize(
    ("found", "covered"),
    [("Ampar", "Amparo"), ("mparo", "Amparo"), ("03/1", "03/12"), ("61", "61"), ("Ann", "Ann"), ("-", "-"), ("", "")],
)
def test_no_letter_of_a_name_is_left(found, covered):
    """A model that takes "Ampar" for the name leaves its last letter: runs of letters, or digits, are covered whole."""
    text = "Newports.Amparo 03/12 61yo Ann1 left -"
    start = text.index(found)
    assert text[slice(*whole(text, start, start + len(found)))] == covered


def test_what_one_engine_overlooked_is_covered_unless_another_read_it():
    def nothing(documents):
        return [[] for _ in documents]

    there, away = Box(0, 0, 60, 10), Box(0, 40, 60, 50)
    blind = Reading("a", (), (there, away))
    mask = covers([(blind, reading("b", "aspirin 81"))], nothing, BARE, "f").mask(0, 60, 60)
    assert mask[40:50].all() and not mask[:40].any()
    unsure = reading("b", "aspirin 81", confidence=0.3)
    assert covers([(blind, unsure)], nothing, BARE, "f").mask(0, 60, 60)[:10].all()
    assert covers([(blind, reading(TEXT_LAYER, "aspirin 81"))], nothing, BARE, "f").mask(0, 60, 60)[:10].all()
    short = reading("b", "as")  # a fifth of the place
    assert covers([(blind, short)], nothing, BARE, "f").mask(0, 60, 60)[:10].all()


def test_a_page_without_words_is_left_alone():
    found = covers([(Reading("x", ()),), ()], names, BARE, "file")
    assert not found.mask(0, 5, 5).any() and not found.mask(1, 5, 5).any()


def test_a_turned_view_covers_where_the_page_is():
    matrix = np.array([(0, -1, 30), (1, 0, 0), (0, 0, 1)], float)  # the view is the page, turned
    one = reading("x", "Smith")
    found = covers([(Reading("x", one.words, (), matrix),)], names, BARE, "file").mask(0, 60, 30)
    assert found[:30, 20:].all() and found.sum() == 300
