"""From what a language model quotes to exact offsets: every occurrence of a quote is taken, and nothing else.

What it made up, quoted ambiguously or did not label is counted by reason; no quote is ever kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deidlab.types import DataError, Losses, Span

FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def entities(answer: str) -> list[Any]:
    """The list of entities in a model's answer: JSON, bare, in a code fence or with a few words around it.

    Accepts `{"entities": [...]}` and a bare list. Raises `DataError` for anything else: no list is not "none found".
    """
    if fenced := FENCE.match(answer):
        answer = fenced[1]
    for candidate in candidates(answer):
        try:
            content = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(content, Mapping):
            content = content.get("entities")
        if isinstance(content, list):
            return content
    raise DataError('the model did not answer with {"entities": [{"text", "label"}, ...]}')


def candidates(answer: str) -> Iterator[str]:
    """The answer, and what stands between its outermost braces or brackets."""
    yield answer
    for opening, closing in ("{}", "[]"):
        start, end = answer.find(opening), answer.rfind(closing)
        if 0 <= start < end:
            yield answer[start : end + 1]


def align(text: str, found: Sequence[Any], labels: Sequence[str]) -> tuple[list[Span], Losses]:
    """Spans of every occurrence of every quoted text, and the count of what was lost on the way.

    A quote counts where it stands as whole words, or anywhere when it nowhere does. Where spans overlap, the longer
    one stays, and of two labels for the same stretch the one that was said first. Reasons counted: `malformed`,
    `unlabelled`, `unknown_label`, `repeated` (said again), `invented` (not in the text), `inside_word`,
    `several_places` (a quote with more than one occurrence), `ambiguous` (other labels of a stretch), `overlapping`.
    """
    lost = Losses("count")
    said: dict[tuple[int, int], str] = {}
    seen: set[tuple[str, str]] = set()
    for item in found:
        if (quoted := quote_and_label(item, labels, lost)) is None:
            continue
        if quoted in seen:
            lost.count("repeated", quoted[1])
            continue
        seen.add(quoted)
        quote, label = quoted
        places = occurrences(text, quote, lost, label)
        if len(places) > 1:
            lost.count("several_places", label)
        for place in places:
            if said.setdefault(place, label) != label:
                lost.count("ambiguous", label)
    return apart(said, lost), lost


def quote_and_label(item: Any, labels: Sequence[str], lost: Losses) -> tuple[str, str] | None:
    """The two parts of an entity, or None when one is missing or is not what was asked for."""
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str) or not item["text"].strip():
        lost.count("malformed")
        return None
    label = item.get("label")
    if not isinstance(label, str) or not label.strip():
        lost.count("unlabelled")
        return None
    if label.strip() not in labels:  # an invented label may be note text: it is not kept
        lost.count("unknown_label")
        return None
    return item["text"].strip(), label.strip()


def occurrences(text: str, quote: str, lost: Losses, label: str) -> list[tuple[int, int]]:
    """Where the quote stands in the text, character by character, without overlaps."""
    places = []
    start = text.find(quote)
    while start >= 0:
        places.append((start, start + len(quote)))
        start = text.find(quote, start + 1)
    if not places:
        lost.count("invented", label)
        return []
    if whole := [place for place in places if stands_alone(text, *place)]:
        return one_by_one(whole)
    lost.count("inside_word", label)
    return one_by_one(places)


def one_by_one(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in order, without those that overlap the one before."""
    kept: list[tuple[int, int]] = []
    for start, end in places:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit goes on over either end."""
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    after = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
    return not (before or after)


def apart(said: Mapping[tuple[int, int], str], lost: Losses) -> list[Span]:
    """Spans that do not overlap: longer ones first, then earlier ones."""
    kept: list[Span] = []
    taken: set[int] = set()
    for (start, end), label in sorted(said.items(), key=lambda one: (one[0][0] - one[0][1], one[0][0])):
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            kept.append(Span(start, end, label))
        else:
            lost.count("overlapping", label)
    return sorted(kept)
