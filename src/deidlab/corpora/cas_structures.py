"""What of a UIMA CAS matters to notes: the text of its initial view, and feature structures with offsets and features.

The layers written are INCEpTION's built-in ones, which every project of it has: NamedEntity with `value`, and the
document's metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deidlab.corpora.utf16 import units_of
from deidlab.types import Document

INITIAL_VIEW = "_InitialView"
NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
METADATA = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
SOFA = "uima.cas.Sofa"
DOCUMENT_ANNOTATION = "uima.tcas.DocumentAnnotation"
# The types we write: super type, and features that are strings.
TYPES = {
    METADATA: (DOCUMENT_ANNOTATION, ("documentTitle", "documentId")),
    NAMED_ENTITY: ("uima.tcas.Annotation", ("value", "identifier")),
}


@dataclass(frozen=True, slots=True)
class Structure:
    """A feature structure of the view; `begin` and `end` in UTF-16 code units, None where it has none."""

    id: str
    type: str
    begin: int | None
    end: int | None
    features: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Cas:
    """The text of the initial view (None where it has none) and the feature structures that are members of it."""

    text: str | None = field(repr=False)
    structures: tuple[Structure, ...]


def short(type_name: str) -> str:
    """The last part of a type's name, as the user of INCEpTION knows the layer."""
    return type_name.rpartition(".")[2]


def structures_of(document: Document) -> Iterator[Structure]:
    """A document as feature structures: its metadata first, then its spans."""
    unit = units_of(document.text)
    named = {"documentTitle": document.id, "documentId": document.id}
    yield Structure("2", METADATA, 0, unit(len(document.text)), named)
    for number, span in enumerate(document.spans, start=3):
        yield Structure(str(number), NAMED_ENTITY, unit(span.start), unit(span.end), {"value": span.label})
