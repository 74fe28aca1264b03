"""Slices of a table: the documents that share a value of a key of their meta, or of a crossing of keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from deidlab.types import ConfigError

Key = tuple[str, ...]  # one key of the meta, or several crossed

LENGTH_BIN = "length_bin"  # derived from the text
RARE_NAME = "rare_name"  # a slice of spans rather than of documents (`familiarity.py`)
# Keys worth a table wherever notes have them; crossings and rarer keys must be asked for.
AUTO = ("note_type", "institution", "culture", "gender")
MOST = 200  # values of one key; a table of every patient is a mistake
MOST_AUTO = 40
LENGTHS = (100, 300, 1000, 3000)  # words, the first of each bin after the shortest
NONE = "(none)"  # the value of documents without the key, where others have it


@dataclass(frozen=True, eq=False)
class Slice:
    """Documents that share `value` of `key`; `members` are their indices, `name` is what rows call it."""

    key: Key
    value: Key
    members: np.ndarray

    @property
    def name(self) -> str:
        return ", ".join(f"{k}={v}" for k, v in zip(self.key, self.value, strict=True))


def length_bin(words: int) -> str:
    """The bin of a document with so many words (white-space separated), e.g. `100-299`."""
    for low, high in pairwise((0, *LENGTHS)):
        if words < high:
            return f"{low}-{high - 1}"
    return f"{LENGTHS[-1]}+"


def parse(stated: Literal["auto"] | Iterable[str | Sequence[str]]) -> tuple[Key, ...] | Literal["auto"]:
    """Keys and crossings as they stand in a config. Raises `ConfigError` for anything else."""
    if stated == "auto":
        return "auto"
    if isinstance(stated, str) or not all(isinstance(one, str | Sequence) for one in stated):
        raise ConfigError(
            "evaluation.slices must be auto or a list of keys and crossings, e.g. [note_type, [culture, gender]]"
        )
    keys = tuple((one,) if isinstance(one, str) else tuple(one) for one in stated)
    if any(RARE_NAME in key and len(key) > 1 for key in keys):
        raise ConfigError(f"evaluation.slices: {RARE_NAME} is about spans, not documents: it cannot be crossed")
    return keys


def check(keys: Iterable[Key], known: Collection[str]) -> None:
    """Raise `ConfigError` that lists the keys there are if some key is on no document."""
    derived = {LENGTH_BIN, RARE_NAME}
    if absent := sorted({part for key in keys for part in key} - {*known, *derived}):
        there = ", ".join(sorted({*known, *derived}))
        raise ConfigError(f"evaluation.slices: no document has {', '.join(absent)}; there are {there}")


def automatic(meta: Sequence[Mapping[str, str]]) -> tuple[Key, ...]:
    """The keys of `AUTO`, and the length, that have at least two values and not too many."""
    chosen = []
    for key in (*AUTO, LENGTH_BIN):
        if 2 <= len({one[key] for one in meta if key in one}) <= MOST_AUTO:
            chosen.append((key,))
    return tuple(chosen)


def slices(meta: Sequence[Mapping[str, str]], key: Key) -> list[Slice]:
    """The slices of one key, in the order of its values (lengths by length). Raises `ConfigError` for too many."""
    values: dict[Key, list[int]] = {}
    for number, one in enumerate(meta):
        values.setdefault(tuple(one.get(part, NONE) for part in key), []).append(number)
    if len(values) > MOST:
        raise ConfigError(f"evaluation.slices: {' x '.join(key)} has {len(values)} values; {MOST} at most make a table")
    return [Slice(key, value, np.array(values[value])) for value in sorted(values, key=_order)]


def _order(value: Key) -> tuple[tuple[int, str], ...]:
    """Sort by number where values begin with one."""
    digits = [part.split("-")[0].rstrip("+") for part in value]
    return tuple((int(d) if d.isdecimal() else -1, part) for d, part in zip(digits, value, strict=True))
