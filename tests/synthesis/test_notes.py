"""Notes: exact spans, one function of (settings, seed, index), and conventions that hold."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.synthesis.noise import NONE, Noise
from deidlab.synthesis.notes import write_note
from deidlab.synthesis.people import cultures
from deidlab.synthesis.settings import Settings, note_types
from deidlab.synthesis.stream import generate
from deidlab.synthesis.vocabulary import FINE_TYPES, NAMES
from deidlab.types import ConfigError

EVERYONE = dict.fromkeys(cultures(), 1.0)
LOUD = Noise(*(0.3 if field in ("upper", "lower", "wrapped", "spaced_punctuation", "speech", "flat") else 0.02
               for field in Noise.__dataclass_fields__))  # fmt: skip


def check(document):
    end = 0
    for span in document.spans:
        value = document.text[span.start : span.end]
        assert value and value == value.strip(), f"{document.id}: blank edge at {span.start}"
        assert span.start >= end, f"{document.id}: overlap at {span.start}"
        assert span.label in FINE_TYPES
        end = span.end
    assert end <= len(document.text)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    culture=st.sampled_from(cultures()),
    noise=st.sampled_from((NONE, Noise(), LOUD)),
    convention=st.sampled_from(("whole", "parts")),
    native=st.sampled_from((0.0, 1.0)),
)
def test_spans_slice_never_overlap_and_have_no_blank_edges(seed, culture, noise, convention, native):
    chosen = Settings(cultures={culture: 1.0}, noise=noise, convention=convention, native_script=native)
    for document in generate(chosen, 8, seed):
        check(document)


def test_ten_thousand_spans_of_everyone():
    spans = 0
    for document in generate(Settings(cultures=EVERYONE), 1200, 7):
        check(document)
        spans += len(document.spans)
    assert spans > 10_000


@pytest.mark.slow
def test_a_hundred_thousand_spans_over_seeds_cultures_and_noise():
    spans = seed = 0
    while spans < 100_000:
        noise = (NONE, Noise(), LOUD)[seed % 3]
        culture = cultures()[seed % len(cultures())]
        convention = ("whole", "parts")[seed // 3 % 2]
        chosen = Settings(cultures={culture: 1.0}, noise=noise, convention=convention, native_script=seed % 5 / 4)
        for document in generate(chosen, 200, seed):
            check(document)
            spans += len(document.spans)
        seed += 1
    assert seed > len(cultures())


def test_notes_of_visits_are_long_and_their_identifiers_few():
    notes = list(generate(Settings(note_types=["progress_note", "emergency_note"]), 300, 5))
    words = sum(len(d.text.split()) for d in notes) / len(notes)
    assert words > 200 and sum(len(d.spans) for d in notes) / len(notes) < words / 25


def test_a_note_is_a_function_of_seed_and_index():
    chosen = Settings(cultures=EVERYONE)
    stream = list(generate(chosen, 30, 3))
    assert stream[17] == write_note(chosen, 3, 17)
    assert list(generate(chosen, 10, 3, start=20)) == stream[20:]
    assert stream[0].text != next(generate(chosen, 1, 4)).text


def test_processes_write_the_same_bytes():
    chosen = Settings(cultures=EVERYONE)
    assert list(generate(chosen, 150, 5, workers=2)) == list(generate(chosen, 150, 5))


def test_bodies_differ_once_identifiers_are_gone():
    from deidlab.synthesis.statistics import Statistics

    statistics = Statistics.of(generate(Settings(cultures=EVERYONE), 1000, 11))
    assert len(statistics.bodies) == 1000
    assert set(statistics.types) == set(note_types())


def test_titles_and_units_lie_outside_of_spans():
    for document in generate(Settings(noise=NONE), 300, 1):
        for span in document.spans:
            value = document.text[span.start : span.end]
            if span.label in NAMES:
                assert not re.match(r"(Dr|Mr|Mrs|Ms|Miss)\b", value), document.id
            if span.label in ("age", "age_over_89"):
                assert re.fullmatch(r"\d{1,3}('?s)?|[a-z -]+", value, re.IGNORECASE), document.id


def test_ages_over_89_have_their_own_type():
    for document in generate(Settings(noise=NONE), 400, 2):
        for span in document.spans:
            value = document.text[span.start : span.end]
            if span.label.startswith("age") and value.isdigit():
                assert (span.label == "age_over_89") == (int(value) > 89)


def test_parts_separate_first_and_last_names_and_join_date_and_time():
    labels = {s.label for d in generate(Settings(convention="parts"), 200, 1) for s in d.spans}
    assert {"patient_first_name", "patient_last_name", "date_time"} <= labels
    assert not labels & set(NAMES)


def test_a_discharge_summary_can_be_long():
    chosen = Settings(note_types=["discharge_summary"], long=1.0)
    lengths = [len(d.text.split()) for d in generate(chosen, 5, 0)]
    assert min(lengths) > 1500 and max(lengths) > 3000


def test_balanced_cells_have_equal_shares():
    from collections import Counter

    chosen = Settings(cultures={"us": 1, "korean": 1, "hindi": 1}, balanced=True)
    cells = Counter((d.meta["culture"], d.meta["gender"]) for d in generate(chosen, 60, 0))
    assert set(cells.values()) == {10} and len(cells) == 6


@pytest.mark.parametrize(
    ("wrong", "choice"),
    [
        ({"cultures": {"klingon": 1}}, "mandarin"),
        ({"note_types": ["sonnet"]}, "discharge_summary"),
        ({"institutions": ["acme"]}, "westover"),
        ({"convention": "other"}, "parts"),
        ({"mixing": 1.5}, "0..1"),
        ({"note_types": []}, "progress_note"),
        ({"cultures": {"us": -1}}, "weights of culture"),
        ({"genders": {"female": 0, "male": 0}}, "weights of gender"),
    ],
)
def test_bad_settings_list_the_choices(wrong, choice):
    with pytest.raises(ConfigError, match=choice):
        Settings(**wrong)


def test_bad_rates_and_sizes():
    with pytest.raises(ConfigError, match=r"noise.typos is 2; expected a rate in 0..1"):
        Noise(typos=2)
    with pytest.raises(ConfigError, match="count is 0"):
        generate(Settings(), 0, 1)
    with pytest.raises(ConfigError, match="workers is 0"):
        generate(Settings(), 1, 1, workers=0)
