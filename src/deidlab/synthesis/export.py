"""Synthetic notes to files, in constant memory: our JSON lines, brat, i2b2 XML, CoNLL, Nemotron's parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from deidlab.corpora import brat, conll, i2b2_2014
from deidlab.corpora.files import private
from deidlab.corpora.jsonl import to_line
from deidlab.labels import LabelSet
from deidlab.synthesis import nemotron
from deidlab.synthesis.corpus import VOCABULARY
from deidlab.synthesis.vocabulary import FINE_TYPES, NAMES
from deidlab.types import ConfigError, DataError, Document, Losses

FORMATS = ("jsonl", "brat", "i2b2", "conll", "nemotron")
BATCH = 256


def export(documents: Iterable[Document], folder: str | Path, form: str, labels: LabelSet | None = None) -> Losses:
    """Write documents below `folder`, their fine types mapped to `labels` if given; returns what the map left out.

    Raises `ConfigError` that lists the formats, and `DataError` for a folder that holds something already.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format {form!r}; choose from {', '.join(FORMATS)}")
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} exists and is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    losses = Losses()
    if labels is not None:
        mapping = labels.mapping_for(VOCABULARY, [t for t in FINE_TYPES if t in labels.maps.get(VOCABULARY, {})])
        documents = (labels.relabel(document, _complete(mapping, document, labels), losses) for document in documents)
    match form:
        case "jsonl":
            with open(folder / "notes.jsonl", "x", encoding="utf-8", opener=private) as file:
                file.writelines(map(to_line, documents))
        case "nemotron":
            nemotron.write(documents, folder / "notes.parquet")
        case "conll":
            for number, batch in enumerate(_batches(documents)):
                conll.write(batch, folder / f"notes-{number:05d}.conll")
        case "brat" | "i2b2":
            write = brat.write if form == "brat" else i2b2_2014.write
            for batch in _batches(documents):
                write(batch, folder)
    return losses


def _complete(mapping: dict[str, str], document: Document, labels: LabelSet) -> dict[str, str]:
    """The mapping, checked to know every label of the document."""
    missing = {span.label for span in document.spans} - set(mapping)
    if missing & set(NAMES):
        raise ConfigError(f"label set {labels.name} has first and last names apart: set settings.convention=parts")
    return labels.mapping_for(VOCABULARY, {span.label for span in document.spans}) if missing else mapping


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        yield batch
