"""What is released: surrogates where something was found, leaks where nothing was, and who is told apart by whom."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.attacks.release import release, surrogates_by
from deidlab.types import Document, Span

TEXT = "Mr. Rowan Ashgrove, 54, was seen by Dr. Tamsin Quill on 03/04/2012. Phone 555-0199."
GOLD = {
    "patient": Span(4, 18, "PATIENT"),
    "age": Span(20, 22, "AGE"),
    "doctor": Span(40, 52, "DOCTOR"),
    "date": Span(56, 66, "DATE"),
    "phone": Span(74, 82, "PHONE"),
}
NOTE = Document("n1", TEXT, tuple(sorted(GOLD.values())))
I2B2 = surrogates_by("i2b2", 1)


def shown(released):
    """Label, text and fate of each apparent identifier."""
    text = released.note.text
    return [(s.label, text[s.start : s.end], fate) for s, fate in zip(released.note.spans, released.fates, strict=True)]


def test_the_whole_gold_found_leaves_surrogates_only():
    found = shown(release(NOTE, NOTE.spans, I2B2))
    assert [(label, fate) for label, _, fate in found] == [
        (label, "replaced") for label in ("PATIENT", "DOCTOR", "DATE", "PHONE")
    ]
    assert not {text for _, text, _ in found} & {"Rowan Ashgrove", "Tamsin Quill", "03/04/2012", "555-0199"}


def test_what_was_missed_stands_there_and_looks_like_the_others():
    found = shown(release(NOTE, [GOLD["patient"], GOLD["date"]], I2B2))
    assert [(label, fate) for label, _, fate in found] == [
        ("PATIENT", "replaced"),
        ("DOCTOR", "leaked"),
        ("DATE", "replaced"),
        ("PHONE", "leaked"),
    ]
    assert found[1][1] == "Tamsin Quill" and found[3][1] == "555-0199"


def test_half_a_name_found_is_one_identifier_with_a_surrogate_and_a_leak():
    (first, *_) = shown(release(NOTE, [Span(4, 9, "PATIENT")], I2B2))
    label, text, fate = first
    assert (label, fate) == ("PATIENT", "partly")
    assert text.endswith(" Ashgrove") and not text.startswith("Rowan")


def test_blanks_and_points_that_are_left_over_leak_nothing():
    note = Document("n1", "Seen by Quill, T.", (Span(8, 17, "DOCTOR"),))
    found = shown(release(note, [Span(8, 13, "DOCTOR"), Span(15, 16, "DOCTOR")], I2B2))
    assert [fate for _, _, fate in found] == ["replaced", "replaced"]


def test_ages_and_what_the_policy_keeps_take_no_part():
    released = release(NOTE, [GOLD["age"]], I2B2)
    assert "AGE" not in {span.label for span in released.note.spans}
    assert ", 54, " in released.note.text


def test_a_name_taken_for_an_age_and_so_left_as_it_was_has_leaked():
    note = Document("n1", "Bed 54 was given to Quill", (Span(4, 6, "PATIENT"),))
    assert shown(release(note, [Span(4, 6, "AGE")], I2B2)) == [("PATIENT", "54", "leaked")]


def test_a_surrogate_of_what_was_no_identifier_looks_like_one():
    note = Document("n1", "Given to Ashgrove daily")
    ((label, text, fate),) = shown(release(note, [Span(9, 17, "PATIENT")], I2B2))
    assert (label, fate) == ("PATIENT", "replaced") and text != "Ashgrove"


def test_a_mask_is_no_apparent_identifier():
    note = Document("n1", "Seen on the 31st of Nonember", (Span(8, 28, "DATE"),))
    released = release(note, note.spans, I2B2)
    assert (released.note.text, released.note.spans, released.masked) == ("Seen on [DATE]", (), 1)


def test_the_seed_is_the_key():
    one, same, other = (release(NOTE, NOTE.spans, surrogates_by("i2b2", seed)) for seed in (1, 1, 2))
    assert one == same and one.note.text != other.note.text


@given(st.lists(st.sampled_from(sorted(GOLD)), unique=True))
@settings(max_examples=60, deadline=None)
def test_each_hidden_identifier_has_leaked_if_and_only_if_it_was_missed(names):
    found = shown(release(NOTE, [GOLD[name] for name in names], I2B2))
    hidden = [name for name in GOLD if name != "age"]
    assert [fate for _, _, fate in found] == ["replaced" if name in names else "leaked" for name in hidden]
    for name, (_, text, fate) in zip(hidden, found, strict=True):
        assert (text == TEXT[GOLD[name].start : GOLD[name].end]) == (fate == "leaked")
