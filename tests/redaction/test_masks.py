"""What a mask shows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction import masks


def test_whoever_is_named_is_a_name():
    assert [masks.mask(kind) for kind in ("PATIENT", "CLINICIAN", "LAST_NAME", "NAME", "USERNAME", "ZIP")] == [
        "[NAME]", "[NAME]", "[NAME]", "[NAME]", "[USERNAME]", "[ZIP]"]  # fmt: skip


@given(st.text(max_size=30))
@settings(deadline=None)
def test_a_mask_of_the_same_length_shares_no_character_with_its_place(text):
    masked = masks.same_length(text)
    assert len(masked) == len(text)
    assert all(a != b for a, b in zip(text, masked, strict=True))


def test_tags_hold_nothing_but_a_number():
    assert masks.tag("DOCTOR", 3) == '<DOCTOR id="3"/>'
    assert masks.tag("CLINICIAN", 3) == '<NAME id="3"/>'
