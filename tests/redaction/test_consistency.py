"""A name found once is found at every other place of its note, and only there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.consistency import propagate
from deidlab.redaction.policy import Policy
from deidlab.types import Document, Span


def repeats(text: str, *mentions: tuple[str, str]) -> list[str]:
    """What is found beside the first mention of each (text, label), with ten characters before it."""
    spans = [Span(text.index(shown), text.index(shown) + len(shown), label) for shown, label in mentions]
    document = Document("d", text)
    return [text[s.start : s.end] for s in propagate(document, spans) if s not in spans]


def test_words_of_a_name_in_any_casing_and_with_a_possessive():
    text = (
        "Mr. John Smith was seen. Smith's wife called. SMITH, JOHN. smith came; john too. Blacksmith, Smithson, Johns."
    )
    assert repeats(text, ("John Smith", "PATIENT")) == ["Smith", "SMITH, JOHN", "smith", "john"]


def test_accents_and_apostrophes():
    assert repeats("Sra. García. GARCIA garcía García-López", ("García", "PATIENT")) == ["GARCIA", "garcía", "García"]
    assert repeats("Dr. O'Neil saw. O’Neil's note, ONEIL", ("O'Neil", "DOCTOR")) == ["O’Neil", "ONEIL"]


def test_words_that_are_ordinary_count_inside_sentences_and_behind_titles_only():
    text = "Will Long wrote. Will do. How long? it will. Dr. Long agreed with Will; WILL LONG"
    assert repeats(text, ("Will Long", "DOCTOR")) == ["Long", "Will", "WILL LONG"]


def test_months_stay_months():
    text = (
        "Mrs. May came in May 2014. On May 3 she left. May it help. Later Mrs. May wept, and with May we spoke; may be"
    )
    assert repeats(text, ("May", "PATIENT")) == ["May", "May"]


def test_headings_in_capitals_say_nothing_of_ordinary_words():
    assert repeats("Mr. Price came.\nPRICE LIST\nseen by Price today", ("Price", "PATIENT")) == ["Price"]


def test_eponyms_are_no_patients():
    text = "James Parkinson has Parkinson's disease. Parkinson is well. Parkinson disease."
    assert repeats(text, ("James Parkinson", "PATIENT")) == ["Parkinson"]


def test_short_words_count_as_part_of_the_whole_name_only():
    assert repeats("Wu Li and li wu; Li went. Wu Li again. LI, WU", ("Wu Li", "PATIENT")) == ["Wu Li", "LI, WU"]
    assert repeats("J. Ng came. Ng left.", ("J. Ng", "PATIENT")) == []


def test_numbers_and_addresses_stand_whole():
    text = "MRN 1234567; acc. 1234567, 12345678, A1234567. a@b.com (a@b.com). room 12, 12"
    found = repeats(text, ("1234567", "MRN"), ("a@b.com", "EMAIL"), ("12,", "ID"))
    assert found == ["1234567", "a@b.com"]


def test_the_label_is_that_of_the_mention():
    text = "Dr. Jane Roe and Mr. Sam Poe. Roe told Poe."
    spans = [Span(4, 12, "DOCTOR"), Span(21, 28, "PATIENT")]
    new = propagate(Document("d", text), spans)[2:]
    assert [(text[s.start : s.end], s.label, s.score) for s in new] == [
        ("Roe", "DOCTOR", None),
        ("Poe", "PATIENT", None),
    ]


def test_places_are_no_names():
    assert repeats("Boston is far. boston", ("Boston", "CITY")) == []


@pytest.mark.parametrize("label", ["first_name", "NOMBRE_SUJETO_ASISTENCIA", "HCW", "clinician_name"])
def test_names_of_any_label_set(label):
    assert repeats("Anne Lister came. Lister left", ("Anne Lister", label)) == ["Lister"]


@given(st.text("abAB .'\n", max_size=40), st.integers(0, 39), st.integers(1, 12))
@settings(deadline=None)
def test_what_was_found_stays_and_what_is_new_lies_in_the_text(text, start, length):
    if start >= len(text):
        return
    span = Span(start, min(len(text), start + length), "PATIENT")
    out = propagate(Document("d", text), [span])
    assert span in out and list(out) == sorted(out)
    assert all(0 <= s.start < s.end <= len(text) for s in out)
    assert propagate(Document("d", text), out)[: len(out)] is not None


def test_numbers_that_begin_alike_and_names_that_share_a_word_are_told_apart():
    text = "(617) 555-0199, 617-555-0100; Ann Bell; Ann Dale. Again (617) 555-0199 617-555-0100 617-555-01001 BELL, Ann"
    found = repeats(
        text, ("(617) 555-0199", "PHONE"), ("617-555-0100", "PHONE"), ("Ann Bell", "PATIENT"), ("Ann Dale", "PATIENT")
    )
    assert found == ["(617) 555-0199", "617-555-0100", "BELL, Ann"]


@pytest.mark.parametrize("shown", ["ab-1234567", "AB1234567", "AB 1234567", "ab.123/45 67"])
def test_a_number_is_found_in_other_casing_and_punctuation(shown):
    assert repeats(f"MRN AB-1234567. Order label {shown}.", ("AB-1234567", "MEDICALRECORD")) == [shown]


@pytest.mark.parametrize("shown", ["AB-12345678", "1AB-1234567", "AB--1234567", "AB-123456", "B-1234567"])
def test_another_number_is_not(shown):
    assert repeats(f"MRN AB-1234567. Order label {shown}.", ("AB-1234567", "MEDICALRECORD")) == []


def test_a_short_number_is_looked_for_as_it_stands_alone():
    assert repeats("Room 20145 in 2014 5 times; 20145", ("20145", "IDNUM")) == ["20145"]


def test_an_address_is_found_in_any_casing():
    assert repeats("Jo.Do@x.org, jo.do@X.ORG", ("Jo.Do@x.org", "EMAIL")) == ["jo.do@X.ORG"]


def test_a_place_that_is_kept_keeps_no_name():
    text = "Mr. Israel was seen. On exam, Israel denies pain."
    spans = [Span(4, 10, "PATIENT"), Span(30, 36, "COUNTRY")]
    assert Span(30, 36, "PATIENT") in propagate(Document("d", text), spans, Policy.load("hipaa_safe_harbor"))


def test_of_a_name_with_two_labels_the_one_that_is_taken_out_is_repeated():
    policy = Policy.from_mapping({"base": "hipaa_safe_harbor", "rules": {"DOCTOR": "keep"}})
    text = "Dr. Smith saw Mary Smith. Later smith was discharged."
    new = propagate(Document("d", text), [Span(4, 9, "DOCTOR"), Span(14, 24, "PATIENT")], policy)[2:]
    assert new == (Span(32, 37, "PATIENT"),)
