"""Long notes in parts that a service takes: consecutive, complete, cut where paragraphs end."""

from __future__ import annotations

import bisect
from collections.abc import Callable

BORDERS = ("\n\n", "\n", ". ", " ")  # where to cut, best first


def utf8_bytes(text: str) -> int:
    """Length as services count that limit bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def chunks(text: str, limit: int, size: Callable[[str], int] = len) -> list[tuple[int, int]]:
    """Half-open stretches that follow one another and cover the text, each of a `size` of at most `limit`.

    A stretch ends after the last paragraph in its second half, else after a line, a sentence or a word, and anywhere
    only when there is none of these. An empty text has none. `size` must not shrink as a text grows.
    """
    found = []
    start = 0
    while start < len(text):
        end = longest(text, start, limit, size)
        if end < len(text):
            end = border(text, start, end)
        found.append((start, end))
        start = end
    return found


def longest(text: str, start: int, limit: int, size: Callable[[str], int]) -> int:
    """The last end of a stretch from `start` that is within the limit; one character at least."""
    most = min(len(text), start + limit)
    if size(text[start:most]) <= limit:
        return most
    ends = range(start + 1, most + 1)
    within = bisect.bisect_right(ends, limit, key=lambda end: size(text[start:end]))
    return start + max(within, 1)


def border(text: str, start: int, end: int) -> int:
    """The best place to cut in the second half of a stretch."""
    half = start + (end - start) // 2
    for mark in BORDERS:
        if (place := text.rfind(mark, half, end)) >= 0:
            return place + len(mark)
    return end
