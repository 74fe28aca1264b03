"""A system inside Presidio: its spans come out of the analyzer, renamed as asked, and no others."""

from dataclasses import dataclass

import pytest

from deidlab.interop.presidio import recognizer
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError, Prediction, Span

analyzer = pytest.importorskip("presidio_analyzer", reason="needs Presidio: pip install -e '.[presidio]'")


TYPES = LabelSet("two", ("PATIENT", "DATE"))


@dataclass(frozen=True)
class Finder:
    """A system that finds the word Smith, and a year."""

    labels: LabelSet = TYPES
    name: str = "finder"

    def predict(self, documents):
        for document in documents:
            known = (("Smith", "PATIENT", 0.9), ("2012", "DATE", None))
            at = [(document.text.find(word), word, label, score) for word, label, score in known]
            spans = [Span(start, start + len(word), label, score) for start, word, label, score in at if start >= 0]
            yield Prediction(document.id, tuple(spans), document.fingerprint)


def test_spans_are_results_with_offsets_names_and_scores():
    found = recognizer(Finder(), entities={"PATIENT": "PERSON"}).analyze("Mr Smith, seen 2012", [])
    assert [(r.entity_type, r.start, r.end, r.score) for r in found] == [("PERSON", 3, 8, 0.9), ("DATE", 15, 19, 1.0)]


def test_only_the_entities_asked_for_are_given():
    one = recognizer(Finder(), entities={"PATIENT": "PERSON"})
    assert one.supported_entities == ["PERSON", "DATE"]
    assert [r.entity_type for r in one.analyze("Mr Smith, seen 2012", ["DATE"])] == ["DATE"]


def test_a_system_that_failed_is_an_error_and_not_a_note_without_identifiers():
    class Failing(Finder):
        def predict(self, documents):
            yield from (Prediction(d.id, (), d.fingerprint, failed="no answer") for d in documents)

    with pytest.raises(DataError, match="failed on this note"):
        recognizer(Failing()).analyze("Mr Smith, seen 2012", [])


def test_it_joins_an_analyzer():
    spacy = pytest.importorskip("spacy")
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": spacy.blank("en")}
    registry = RecognizerRegistry()
    registry.add_recognizer(recognizer(Finder()))
    found = AnalyzerEngine(registry=registry, nlp_engine=engine).analyze("Mr Smith, seen 2012", language="en")
    assert {(r.entity_type, r.start, r.end) for r in found} == {("PATIENT", 3, 8), ("DATE", 15, 19)}


def test_a_type_that_the_system_does_not_have_is_told():
    with pytest.raises(ConfigError, match="HOSPITAL"):
        recognizer(Finder(), entities={"HOSPITAL": "ORGANIZATION"})
