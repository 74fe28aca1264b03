"""How far apart two spellings are."""

from __future__ import annotations


def within_typo(one: str, other: str) -> bool:
    """Whether two words are one slip apart, or two slips if the shorter has eight letters or more.

    A slip is a letter too many, too few, wrong, or two neighbours changed about (optimal string alignment distance).
    """
    shorter = min(len(one), len(other))
    most = 2 if shorter >= 8 else 1
    return shorter >= 4 and abs(len(one) - len(other)) <= most and alignment_distance(one, other) <= most


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
