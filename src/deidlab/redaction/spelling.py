"""How far apart two spellings are, and which of many words are near each other."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np

_SHORTEST, _LONG = 4, 8  # letters from which a word may have a slip, and two


def neighbours(words: Collection[str]) -> dict[str, set[str]]:
    """For each word those of the others that are `within_typo` of it; words without any are left out.

    Words so near have a spelling in common once each has lost as many letters as there may be slips (Garbe 2012,
    SymSpell): only those that share one are compared, so that the work does not grow with the square of the words.
    """
    ordered = sorted(word for word in words if len(word) >= _SHORTEST)
    hashes, owners = array("q"), array("q")
    for number, word in enumerate(ordered):
        for shorter in _shortened(word):
            hashes.append(hash(shorter))
            owners.append(number)
    by_hash = np.argsort(np.asarray(hashes, dtype=np.int64), kind="stable")
    sorted_owners = np.asarray(owners, dtype=np.int64)[by_hash]
    edges = np.flatnonzero(np.diff(np.asarray(hashes, dtype=np.int64)[by_hash])) + 1
    near: dict[str, set[str]] = {}
    seen: set[tuple[int, int]] = set()
    for begin, end in zip((0, *edges), (*edges, len(hashes)), strict=True):
        if end - begin < 2:
            continue
        for pair in combinations(sorted({*sorted_owners[begin:end].tolist()}), 2):
            if pair not in seen:
                seen.add(pair)
                one, other = ordered[pair[0]], ordered[pair[1]]
                if within_typo(one, other):
                    near.setdefault(one, set()).add(other)
                    near.setdefault(other, set()).add(one)
    return near


def _shortened(word: str) -> Iterator[str]:
    """The word, and the word without one letter, of long ones without two."""
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]
    if len(word) >= _LONG:
        for i, j in combinations(range(len(word)), 2):
            yield word[:i] + word[i + 1 : j] + word[j + 1 :]


def within_typo(one: str, other: str) -> bool:
    """Whether two words are one slip apart, or two slips if the shorter has eight letters or more.

    A slip is a letter too many, too few, wrong, or two neighbours changed about (optimal string alignment distance).
    """
    shorter = min(len(one), len(other))
    most = 2 if shorter >= _LONG else 1
    return shorter >= _SHORTEST and abs(len(one) - len(other)) <= most and alignment_distance(one, other) <= most


def alignment_distance(one: str, other: str) -> int:
    """The optimal string alignment distance (Damerau 1964, Boytsov 2011): neighbours changed about count as one."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]
