"""A de-identifier that needs no model: it finds a few words, and fails where a note says so."""

import re
from collections.abc import Iterable, Iterator

import pytest

from deidlab.bulk.engines import here
from deidlab.deidentifier import Deidentifier
from deidlab.labels import LabelSet
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.types import Document, Losses, Prediction, Span


class Words:
    """A system that knows two surnames and dates, and cannot stand the word `boom`."""

    name = "words"
    labels = LabelSet("words", ("PATIENT", "DATE"))
    losses = Losses()
    _known = re.compile(r"(?P<PATIENT>Smith|Muñoz)|(?P<DATE>\d\d/\d\d/\d{4})")

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        for document in documents:
            if "boom" in document.text:
                raise ValueError(f"cannot read {document.text}")  # as a library's error may quote a note
            spans = tuple(Span(*m.span(), m.lastgroup) for m in self._known.finditer(document.text))
            yield Prediction(document.id, spans, document.fingerprint)


@pytest.fixture
def deidentifier() -> Deidentifier:
    return Deidentifier(Words(), Redactor(Policy(rules={"NAME": "mask", "DATE": "mask"})))


@pytest.fixture
def engine(deidentifier):
    return here(lambda: deidentifier)


@pytest.fixture
def masked(deidentifier):
    """What becomes of a source's notes: rendered bytes, or the reason of the failure."""

    def go(source) -> list:
        from deidlab.bulk.engines import Shard
        from deidlab.bulk.job import settled
        from deidlab.deidentifier import Failure

        shard = Shard(0, list(source.notes()))
        results = deidentifier.results(shard.documents)
        return [
            result.reason if isinstance(result, Failure) else rendered
            for rendered, result in settled(source, shard, results)
        ]

    return go
