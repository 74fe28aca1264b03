"""The same words in several places, and what their labels mean."""

from deidlab.inspection.mentions import (
    Meanings,
    annotated_elsewhere,
    inconsistent_labels,
    occurrences,
    unannotated_repeats,
)
from deidlab.types import Document, Span


def note(note_id, text, **spans):
    found = tuple(
        sorted(Span(text.index(words), text.index(words) + len(words), label) for label, words in spans.items())
    )
    return Document(note_id, text, found)


def test_labels_of_ones_own_mean_what_the_map_or_their_name_says():
    meanings = Meanings.of(["PER_NAME", "Klinik", "hcw", "misc"], {"Klinik": "HOSPITAL"})
    assert dict(meanings.types) == {"PER_NAME": "NAME", "Klinik": "HOSPITAL", "hcw": "CLINICIAN", "misc": "OTHER"}
    assert [meanings.group(label) for label in ("Klinik", "hcw", "misc")] == ["LOCATION", "NAME", "misc"]


def test_a_name_that_is_annotated_once_is_missing_elsewhere_in_its_note():
    text = "Thaddeus Quimby came. Quimby left. MRN 8841273, again 8841273."
    document = note("a", text, PER_NAME="Thaddeus Quimby", MRN="8841273")
    found = unannotated_repeats(document, Meanings.of(["PER_NAME", "MRN"]))
    assert [(text[f.start : f.end], f.label) for f in found] == [("Quimby", "PER_NAME"), ("8841273", "MRN")]


def test_two_people_of_a_name_are_no_inconsistency_and_one_name_with_two_labels_in_a_note_is():
    family = note("a", "Anna De Lee came with Mr De Lee; De Lee again", PATIENT="Anna De Lee", RELATIVE_NAME="De Lee;")
    family = Document(
        "a", family.text, (Span(0, 11, "PATIENT"), Span(25, 31, "RELATIVE_NAME"), Span(33, 39, "PATIENT"))
    )
    elsewhere = [note(f"b{n}", "Kim Lee", DOCTOR="Kim Lee") for n in range(12)] + [
        note("c", "Kim Lee", PATIENT="Kim Lee")
    ]
    meanings = Meanings.of(["PATIENT", "DOCTOR", "RELATIVE_NAME"])
    assert list(inconsistent_labels([family, *elsewhere], meanings)) == []
    spans = (Span(0, 7, "DOCTOR"), Span(9, 16, "DOCTOR"), Span(18, 25, "PATIENT"))
    mixed = Document("d", "Kim Lee, Kim Lee, Kim Lee", spans)
    (finding,) = inconsistent_labels([mixed], meanings)
    assert (finding.start, finding.label, finding.detail) == (
        18,
        "PATIENT",
        "these words are DOCTOR in 2 of 3 mentions",
    )


def test_a_place_that_is_annotated_everywhere_else_is_missing_where_it_is_not():
    notes = [note(f"n{n}", f"{n} at Hexley Grange", HOSPITAL="Hexley Grange") for n in range(5)]
    missed, often = Document("m", "to HEXLEY\nGRANGE"), [Document(f"o{n}", "Hexley Grange") for n in range(3)]
    meanings = Meanings.of(["HOSPITAL"])
    (finding,) = annotated_elsewhere([*notes, missed], meanings)
    assert (finding.document_id, finding.start, finding.end) == ("m", 3, 16)
    assert list(annotated_elsewhere([*notes, missed, *often], meanings)) == []  # then it is a habit, not a slip
    assert list(annotated_elsewhere([*notes[:4], missed], meanings)) == []  # seen too seldom to be sure


def test_occurrences_are_whole_words_in_any_casing():
    found = list(occurrences("Ann Lee, ann  LEE; Joann Lee. Ann Leeds", [("ann", "lee")]))
    assert [(start, end) for _, start, end in found] == [(0, 7), (9, 17)]
