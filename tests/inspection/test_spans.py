"""The edges of annotations, and how annotations lie to each other."""

import pytest

from deidlab.inspection.spans import LONGEST, edges, overlaps
from deidlab.types import Span


def told(marked, group="NAME"):
    start, end = marked.index("["), marked.index("]") - 1
    return list(edges(marked.replace("[", "").replace("]", ""), Span(start, end, "X"), group))


@pytest.mark.parametrize(
    ("marked", "codes"),
    [
        ("by Dr. [Ann O'Neil], seen", []),
        ("by[ Ann] seen", ["blank_edge"]),
        ("by [Ann\n]seen", ["blank_edge"]),
        ("by [Ann,] seen", ["punctuation_edge"]),
        ("by [Orwell.] Seen", ["punctuation_edge"]),
        ("by [Ann Jr.] seen", []),
        ("at [St. Mary's Ave.] today", []),
        ("call [(617) 555-0132] now", []),
        ("call [555-0132)] now", ["punctuation_edge"]),
        ("since [2012.] Then", ["punctuation_edge"]),
        ("at [8 a.m.] then", []),
        ("by [Or]well", ["half_word"]),
        ("MRN [12]345", ["half_word"]),
        ("a [67]F with", []),
        ("[45]kg", []),
        ("Ren[é]e", ["half_word"]),
        ("Jose[́] Ruiz", ["half_word"]),
        ("患者[王伟]入院", []),
        ("[Ann's] dog", []),
        ("see [Ann]'s dog", []),
        ("at [Mercy\n \nHospital]", ["spans_paragraphs"]),
        ("at [Mercy\nHospital]", []),
        (f"at [{'Long Lane ' * 13}7]", ["very_long"]),
    ],
)
def test_edges(marked, codes):
    assert told(marked) == codes
    assert len("Long Lane " * 13) > LONGEST


def test_ages_end_where_a_sex_or_a_suffix_begins():
    assert told("a [fifty]F", "AGE") == told("is [ninety]ish", "AGE") == []
    assert told("a [fifty]F", "NAME") == ["half_word"]
    assert told("a [5]0F", "AGE") == ["half_word"]


def test_overlaps_are_told_once_each():
    spans = (Span(0, 9, "A"), Span(0, 9, "B"), Span(2, 4, "C"), Span(3, 6, "D"), Span(8, 12, "E"), Span(12, 14, "F"))
    assert [(inner.label, outer.label, code) for inner, outer, code in overlaps(spans)] == [
        ("B", "A", "two_labels"), ("C", "A", "nested"), ("D", "A", "nested"), ("E", "A", "crossing"),
    ]  # fmt: skip
    assert list(overlaps(())) == []
