"""Noise moves offsets with the text: an identifier is still the identifier."""

import random
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.synthesis import noise
from deidlab.synthesis.noise import NONE, Noise, dictated, roughen, wrap
from deidlab.synthesis.notes import assemble
from deidlab.synthesis.resources import load_yaml
from deidlab.types import ConfigError

NOTE = [
    ("Mr. ", None),
    ("Ade Bello", "patient_name"),
    (", ", None),
    ("45", "age"),
    ("-year-old, was seen.\nNext visit ", None),
    ("3/4/2019", "date"),
    (".", None),
]


def values(pieces):
    text, spans = assemble(pieces)
    return [(s.label, text[s.start : s.end]) for s in spans]


def test_without_noise_nothing_changes():
    assert roughen(NOTE, NONE, 0.0, random.Random(0)) == NOTE


def test_speech_has_no_punctuation_and_ages_in_words():
    text, _ = assemble(dictated(NOTE))
    assert text == "mr ade bello forty five year old was seen next visit 3/4/2019 "
    assert values(dictated(NOTE)) == [("patient_name", "ade bello"), ("age", "forty five"), ("date", "3/4/2019")]


def test_lines_break_inside_of_names_too():
    wrapped = wrap(NOTE, 6)
    assert ("patient_name", "Ade\nBello") in values(wrapped)
    assert assemble(wrapped)[0].replace("\n", " ") == assemble(NOTE)[0].replace("\n", " ")


def test_punctuation_stands_alone():
    spaced = roughen(NOTE, Noise(0, 0, 0, 0, 0, 0, 0, spaced_punctuation=1, speech=0, flat=0), 0.0, random.Random(0))
    assert assemble(spaced)[0] == "Mr . Ade Bello , 45-year-old , was seen .\nNext visit 3/4/2019 ."


@pytest.mark.parametrize("printed", ["|", "I", "O", ","])
def test_letters_are_misread_as_the_engine_misreads_them(printed):
    measured = {f"x{read}x" for read in load_yaml("misread.yaml")[printed]}
    drawn = {noise._misread(f"x{printed}x", 1, False, random.Random(seed)) for seed in range(500)}
    assert drawn & measured and drawn <= measured | {f"x{printed}x"}


def test_a_letter_that_is_never_misread_stays():
    assert noise._misread("x\N{SNOWMAN}x", 1, False, random.Random(0)) == "x\N{SNOWMAN}x"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 0.2))
def test_labels_keep_their_order_whatever_happens(seed, rate):
    loud = Noise(rate, rate, rate, rate, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)
    found = values(roughen(NOTE, loud, 0.1, random.Random(seed)))
    assert [label for label, _ in found] == ["patient_name", "age", "date"]
    assert all(value and value == value.strip() for _, value in found)


def test_a_typo_leaves_no_blank_edge_on_an_identifier():
    for seed in range(300):
        (text, _), *_ = roughen([("Pavilion B", "department")], Noise(typos=0.3), 0.0, random.Random(seed))
        assert text == text.strip()


def test_unknown_kinds_are_listed():
    with pytest.raises(ConfigError, match="unknown noise smudges; choose from typos, ocr"):
        noise.noise_of({"smudges": 0.1})
    assert noise.noise_of({"ocr": 0.5}) == Noise(ocr=0.5) and noise.noise_of(None) == Noise()


def test_the_configs_name_every_kind_with_its_usual_rate():
    for path, settings_of in (
        ("conf/data/synthetic.yaml", lambda c: c),
        ("conf/data/synthetic_fairness.yaml", lambda c: c),
        ("conf/synthesize.yaml", lambda c: c["settings"]),
    ):
        rates = settings_of(yaml.safe_load((Path(__file__).parents[2] / path).read_text(encoding="utf-8")))["noise"]
        assert rates == asdict(Noise()), path
