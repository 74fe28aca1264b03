"""Documents to files in a new folder, in constant memory: our JSON lines, brat, i2b2 XML, CoNLL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from deidlab.corpora import brat, conll, i2b2_2014
from deidlab.corpora.files import private
from deidlab.corpora.jsonl import to_line
from deidlab.types import ConfigError, DataError, Document

FORMATS = ("jsonl", "brat", "i2b2", "conll")
BATCH = 256


def write(documents: Iterable[Document], folder: str | Path, form: str) -> None:
    """Write documents below `folder`, in the layout that `data=jsonl`, `brat`, `i2b2_2014` or `conll` reads.

    Raises `ConfigError` that lists the formats, and `DataError` for a folder that holds something already.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format {form!r}; choose from {', '.join(FORMATS)}")
    folder = new_folder(folder)
    match form:
        case "jsonl":
            with open(folder / "notes.jsonl", "x", encoding="utf-8", opener=private) as file:
                file.writelines(map(to_line, documents))
        case "conll":
            for number, batch in enumerate(_batches(documents)):
                conll.write(batch, folder / f"notes-{number:05d}.conll")
        case "brat" | "i2b2":
            write_batch = brat.write if form == "brat" else i2b2_2014.write
            for batch in _batches(documents):
                write_batch(batch, folder)


def new_folder(folder: str | Path) -> Path:
    """The folder, made if need be; raises `DataError` for one that holds something already."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        yield batch
