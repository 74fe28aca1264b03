"""The service on a real socket, over a de-identifier that needs no model."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from deidlab.deidentifier import Deidentifier
from deidlab.labels import LabelSet
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.types import Document, Losses, Prediction, Span


class Names:
    """A system that knows names in Mr NAME and MRN NUMBER, and cannot stand the word `boom`."""

    name = "names"
    labels = LabelSet("names", ("PATIENT", "MEDICALRECORD"))
    losses = Losses()
    _known = re.compile(r"(?<=Mr )(?P<PATIENT>\w+)|(?<=MRN )(?P<MEDICALRECORD>\d+)")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        documents = list(documents)
        self.batches.append(len(documents))
        for document in documents:
            if "boom" in document.text:
                raise ValueError(f"cannot read {document.text}")  # as a library's error may quote a note
            spans = tuple(Span(*m.span(), m.lastgroup, 0.5) for m in self._known.finditer(document.text))
            yield Prediction(document.id, spans, document.fingerprint)


@pytest.fixture
def deidentifier() -> Deidentifier:
    return Deidentifier(Names(), Redactor(Policy(rules={"NAME": "mask", "ID": "mask"})))


@contextmanager
def running(app) -> Iterator:
    """An httpx client of an application that uvicorn serves on a free port of this machine."""
    import httpx
    import uvicorn

    from deidlab.cli.serve import listening

    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, access_log=False, log_config=None, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=120) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture
def served(deidentifier) -> Callable[..., object]:
    """Start the service with some settings: `with served(token=...) as client`."""
    for needed in ("fastapi", "uvicorn", "prometheus_client"):
        pytest.importorskip(needed, reason=f'{needed} is not installed: pip install -e ".[serve]"')
    from deidlab.service.app import create

    def go(**settings):
        return running(create(settings.pop("deidentifier", deidentifier), **settings))

    return go
