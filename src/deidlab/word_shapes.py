"""How words look on the page: their casing, and the gap before them, which an uncased tokenizer throws away.

To `hermanas` it makes no difference whether it stood as "Dos Hermanas" or as "dos hermanas", nor whether a line ended
before it; to a reader of addresses and signatures it does. Every word gets one of `SHAPES` numbers, which the model
takes as token types: a table that BERT-like models have anyway, save, load and export.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from deidlab.word_bounds import CODES, codes_of


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


# What a character is, by its code.
_UPPER, _LOWER, _LINE, _TAB = 1, 2, 4, 8
_FLAGS = np.zeros(CODES, np.uint8)
for _flag, _holds in (
    (_UPPER, str.isupper),
    (_LOWER, str.islower),
    (_LINE, "\n\r\v\f".__contains__),
    (_TAB, "\t".__contains__),
):
    _FLAGS[np.fromiter(map(_holds, map(chr, range(CODES))), bool)] |= _flag

# By the flags of a word's letters, and whether only its first is a capital.
_CASING = np.array([
    [Casing.NONE, Casing.UPPER, Casing.LOWER, Casing.MIXED],
    [Casing.NONE, Casing.TITLE, Casing.LOWER, Casing.TITLE],
])  # fmt: skip


def word_shapes(text: str, bounds: np.ndarray) -> np.ndarray:
    """The shape of each word, (words,) int32 from 1 to `SHAPES` - 1; `bounds` is (words, 2), half-open, ascending."""
    if not len(bounds):
        return np.empty(0, np.int32)
    flags = np.append(_FLAGS.take(codes_of(text)), np.uint8(0))
    start, end = bounds[:, 0], bounds[:, 1]
    # Flags of each word, and of what lies between it and the next.
    inside, between = np.bitwise_or.reduceat(flags, bounds.ravel()).reshape(-1, 2).T
    further = np.bitwise_or.reduceat(flags, np.stack([start + 1, end], axis=1).ravel())[::2]
    further[end - start == 1] = 0  # `reduceat` takes one of none
    only_first = flags[start] & ~further & _UPPER
    casing = _CASING[only_first, inside & (_UPPER | _LOWER)]
    blanks = start - np.append(0, end[:-1])
    before = np.append(0, between[:-1])
    before[blanks <= 0] = 0
    before[0] = _LINE
    several = (blanks > 1) | (before & _TAB > 0)
    gap = np.where(
        before & _LINE > 0, Gap.LINE, np.where(several, Gap.BLANKS, np.where(blanks > 0, Gap.BLANK, Gap.GLUED))
    )
    return (1 + casing * len(Gap) + gap).astype(np.int32)
