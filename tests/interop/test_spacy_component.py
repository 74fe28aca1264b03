"""A run inside spaCy: its spans are a span group, whole tokens, and a text that fails is an error."""

import re
import subprocess
import sys

import pytest

from deidlab.deidentifier import Deidentifier
from deidlab.labels import LabelSet
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.types import DataError, Prediction, Span


class Names:
    """A system that knows whom Mr precedes, and cannot stand the word `boom`."""

    name = "names"
    labels = LabelSet("names", ("PATIENT",))

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, documents):
        documents = list(documents)
        self.batches.append(len(documents))
        for document in documents:
            if "boom" in document.text:
                raise ValueError(f"cannot read {document.text}")
            spans = tuple(Span(*m.span(), "PATIENT", 0.5) for m in re.finditer(r"(?<=Mr )[A-Z][a-z]+", document.text))
            yield Prediction(document.id, spans, document.fingerprint)


@pytest.fixture
def nlp():
    return pytest.importorskip("spacy", reason="needs spaCy: pip install -e '.[spacy]'").blank("en")


@pytest.fixture
def component(nlp):
    from deidlab.interop.spacy import Component

    return Component(Deidentifier(Names(), Redactor(Policy())))


def test_spans_are_a_group_of_whole_tokens_with_scores(nlp, component):
    doc = component(nlp("Seen by Mr Smith and Mr McNeil2."))
    group = doc.spans["deidlab"]
    assert [(span.text, span.label_) for span in group] == [("Smith", "PATIENT"), ("McNeil2", "PATIENT")]
    assert group.attrs["scores"] == [0.5, 0.5]
    assert component(nlp("Nothing here")).spans["deidlab"].attrs == {"scores": []}


def test_many_texts_go_through_together_in_their_order(nlp, component):
    docs = list(component.pipe(map(nlp, (f"Mr Smith {i} Mr Ng" for i in range(5))), batch_size=4))
    assert [doc.text for doc in docs] == [f"Mr Smith {i} Mr Ng" for i in range(5)]
    assert all([span.text for span in doc.spans["deidlab"]] == ["Smith", "Ng"] for doc in docs)
    assert component.deidentifier.system.batches == [4, 1]


def test_a_text_that_fails_is_an_error_without_its_words(nlp, component):
    with pytest.raises(DataError, match=r"^doc-2: ValueError") as raised:
        list(component.pipe(map(nlp, ["Mr Smith", "boom Mr Smith"])))
    assert "Smith" not in str(raised.value)


def test_spacy_knows_it_by_name_and_refuses_what_is_no_run(nlp, tmp_path):
    import deidlab.interop.spacy  # noqa: F401

    with pytest.raises(Exception, match="holds no"):
        nlp.add_pipe("deidlab", config={"run": str(tmp_path)})


def test_without_spacy_the_extra_is_named():
    script = (
        "import sys; sys.modules['spacy'] = None; sys.modules['spacy.language'] = None; import deidlab.interop.spacy"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode and "deidlab[spacy]" in ended.stderr.splitlines()[-1]
