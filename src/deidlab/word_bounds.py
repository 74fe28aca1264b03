"""Where words begin and end: what is labelled, decoded and counted, never cut inside.

A word is a run of letters, marks and digits, or a single other character that is not blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import chain

import numpy as np
import regex

# Up to three digits in front of letters ("67F", "53yo", "10mg", "4th") part from them, so that an age can be labelled;
# any other mixture of letters and digits is an identifier and stays whole. Scripts written without blanks have no
# words to keep whole: each of their characters is a unit.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}"
_SOLID = rf"[\p{{L}}\p{{N}}--[{_UNSPACED}]]"
_JOINING = r"\p{M}\u200c\u200d"
WORD = regex.compile(
    rf"[{_UNSPACED}]\p{{M}}*"
    rf"|(?<![\p{{L}}\p{{M}}\p{{N}}])\p{{Nd}}{{1,3}}(?=[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]+(?!\p{{N}}))"
    rf"|{_SOLID}[{_SOLID}{_JOINING}]*"
    r"|\S",
    regex.V1,  # sets within sets
)

CODES = 0x10000  # tables hold the Basic Multilingual Plane; what lies beyond counts as its last code, no character


class _Kind(IntEnum):
    """What a character may do in a word; in this order, so that the highest of a run tells what it holds."""

    BLANK = 0
    OTHER = 1  # a word by itself
    DIGIT = 2
    LETTER = 3  # and numerals that are no decimal digits
    INTRICATE = 4  # a mark, a script without blanks, or beyond the table: the pattern decides


def _kinds() -> np.ndarray:
    every = "".join(map(chr, range(CODES)))
    kinds = np.full(CODES, _Kind.OTHER, np.uint8)
    # Later ones win: decimal digits are solid, and marks of Thai are of a script without blanks.
    for kind, pattern in (
        (_Kind.BLANK, r"\s+"),
        (_Kind.LETTER, f"{_SOLID}+"),
        (_Kind.DIGIT, rf"[\p{{Nd}}--[{_UNSPACED}]]+"),
        (_Kind.INTRICATE, f"[{_UNSPACED}{_JOINING}]+"),
    ):
        for run in regex.finditer(pattern, every, regex.V1):
            kinds[slice(*run.span())] = kind
    kinds[-1] = _Kind.INTRICATE
    return kinds


_KIND_OF = _kinds()


def codes_of(text: str) -> np.ndarray:
    """The code of each character, (characters,) uint32 below `CODES`."""
    return np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4"), CODES - 1)


def runs_of(inside: np.ndarray) -> np.ndarray:
    """Half-open bounds of the stretches in which `inside`, (characters,) bool, is true, (runs, 2)."""
    return np.flatnonzero(np.diff(inside, prepend=False, append=False)).reshape(-1, 2)


def word_bounds(text: str) -> np.ndarray:
    """Half-open character bounds of the words of a text, (words, 2) int32, ascending."""
    kinds = _KIND_OF.take(codes_of(text))
    runs = runs_of(kinds > _Kind.OTHER)
    if not len(runs):
        highest = first = np.empty(0, np.uint8)
    else:
        # Each is taken up to the next run: what lies between is lower.
        highest, first = np.maximum.reduceat(kinds, runs[:, 0]), kinds[runs[:, 0]]
    # Nearly every run is a word as it stands, found without asking the pattern: five times as fast.
    asked = (highest == _Kind.INTRICATE) | ((first == _Kind.DIGIT) & (highest == _Kind.LETTER))
    parts = np.fromiter(chain.from_iterable(_parts(text, runs[asked])), dtype=np.int64).reshape(-1, 2)
    single = np.flatnonzero(kinds == _Kind.OTHER)
    bounds = np.concatenate([runs[~asked], np.stack([single, single + 1], axis=1), parts])
    return bounds[np.argsort(bounds[:, 0])].astype(np.int32)


def _parts(text: str, runs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Bounds of the words of some runs; what the pattern looks back or ahead at lies within a run."""
    for start, end in runs.tolist():
        for word in WORD.finditer(text, start, end):
            yield word.span()
