"""Batches of a table as pandas frames: what Spark's `mapInPandas` maps, and anything else that speaks frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from deidlab.bulk.notes import check_text
from deidlab.deidentifier import Deidentifier, Failure, load
from deidlab.types import ConfigError, DataError, Document

if TYPE_CHECKING:
    import pandas as pd

FAILED = "failed"
EXACT = 2**53  # from here on floats skip whole numbers


def deidentified_frames(
    frames: Iterable[pd.DataFrame],
    model: str | None,
    *,
    text_column: str = "text",
    id_column: str | None = None,
    patient_column: str | None = None,
    **settings: Any,
) -> Iterator[pd.DataFrame]:
    """The frames with their texts de-identified, and a column `failed`: why a row has no text (null: it has).

    `settings` are those of `deidlab.load`, which a process calls once for the same model and settings. Columns other
    than the text stay as they are, whatever they hold. Raises `ConfigError` for a column that is not there.
    """
    deidentifier = _loaded(model, **settings)
    for number, frame in enumerate(frames):
        _check_columns(frame, [text_column, *filter(None, (id_column, patient_column))])
        rows = [
            _row(text, name, patient, f"frame {number} row {row}")
            for row, (text, name, patient) in enumerate(
                zip(*(_values(frame, column) for column in (text_column, id_column, patient_column)), strict=True)
            )
        ]
        results = iter(deidentifier.results([row for row in rows if isinstance(row, Document)]))
        done = [row if not isinstance(row, Document) else next(results) for row in rows]
        failed = [one.reason if isinstance(one, Failure) else None for one in done]
        texts = [getattr(one, "text", None) for one in done]
        yield frame.assign(**{text_column: texts, FAILED: failed})


@lru_cache(maxsize=1)
def _loaded(model: str | None, **settings: Any) -> Deidentifier:
    return load(model, **settings)


def _check_columns(frame: pd.DataFrame, wanted: list[str]) -> None:
    if missing := [column for column in wanted if column not in frame.columns]:
        raise ConfigError(f"there is no column {missing[0]!r}; the columns: {', '.join(map(str, frame.columns))}")
    if FAILED in frame.columns:
        raise ConfigError(f"there is a column {FAILED!r} already: rename it")


def _values(frame: pd.DataFrame, column: str | None) -> list[Any]:
    return [None] * len(frame) if column is None else frame[column].tolist()


def _row(text: Any, name: Any, patient: Any, place: str) -> Document | Failure | None:
    """A document; what is wrong with the text; or nothing, where there is none."""
    if is_missing(text):
        return None
    document_id = place if is_missing(name) else str(name)
    try:
        known = {} if is_missing(patient) or patient == "" else {"patient": written(patient, place)}
        if not isinstance(text, str):
            raise DataError(f"{place}: the text is a {type(text).__name__}; expected a string")
        check_text(text, place)
    except DataError as error:
        return Failure(document_id, str(error))
    if is_missing(name):  # equal rows are treated alike wherever they stand
        document_id = Document("", text).fingerprint
    return Document(document_id, text, meta=known)


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, or pandas' own NA, which refuses to be compared."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def written(patient: Any, place: str) -> str:
    """A patient's name as text, the same in every batch: a null among whole numbers makes pandas write all as floats.

    Raises `DataError` for a float that may stand for several whole numbers.
    """
    if not isinstance(patient, float):
        return str(patient)
    if abs(patient) >= EXACT:
        raise DataError(f"{place}: the patient is a float too large to be exact; give the patient column as strings")
    return str(int(patient)) if patient.is_integer() else str(patient)
