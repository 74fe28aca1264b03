"""How words look on the page: their casing, and the gap before them, which an uncased tokenizer throws away.

To `hermanas` it makes no difference whether it stood as "Dos Hermanas" or as "dos hermanas", nor whether a line ended
before it; to a reader of addresses and signatures it does. Every word gets one of `SHAPES` numbers, which the model
takes as token types: a table that BERT-like models have anyway, save, load and export.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Casing(IntEnum):
    """Of the letters of a word."""

    NONE = 0  # digits, punctuation, scripts without case
    LOWER = 1
    TITLE = 2  # one capital, at the start; an initial too
    UPPER = 3
    MIXED = 4


class Gap(IntEnum):
    """Between a word and the one before."""

    GLUED = 0
    BLANK = 1
    BLANKS = 2  # several, or a tab
    LINE = 3  # a line ends, or the text begins


NO_WORD = 0  # special tokens and subwords of blanks; what all of a note is to a model that is fed without shapes
SHAPES = 1 + len(Casing) * len(Gap)


# What a character is, by its code; those beyond the Basic Multilingual Plane count as the last one, which is nothing.
_CODES = 0x10000
_UPPER, _LOWER = (np.fromiter(map(holds, map(chr, range(_CODES))), bool) for holds in (str.isupper, str.islower))
_LINE, _TAB = (np.isin(np.arange(_CODES), [ord(ch) for ch in some]) for some in ("\n\r\v\f", "\t"))


def word_shapes(text: str, bounds: np.ndarray) -> np.ndarray:
    """The shape of each word, (words,) int32 from 1 to `SHAPES` - 1; `bounds` is (words, 2), half-open, ascending."""
    start, end = bounds[:, 0], bounds[:, 1]
    codes = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4"), _CODES - 1)
    # How many capitals and so on stand before each place, (characters + 1,).
    capitals, smalls, lines, tabs = (
        np.append(0, np.cumsum(table[codes])).astype(np.int64) for table in (_UPPER, _LOWER, _LINE, _TAB)
    )
    upper, lower = capitals[end] - capitals[start], smalls[end] - smalls[start]
    starts_upper = capitals[np.minimum(start + 1, len(text))] > capitals[start]
    casing = np.select(
        [upper + lower == 0, upper == 0, (upper == 1) & starts_upper, lower == 0],
        [Casing.NONE, Casing.LOWER, Casing.TITLE, Casing.UPPER],
        Casing.MIXED,
    )
    before = np.append(0, end[:-1])[: len(start)]
    line = lines[start] > lines[before]
    line[:1] = True
    several = (start - before > 1) | (tabs[start] > tabs[before])
    gap = np.select([line, several, start > before], [Gap.LINE, Gap.BLANKS, Gap.BLANK], Gap.GLUED)
    return (1 + casing * len(Gap) + gap).astype(np.int32)
