"""Which format an input is in, by its name or as the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deidlab.bulk.notes import Reading
from deidlab.corpora.encodings import known
from deidlab.types import ConfigError, DataError

if TYPE_CHECKING:
    from deidlab.bulk.notes import Format

Name = Literal["auto", "txt", "brat", "i2b2", "jsonl", "csv", "parquet"]
OF_SUFFIX = {
    ".txt": "txt", ".xml": "i2b2", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet",
}  # fmt: skip
FOLDERS = ("txt", "brat", "i2b2")


def opened(path: Path, reading: Reading, name: str = "auto", spans: bool = False) -> Format:
    """The input as a format; `spans` puts annotations into the objects of JSON Lines too.

    Raises `ConfigError` for an encoding or a pattern that is none, and for a format that is not told by the name;
    `DataError` for an input that does not exist.
    """
    check(reading)
    if path.is_dir():
        from deidlab.bulk.text_files import TextFolder, folder_kind

        if name not in ("auto", *FOLDERS):
            raise ConfigError(f"{path} is a folder: --format {name} is read from a file; give that")
        return TextFolder(path, reading, folder_kind(path) if name == "auto" else name)  # type: ignore[arg-type]
    if not path.exists():
        raise DataError(f"{path} does not exist")
    if name == "auto":
        name = OF_SUFFIX.get(path.suffix.lower(), "")
    match name:
        case "txt" | "i2b2":
            from deidlab.bulk.text_files import TextFile

            return TextFile(path, reading, name)  # type: ignore[arg-type]
        case "jsonl":
            from deidlab.bulk.json_lines import JsonLines

            return JsonLines(path, reading, spans)
        case "csv":
            from deidlab.bulk.csv_tables import CsvTable

            table = CsvTable(path, reading)
            _ = table.columns  # a missing one is better known before a model is loaded
            return table
        case "parquet":
            from deidlab.bulk.parquet_tables import ParquetTable

            parquet = ParquetTable(path, reading)
            _ = parquet.file
            return parquet
    suffixes = ", ".join(OF_SUFFIX)
    raise ConfigError(f"{path.name}: a file of this name is not known ({suffixes}); say what it is with --format")


def check(reading: Reading) -> None:
    try:
        known(reading.encoding)
    except ConfigError:
        raise ConfigError(f"--encoding {reading.encoding!r} is none that Python knows, such as cp1252") from None
    try:
        groups = re.compile(reading.patient_pattern or "()").groups
    except re.error as error:
        raise ConfigError(f"--patient-pattern: {error}") from None
    if groups < 1:
        raise ConfigError("--patient-pattern has no group: put the patient in parentheses, as in '^([0-9]+)-'")


def check_places(
    source: Path, out: Path, model: Path | None = None, beside: Mapping[str, Path | None] | None = None
) -> None:
    """Raise `ConfigError` for an output that would overwrite the input or the model, or lie among the notes.

    `beside` are further files of the command by their options: written or read, no two may be one, or lie in those.
    """
    here, there = (path.expanduser().resolve() for path in (source, out))
    if there == here:
        raise ConfigError(f"--out {out} is the input itself: choose another place")
    if there.is_relative_to(here):
        raise ConfigError(f"--out {out} lies inside the input {source}: choose a place beside it")
    if here.is_relative_to(there):
        raise ConfigError(f"--out {out} holds the input {source}: choose a place beside it")
    weights = model.expanduser().resolve() if model else None
    if weights and (weights.is_relative_to(there) or there.is_relative_to(weights)):
        raise ConfigError(f"--out {out} and the model {model} lie in one another: choose another place")
    taken: dict[Path, str] = {}
    for option, path in (beside or {}).items():
        if path is None:
            continue
        file = path.expanduser().resolve()
        if file.is_relative_to(here):
            raise ConfigError(f"{option} {path} is the input or lies in it: choose a place beside it")
        if weights and file.is_relative_to(weights):
            raise ConfigError(f"{option} {path} lies in the model {model}: choose another place")
        if file.is_relative_to(there):
            raise ConfigError(f"{option} {path} is --out or lies in it: choose a place beside it")
        if option_of := taken.get(file):
            raise ConfigError(f"{option} and {option_of} are one file, {path}: choose another for one of them")
        taken[file] = option
