"""A run as a component of a spaCy pipeline: what it finds in a text are the spans of `doc.spans["deidlab"]`.

import deidlab.interop.spacy  # makes "deidlab" known to spaCy
nlp.add_pipe("deidlab", config={"run": "outputs/001"})
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deidlab.deidentifier import Deidentifier, Failure, load
from deidlab.types import ConfigError, DataError, Document

try:
    from spacy.language import Language
    from spacy.tokens import Doc, SpanGroup
    from spacy.util import minibatch
except ImportError:
    raise ConfigError('a spaCy component needs the extra: pip install "deidlab[spacy]"') from None


@dataclass(frozen=True)
class Component:
    """Puts what a de-identifier finds into the span group `key`, with `scores` among its attributes.

    A span that begins or ends inside a token of spaCy covers the whole token. A text that could not be processed raises
    `DataError`: a document without spans is one in which nothing was found.
    """

    deidentifier: Deidentifier
    key: str = "deidlab"

    def __call__(self, doc: Doc) -> Doc:
        return self.marked([doc])[0]

    def pipe(self, stream: Iterable[Doc], batch_size: int = 128) -> Iterator[Doc]:
        """The documents of a stream, many at once."""
        for docs in minibatch(stream, size=batch_size):
            yield from self.marked(list(docs))

    def marked(self, docs: list[Doc]) -> list[Doc]:
        """The documents with their spans."""
        asked = [Document(f"doc-{number}", doc.text) for number, doc in enumerate(docs, start=1)]
        for doc, found in zip(docs, self.deidentifier.found(asked), strict=True):
            if isinstance(found, Failure):
                raise DataError(f"{found.id}: {found.reason}")
            # Never None: a span is grown to whole tokens, and lies within the text.
            spans: Any = [doc.char_span(s.start, s.end, s.label, alignment_mode="expand") for s in found.spans]
            doc.spans[self.key] = SpanGroup(
                doc, name=self.key, spans=spans, attrs={"scores": [span.score for span in found.spans]}
            )
        return docs


@Language.factory("deidlab", default_config={"rules": True, "consistency": True, "key": "deidlab", "device": "auto"})
def component(nlp: Language, name: str, run: str, rules: bool, consistency: bool, key: str, device: str) -> Component:
    """The component of a run or an exported one; its settings are those of `deidlab.load`."""
    return Component(load(run, rules=rules, consistency=consistency, device=device), key)
