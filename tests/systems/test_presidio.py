"""Presidio as a system: the real library with its patterns, in two languages, and what is said when it is absent."""

import sys
from pathlib import Path

import pytest
import yaml

from deidlab.labels import LabelSet
from deidlab.systems import presidio
from deidlab.types import ConfigError, DataError, Document

TYPES = ("PATIENT", "DATE", "EMAIL", "PHONE", "URL", "IPADDR", "DEVICE", "IDNUM", "ACCOUNT", "LICENSE", "HEALTHPLAN",
         "SSN", "LOCATION-OTHER", "ORGANIZATION", "AGE")  # fmt: skip
LABELS = LabelSet("i2b2_2014", TYPES)
MAP = yaml.safe_load((Path(__file__).parents[2] / "conf/system/presidio.yaml").read_text("utf-8"))["label_map"]


@pytest.fixture(scope="module")
def english():
    pytest.importorskip("presidio_analyzer", reason="the extra presidio is not installed")
    return presidio.load(LABELS, MAP, threshold=0.35)


def found(system, text):
    (prediction,) = system.predict([Document("a", text)])
    return [(text[s.start : s.end], s.label) for s in prediction.spans]


def test_its_patterns_find_identifiers_at_their_offsets(english):
    text = "Call 617-555-0123 or write to beth@mail.example.com, seen 06/02/2022 by Dr. Vance."
    assert found(english, text) == [
        ("617-555-0123", "PHONE"), ("beth@mail.example.com", "EMAIL"), ("06/02/2022", "DATE"),
    ]  # fmt: skip
    assert english.name == "presidio (patterns only, en)"


def test_spanish_has_its_own_patterns(english):
    spanish = presidio.load(LABELS, MAP, language="es", threshold=0.35)
    assert found(spanish, "DNI 12345678Z, del 06/02/2022") == [("12345678Z", "IDNUM"), ("06/02/2022", "DATE")]


def test_long_notes_are_read_to_their_end(english):
    text = "no identifiers in this sentence. " * 5000 + "Write to beth@mail.example.com"
    assert found(english, text) == [("beth@mail.example.com", "EMAIL")]


def test_a_failure_is_an_error_of_that_note_without_its_text(english, monkeypatch):
    def fail(text, *args, **kwargs):
        raise RuntimeError(text)

    monkeypatch.setattr(english.analyzer, "analyze", fail)
    with pytest.raises(DataError, match=r"^a: Presidio failed on this note \(RuntimeError\)$"):
        found(english, "Beth")


def test_a_map_that_misses_entities_lists_them_and_a_model_must_be_there(english):
    with pytest.raises(ConfigError, match=r"no place for these entities of Presidio: .*EMAIL_ADDRESS.*PHONE_NUMBER"):
        presidio.load(LABELS, {"DATE_TIME": "DATE"})
    with pytest.raises(ConfigError, match="spacy_model=no_such_model is not installed"):
        presidio.load(LABELS, MAP, spacy_model="no_such_model")


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ConfigError, match=r'needs the extra: pip install -c constraints.txt -e "\.\[presidio\]"'):
        presidio.load(LABELS, MAP)
