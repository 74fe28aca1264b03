"""Twins differ in identifiers, and in the words that agree with gender, and in nothing else."""

import re

import pytest

from deidlab.synthesis.people import GENDERS, cultures
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.twins import twins
from deidlab.types import ConfigError

PAIRS = (
    "she he|her his him|hers his|herself himself|mrs mr ms miss|wife husband|girlfriend boyfriend|f m|female male"
    "|woman man|lady gentleman man|girl boy|girl infant boy|baby|mother father"
)
GENDERED = {word for pair in PAIRS.split("|") for word in pair.split()} | {"young", "infant", "a", "an"}


def without_identifiers(document):
    """The text with each span replaced by its label."""
    out, at = [], 0
    for span in document.spans:
        out += [document.text[at : span.start], f"<{span.label}>"]
        at = span.end
    return "".join(out) + document.text[at:]


def neutral(text):
    return [word for word in re.split(r"(\W)", text) if word.lower() not in GENDERED]


def test_every_cell_has_its_twin():
    notes = list(twins(Settings(), 3, seed=1))
    assert len(notes) == 3 * len(cultures()) * len(GENDERS)
    assert len({n.id for n in notes}) == len(notes)
    assert {n.meta["twin"] for n in notes} == {"1-0000000", "1-0000001", "1-0000002"}


def test_twins_of_one_gender_are_equal_but_for_identifiers():
    cells = [(culture, "male") for culture in cultures()]
    for tie, group in by_twin(twins(Settings(), 12, seed=2, cells=cells)).items():
        assert len({without_identifiers(n) for n in group}) == 1, tie
        assert len({n.text for n in group}) > 1, tie


def test_twins_of_both_genders_differ_in_words_of_gender_only():
    cells = [("us", "female"), ("us", "male")]
    for tie, (her, him) in by_twin(twins(Settings(), 40, seed=3, cells=cells)).items():
        assert neutral(without_identifiers(her)) == neutral(without_identifiers(him)), tie
        assert [s.label for s in her.spans] == [s.label for s in him.spans]


def test_pronouns_agree():
    cells = [("spanish", "female"), ("spanish", "male")]
    for her, him in by_twin(twins(Settings(note_types=["progress_note"]), 30, seed=4, cells=cells)).values():
        assert not re.search(r"\bhimself\b|\bgentleman\b", her.text)
        assert not re.search(r"\bherself\b|\blady\b", him.text)


def by_twin(notes):
    groups = {}
    for note in notes:
        groups.setdefault(note.meta["twin"], []).append(note)
    return groups


def test_bad_requests_list_the_choices():
    with pytest.raises(ConfigError, match="mandarin"):
        list(twins(Settings(), 1, 0, cells=[("martian", "female")]))
    with pytest.raises(ConfigError, match="at least 1"):
        list(twins(Settings(), 0, 0))
