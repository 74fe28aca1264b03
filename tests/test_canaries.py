"""Canaries: planted where they say, as often as they say, and told by nothing but digests."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.canaries import Canaries, Form, digest, planted
from deidlab.types import ConfigError, Document, Span

FORMS = {
    "number": {"pattern": "AA-9999999", "label": "IDNUM", "sentence": "Archive {} was checked."},
    "name": {"pattern": "Cvccvc Cvcv", "label": "PATIENT", "sentence": "A copy went to {}."},
}
NOTES = [Document(f"n{i}", "Mr Smith came.", (Span(3, 8, "PATIENT"),), {"patient": f"p{i}"}) for i in range(12)]
CANARIES = Canaries.of(FORMS, secrets=3, copies=[4, 1])


@settings(max_examples=30, deadline=None)
@given(st.text("9AaCcv-x ", min_size=6, max_size=12), st.integers(0, 99))
def test_a_secret_has_the_form_of_its_pattern(pattern, seed):
    form = Form("f", pattern, "ID", "{}")
    if form.possible < 6:
        return
    classes = {
        "9": r"\d",
        "A": "[A-Z]",
        "a": "[a-z]",
        "C": "[B-DF-HJ-NP-TV-Z]",
        "c": "[b-df-hj-np-tv-z]",
        "v": "[aeiou]",
    }
    expected = "".join(classes.get(letter, re.escape(letter)) for letter in pattern)
    secrets = form.secrets(3, seed)
    assert len(set(secrets)) == 3 and all(re.fullmatch(expected, secret) for secret in secrets)
    assert secrets[:2] == form.secrets(2, seed), "fewer are the first of more"


def test_each_secret_stands_in_as_many_notes_as_it_says_and_is_annotated_there():
    notes, record = planted(NOTES, CANARIES, seed=5)
    for form in CANARIES.forms:
        for copies, secrets in CANARIES.drawn(form, 5).items():
            for secret in secrets:
                hosts = [note for note in notes if secret in note.text]
                assert len(hosts) == copies
                for host in hosts:
                    assert form.label in {s.label for s in host.spans if host.text[s.start : s.end] == secret}
                assert {"form": form.name, "copies": copies, "sha256": digest(secret)} in record
    assert len(record) == 2 * 3 * 3


def test_the_notes_themselves_stay_as_they_were():
    notes, _ = planted(NOTES, CANARIES, seed=5)
    for before, after in zip(NOTES, notes, strict=True):
        assert after.text.startswith(before.text) and after.spans[:1] == before.spans
        assert (after.id, after.meta) == (before.id, before.meta)
        assert list(after.spans) == sorted(after.spans)
    assert planted(NOTES, CANARIES, seed=5)[0] == notes != planted(NOTES, CANARIES, seed=6)[0]


def test_the_record_holds_no_secret():
    written = json.dumps(planted(NOTES, CANARIES, seed=5)[1])
    secrets = [s for form in CANARIES.forms for group in CANARIES.drawn(form, 5).values() for s in group]
    assert len(secrets) == 18 and not [secret for secret in secrets if secret in written]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"secrets": 0}, "secrets must be 1"), ({"copies": []}, "different"), ({"copies": [2, 2]}, "different"),
     ({"types": ("DATE",)}, "number.label is IDNUM, no type"),
     ({"forms": {"f": {"pattern": "9", "label": "IDNUM", "sentence": "none"}}}, "f.sentence needs one")],
)  # fmt: skip
def test_what_cannot_be_planted_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        Canaries.of(**{"forms": FORMS, "secrets": 3, "copies": [1], **change})


def test_a_form_with_few_secrets_and_more_copies_than_notes_are_refused():
    with pytest.raises(ConfigError, match="has 10 secrets, too few"):
        Form("f", "9", "ID", "{}").secrets(6, 0)
    with pytest.raises(ConfigError, match="copies has 4; there are 3 notes"):
        planted(NOTES[:3], CANARIES, seed=5)
