"""One bad note fails alone, and a failed note has no text."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

import deidlab
from deidlab.deidentifier import Deidentified, Deidentifier, Failure, checkpoint_digest, load
from deidlab.labels import LabelSet
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

LABELS = LabelSet("one", ("PATIENT",))


@dataclass
class Finds:
    """Finds `Smith`; what goes wrong, goes wrong in notes that hold `trouble`."""

    trouble: str = ""
    name: str = "finds"
    labels: LabelSet = LABELS
    calls: int = 0

    @property
    def losses(self) -> Losses:
        return Losses()

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        self.calls += 1
        for document in documents:
            at = document.text.find("Smith")
            spans = (Span(at, at + 5, "PATIENT"),) if at >= 0 else ()
            answer = Prediction(document.id, spans, document.fingerprint)
            if "trouble" not in document.text:
                yield answer
                continue
            match self.trouble:
                case "raises":
                    raise RuntimeError(f"index out of range in {document.text}")
                case "skips":
                    continue
                case "outside":
                    yield replace(answer, spans=(Span(0, len(document.text) + 1, "PATIENT"),))
                case "empty span":
                    yield replace(answer, spans=(Span(3, 3, "PATIENT"),))
                case "other text":
                    yield replace(answer, fingerprint=Document("x", "another").fingerprint)
                case "other note":
                    yield replace(answer, document_id="another")


def deidentifier(trouble: str = "") -> Deidentifier:
    return Deidentifier(Finds(trouble), Redactor(Policy(rules={"NAME": "mask"})))


def test_a_text_a_document_and_many_of_them():
    one = deidentifier().deidentify("Mr Smith, again")
    assert one.text == "Mr [NAME], again"
    assert [(s.start, s.end, s.label) for s in one.spans] == [(3, 9, "PATIENT")]
    assert one.offsets.to_new(8) == 9
    assert deidentifier().deidentify(Document("n", "Smith")).id == "n"
    assert [r.text for r in deidentifier().deidentify(["Smith", "", " \n", "none"])] == ["[NAME]", "", " \n", "none"]
    assert [r.id for r in deidentifier().deidentify(["a", Document("n", "b")])] == ["note-1", "n"]


@pytest.mark.parametrize("trouble", ["raises", "skips", "outside", "empty span", "other text", "other note"])
def test_a_bad_note_fails_alone_and_its_text_is_in_no_reason(trouble):
    notes = ["Mr Smith", "trouble with Mr Smith of Boston", "Ms Smith"]
    first, bad, last = deidentifier(trouble).deidentify(notes)
    assert (first.text, last.text) == ("Mr [NAME]", "Ms [NAME]")
    assert isinstance(bad, Failure) and not hasattr(bad, "text")
    assert bad.reason and "Smith" not in bad.reason and "Boston" not in bad.reason
    with pytest.raises(DataError) as raised:
        deidentifier(trouble).deidentify(notes[1])
    assert "Smith" not in str(raised.value) and raised.value.__cause__ is None


def test_good_notes_are_predicted_together():
    one = deidentifier()
    one.deidentify(["Smith"] * 10)
    assert one.system.calls == 1


def test_a_redactor_that_refuses_a_note_fails_that_note_alone():
    broken = Deidentifier(Finds(), Refuses(Policy(rules={"NAME": "mask"})))
    first, second = broken.deidentify(["Mr Smith", "Ms Smith, refuse"])
    assert isinstance(first, Deidentified) and second == Failure("note-2", "no patient")


class Refuses(Redactor):
    def redact(self, document, spans, names=()):
        if "refuse" in document.text:
            raise DataError("no patient")
        return super().redact(document, spans, names)


def test_a_label_that_is_kept_keeps_no_name():
    text = "Dr. Ireland left Texas Children's Hospital and Kenya."
    assert load(None).deidentify(text).text == "Dr. [NAME] left [HOSPITAL] and Kenya."
    several = deidlab.deidentifier.with_rules(Country(), Policy.load("hipaa_safe_harbor"), None)
    redactor = Redactor(Policy.load("hipaa_safe_harbor"))
    assert Deidentifier(several, redactor).deidentify("Dr. Ireland came.").text == "Dr. [NAME] came."
    assert Deidentifier(several, redactor).deidentify("In Ireland.").text == "In Ireland."


class Country:
    """A model that is sure of a country."""

    name, labels, losses = "country", LabelSet("places", ("COUNTRY",)), Losses()

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        for document in documents:
            at = document.text.index("Ireland")
            yield Prediction(document.id, (Span(at, at + 7, "COUNTRY", 0.99),), document.fingerprint)


def test_halves_of_utf16_pairs_are_refused_with_their_place():
    with pytest.raises(DataError, match="half of a UTF-16 pair at character 3"):
        deidentifier().deidentify("abc\ud800")


def test_nothing_prints_the_text():
    assert "Boston" not in repr(deidentifier().deidentify("Mr Smith of Boston"))


def test_importing_deidlab_loads_nothing_heavy_and_load_is_there():
    code = "import sys, deidlab; print([m for m in ('torch', 'numpy', 'deidlab.types') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert deidlab.load is load
    with pytest.raises(AttributeError, match="laod"):
        _ = deidlab.laod


def test_what_is_wrong_is_known_before_a_model_is_loaded(tmp_path):
    with pytest.raises(ConfigError, match="holds no model"):
        checkpoint_digest(tmp_path)
    with pytest.raises(ConfigError, match="neither a preset"):
        load(tmp_path, policy="hippa")
    with pytest.raises(ConfigError, match="key"):
        load(tmp_path, style="surrogate")
    with pytest.raises(ConfigError, match="no checkpoint"):
        load(tmp_path)


def test_what_was_taken_out_is_counted_and_what_was_kept_is_not():
    told = load(None, style="remove").deidentify("Seen on 03/04/2012, mail a.b@c.org. He is from Mexico.")
    assert sorted(told.replaced) == ["DATE", "EMAIL"] and "Mexico" in told.text


def test_texts_of_nobody_are_not_linked_by_their_surrogates():
    deidentifier = load(None, style="surrogate", key="5f1c9a70e3b84d26a91e7c30d4f2b865")
    one, other, again = (deidentifier.deidentify(f"Dr. Smith {verb}.").text for verb in ("came", "left", "came"))
    assert one == again and one.split()[1] != other.split()[1]
