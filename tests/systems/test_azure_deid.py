"""Microsoft's two services, against a server that speaks their protocols: offsets, chunks, labels, refusals, errors."""

from pathlib import Path

import pytest
import yaml

from deidlab.labels import LabelSet
from deidlab.systems import azure_deid
from deidlab.types import ConfigError, DataError, Document, Span

ROOT = Path(__file__).parents[2]
LABELS = LabelSet("two", ("NAME", "DATE"), "BIO")
MAP = dict.fromkeys(azure_deid.DEID_LABELS, "O") | {"Patient": "NAME", "Doctor": "NAME", "Date": "DATE"}
TEXT = "naïve 😀 Ann came to Dr Lee on 3/4."


def units(text):
    return {"utf8": len(text.encode()), "utf16": len(text.encode("utf-16-le")) // 2, "codePoint": len(text)}


def tagged(*found, changed=False):
    """The answer of the operation Tag for names and dates in what was sent."""

    def answer(asked):
        text = asked.body["inputText"]
        entities = [
            {"category": label, "offset": units(text[: text.index(quote)]), "length": units(quote),
             "text": quote.upper() if changed else quote, "confidenceScore": 0.75}
            for quote, label in found if quote in text
        ]  # fmt: skip
        return {"body": {"taggerResult": {"entities": entities}}}

    return answer


def recognised(*found):
    """The answer of PII recognition."""

    def answer(asked):
        (document,) = asked.body["analysisInput"]["documents"]
        text = document["text"]
        entities = [
            {
                "category": label,
                "offset": text.index(quote),
                "length": len(quote),
                "text": quote,
                "confidenceScore": 0.5,
            }
            for quote, label in found
            if quote in text
        ]
        results = {"documents": [{"id": "1", "entities": entities}], "errors": []}
        return {"body": {"kind": "PiiEntityRecognitionResults", "results": results}}

    return answer


def deid(server, **settings):
    return azure_deid.load(server.url, LABELS, **{"send_phi": True, "label_map": MAP, "pause": 0.01, **settings})


def language(server, **settings):
    own = {"Person": "NAME", "DateTime": "DATE"}
    return deid(server, **{"service": "language", "label_map": own, **settings})


def test_code_points_are_taken_of_the_three_units_of_offsets(service, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret")
    service.answer = tagged(("Ann", "Patient"), ("Lee", "Doctor"), ("3/4", "Date"), ("came", "Profession"))
    ready = deid(service, key_variable="TOKEN")
    (found,) = ready.predict([Document("n1", TEXT)])
    assert [(TEXT[s.start : s.end], s.label, s.score) for s in found.spans] == [
        ("Ann", "NAME", 0.75),
        ("Lee", "NAME", 0.75),
        ("3/4", "DATE", 0.75),
    ]
    (asked,) = service.asked
    assert asked.path == "/deid?api-version=2024-11-15" and asked.headers["authorization"] == "Bearer s3cret"
    assert asked.body == {"operation": "Tag", "inputText": TEXT}
    assert ready.usage.to_dict()["characters"] == {str(len(TEXT)): 1}
    assert ready.losses.rows() == [{"reason": "mapped_to_O", "label": "Profession", "count": 1}]


def test_a_language_that_the_service_does_not_take_is_refused(service):
    with pytest.raises(ConfigError, match=r"system\.language=es: version 2024-11-15 of service deid takes no language"):
        deid(service, language="es")


def test_language_is_asked_for_code_points_and_for_no_log(service, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret")
    service.answer = recognised(("Ann", "Person"), ("3/4", "DateTime"), ("Lee", "USPassport"))
    ready = language(service, key_variable="KEY")
    (found,) = ready.predict([Document("n1", TEXT)])
    assert found.spans == (Span(8, 11, "NAME"), Span(30, 33, "DATE"))
    (asked,) = service.asked
    assert asked.path == "/language/:analyze-text?api-version=2023-04-01"
    assert asked.headers["ocp-apim-subscription-key"] == "s3cret"
    assert asked.body["parameters"] == {"domain": "phi", "stringIndexType": "UnicodeCodePoint", "loggingOptOut": True}
    assert ready.losses.rows() == [{"reason": "unknown_label", "label": "USPassport", "count": 1}]
    (found,) = language(service, other="NAME").predict([Document("n1", TEXT)])
    assert len(found.spans) == 3


@pytest.mark.parametrize("make", [deid, language])
def test_long_notes_are_sent_in_parts_without_losing_offsets(service, make):
    answers = (tagged(("Ann", "Patient")), recognised(("Ann", "Person")))
    service.answer = answers[make is language]
    text = "\n\n".join(f"😀 {i}: Ann came." for i in range(30))
    (found,) = make(service, chunk_characters=40).predict([Document("long", text)])
    assert len(service.asked) > 10 and {text[s.start : s.end] for s in found.spans} == {"Ann"}


def test_nothing_is_sent_unless_the_config_says_so(service):
    for consent in (False, "true", None):
        with pytest.raises(ConfigError, match=r"system=azure_deid sends .* to http://127.*send_phi=true"):
            deid(service, send_phi=consent)
    assert service.asked == []


def test_settings_that_cannot_work_are_named(service):
    for settings, message in (
        ({"service": "x"}, "expected deid or language"),
        ({"chunk_characters": 99_999}, "takes between 1 and 12000"),
        ({"key_variable": "SURELY_NOT_SET"}, "environment variable SURELY_NOT_SET"),
        ({"other": "WHO"}, "is no type of two"),
    ):
        with pytest.raises(ConfigError, match=message):
            deid(service, **settings)
    with pytest.raises(ConfigError, match=r"system\.base_url="):
        azure_deid.load(None, LABELS, send_phi=True)
    with pytest.raises(DataError, match=r"no place for these labels.*Account, Age"):
        deid(service, label_map={"Patient": "NAME"})


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"taggerResult": {}}, {"taggerResult": {"entities": [{"category": "Patient"}]}},
        {"taggerResult": {"entities": ["Zyxomma"]}},
        {"taggerResult": {"entities": [{"category": "Patient", "offset": units("a"), "length": units("a" * 99)}]}},
    ],
)  # fmt: skip
def test_an_answer_that_is_not_one_is_an_error_of_its_note(service, body):
    service.replies({"body": body})
    with pytest.raises(DataError, match="n1: azure_deid: the service") as error:
        list(deid(service).predict([Document("n1", TEXT)]))
    assert "Zyxomma" not in str(error.value)


def test_a_service_that_changes_the_text_is_an_error(service):
    service.answer = tagged(("Ann", "Patient"), changed=True)
    with pytest.raises(DataError, match="Patient at 8-11 states another text than it was sent") as error:
        list(deid(service).predict([Document("n1", TEXT)]))
    assert "ANN" not in str(error.value)


def test_a_document_that_language_could_not_process_is_an_error(service):
    service.replies({"body": {"results": {"documents": [], "errors": [{"id": "1", "error": {"message": "Zyxomma"}}]}}})
    with pytest.raises(DataError, match="n1: azure_language: the service did not process the text"):
        list(language(service).predict([Document("n1", TEXT)]))


def test_a_busy_service_is_asked_again(service):
    service.replies(
        {"body": {}, "status": 429, "headers": {"retry-after": "0"}}, {"body": {"taggerResult": {"entities": []}}}
    )
    (found,) = deid(service).predict([Document("n1", TEXT)])
    assert found.spans == () and found.failed is None and len(service.asked) == 2


@pytest.mark.parametrize("name", ["binary", "i2b2_2014", "jsl7"])
def test_the_shipped_maps_place_every_category(service, name):
    def read(file):
        content = yaml.safe_load((ROOT / "conf" / file).read_text("utf-8"))
        return {key: value for key, value in content.items() if key != "_target_"}

    labels = LabelSet(**read(f"labels/{name}.yaml"))
    settings = {**read("system/azure_deid.yaml"), "base_url": service.url, "send_phi": True, "key_variable": None}
    for kind in ("deid", "language"):
        ready = azure_deid.load(labels=labels, **{**settings, "service": kind})
        assert ready.mapping and set(ready.mapping.values()) <= {*labels.types, "O"}
