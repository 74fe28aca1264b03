"""Synthetic notes to files, in constant memory: our JSON lines, brat, i2b2 XML, CoNLL, Nemotron's parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deidlab.corpora import writing
from deidlab.labels import LabelSet
from deidlab.synthesis import nemotron
from deidlab.synthesis.corpus import VOCABULARY
from deidlab.synthesis.vocabulary import FINE_TYPES, NAMES
from deidlab.types import ConfigError, Document, Losses

FORMATS = (*writing.FORMATS, "nemotron")


def export(documents: Iterable[Document], folder: str | Path, form: str, labels: LabelSet | None = None) -> Losses:
    """Write documents below `folder`, their fine types mapped to `labels` if given; returns what the map left out.

    Raises `ConfigError` that lists the formats, and `DataError` for a folder that holds something already.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format {form!r}; choose from {', '.join(FORMATS)}")
    losses = Losses()
    if labels is not None:
        mapping = labels.mapping_for(VOCABULARY, [t for t in FINE_TYPES if t in labels.maps.get(VOCABULARY, {})])
        documents = (labels.relabel(document, _complete(mapping, document, labels), losses) for document in documents)
    if form == "nemotron":
        nemotron.write(documents, writing.new_folder(folder) / "notes.parquet")
    else:
        writing.write(documents, folder, form)
    return losses


def _complete(mapping: dict[str, str], document: Document, labels: LabelSet) -> dict[str, str]:
    """The mapping, checked to know every label of the document."""
    missing = {span.label for span in document.spans} - set(mapping)
    if missing & set(NAMES):
        raise ConfigError(f"label set {labels.name} has first and last names apart: set settings.convention=parts")
    return labels.mapping_for(VOCABULARY, {span.label for span in document.spans}) if missing else mapping
