"""Exact agreement with the official scorers, on their own output and on the cases in which they are peculiar."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics.official import i2b2_2014_official, meddocan_official, printed
from deidlab.types import Document, Span


def i2b2(path: Path) -> Document:
    root = ET.parse(path).getroot()
    tags = [Span(int(tag.get("start")), int(tag.get("end")), tag.get("TYPE")) for tag in root.find("TAGS")]
    return Document(path.stem, root.find("TEXT").text, tuple(tags))


def brat(path: Path) -> tuple[Span, ...]:
    lines = [line.split("\t")[1].split() for line in path.read_text("utf-8").splitlines() if line.startswith("T")]
    return tuple(Span(int(start), int(end), label) for label, start, end in lines)


def test_every_section_of_the_i2b2_2014_scorer_agrees_to_the_last_digit(shared_data):
    folder = shared_data / "parity" / "i2b2_2014"
    names = sorted(path.name for path in (folder / "gold").glob("*.xml"))
    pairs = [(i2b2(folder / "gold" / name), i2b2(folder / "system" / name).spans) for name in names]
    assert printed(i2b2_2014_official(pairs)) == json.loads((folder / "expected.json").read_text("utf-8"))


def test_every_track_of_the_meddocan_scorer_agrees_to_the_last_digit(shared_data):
    folder, gold = shared_data / "parity" / "meddocan", shared_data / "meddocan" / "dev" / "brat"
    pairs = []
    for path in sorted((folder / "system").glob("*.ann")):
        text = (gold / path.name).with_suffix(".txt").read_bytes().decode("utf-8")
        pairs.append((Document(path.stem, text, brat(gold / path.name)), brat(path)))
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    assert printed(meddocan_official(pairs)) == {
        name: expected[name] for name in ("ner", "spans_strict", "spans_merged")
    }


def test_idnum_is_no_hipaa_type_and_the_mended_set_counts_it():
    note = Document("n", "id 4711 Ann", (Span(3, 7, "IDNUM"), Span(8, 11, "PATIENT")))
    report = i2b2_2014_official([(note, note.spans[:1])])
    assert report["Strict"]["recall"]["micro"] == 0.5
    assert report["HIPAA Strict"]["recall"]["micro"] == 0.0
    assert (
        i2b2_2014_official([(note, note.spans[:1])], hipaa={"IDNUM", "PATIENT"})["HIPAA Strict"]["recall"]["micro"]
        == 0.5
    )


def test_macro_is_the_mean_over_documents_and_its_f1_of_nothing_is_null():
    found = Document("a", "Ann", (Span(0, 3, "PATIENT"),))
    missed = Document("b", "Bob", (Span(0, 3, "PATIENT"),))
    empty = Document("c", "no one", ())
    report = i2b2_2014_official([(found, found.spans), (missed, ()), (empty, ())])
    # The empty document and the missed one both count 0: 1/3, against 1/2 for the pooled recall.
    assert report["Strict"]["recall"] == {"macro": 1 / 3, "micro": 0.5}
    assert report["Strict"]["precision"] == {"macro": 1 / 3, "micro": 1.0}
    assert report["DATE Strict"]["f1"] == {"macro": None, "micro": 0.0}


def test_a_letter_outside_ascii_parts_tokens_and_a_span_without_any_is_one_empty_token():
    # "Garc" and "a"; the prediction found the second token only; "--" is one empty token at its end.
    note = Document("n", "García --", (Span(0, 6, "PATIENT"), Span(7, 9, "DATE")))
    report = i2b2_2014_official([(note, (Span(5, 6, "PATIENT"), Span(8, 9, "DATE")))])
    assert report["Token"]["recall"]["micro"] == 2 / 3
    assert report["Token"]["precision"]["micro"] == 1.0


def test_merging_joins_across_punctuation_and_forgives_the_pieces():
    #                       0123456789012345
    note = Document("n", "Ana, Luz  y  Eva", (Span(0, 8, "NAME"), Span(13, 16, "NAME")))
    # Two pieces joined over ", " make the first gold span; the letter between keeps the third apart.
    report = meddocan_official([(note, (Span(0, 3, "NAME"), Span(5, 8, "NAME"), Span(13, 16, "NAME")))])
    assert report["spans_strict"] == {"precision": 1 / 3, "recall": 0.5, "f1": 0.4}
    assert report["spans_merged"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_a_joined_span_ends_where_its_last_member_ends_even_if_that_one_is_nested():
    note = Document("n", "abcdefgh", (Span(0, 8, "NAME"), Span(2, 5, "NAME")))
    report = meddocan_official([(note, (Span(0, 5, "NAME"),))])
    # Gold merges to 0-5, so 0-5 agrees and contains 2-5; 0-8 is missed.
    assert report["spans_merged"]["recall"] == 0.5
    assert report["spans_merged"]["precision"] == 1.0


TEXT = "ab-c  1.2é/x y\nz"
SPAN = st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.sampled_from("AB")).map(
    lambda t: Span(min(t[:2]), max(t[:2]), t[2])
)
NOTES = st.lists(st.tuples(st.lists(SPAN, max_size=6), st.lists(SPAN, max_size=6)), min_size=1, max_size=3)


def merged_by_hand(gold: list[Span], predicted: list[Span]) -> tuple[int, int, int]:
    """True positives, false positives and false negatives of one note, one span after the other."""

    def join(places: set[tuple[int, int]]) -> set[tuple[int, int]]:
        out: list[tuple[int, int]] = []
        for start, end in sorted(places):
            if out and not any(letter.isalnum() for letter in TEXT[out[-1][1] : start]):
                out[-1] = (out[-1][0], end)
            else:
                out.append((start, end))
        return set(out)

    g, p = ({(span.start, span.end) for span in side} for side in (gold, predicted))
    agreed = (g & p) | (join(g) & join(p))

    def wrong(places: set, others: set) -> int:
        return sum(not any(a <= s and e <= b for a, b in agreed) for s, e in places - others)

    return len(agreed), wrong(p, g), wrong(g, p)


@settings(max_examples=75, deadline=None)
@given(NOTES)
def test_merged_equals_joining_one_span_after_the_other(notes):
    pairs = [(Document(str(i), TEXT, tuple(gold)), predicted) for i, (gold, predicted) in enumerate(notes)]
    right, spurious, missed = (sum(column) for column in zip(*(merged_by_hand(*note) for note in notes), strict=True))
    report = meddocan_official(pairs)["spans_merged"]
    assert report["precision"] == (right / (right + spurious) if right + spurious else 0.0)
    assert report["recall"] == (right / (right + missed) if right + missed else 0.0)
