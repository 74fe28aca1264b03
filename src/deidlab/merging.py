"""What several systems say of one note, made one: union, or a vote, of sorted spans.

Neither loses a character: spans that overlap are merged to the union of their extents, and what that costs in
boundaries and labels is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from deidlab.types import ConfigError, Span


@dataclass(frozen=True, slots=True)
class Merged:
    """Sorted spans that do not overlap; the labels of those `widened` and of those `relabelled`."""

    spans: tuple[Span, ...]
    widened: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()


def union(sources: Sequence[Sequence[Span]], yielding: Collection[str] = ()) -> Merged:
    """All that any source found. Overlapping spans become one over all their characters.

    Its label is that of the span with the highest score; a span without one, as rules give it, yields to a span of a
    model, and among equals the longer span wins (the hospital that is named after a State), then the earlier source.
    Labels in `yielding` lose to all others: they are those that a policy keeps, and what is kept must not keep more.
    """
    ranked = sorted(((span, rank) for rank, spans in enumerate(sources) for span in spans), key=lambda pair: pair[0])
    spans, widened, relabelled = [], [], []
    for cluster in clusters(ranked):
        if len(cluster) == 1:
            spans.append(cluster[0][0])
            continue
        found = [span for span, _ in cluster]
        best, _ = max(cluster, key=lambda pair: (pair[0].label not in yielding, *weight(pair[0]), -pair[1]))
        whole = Span(found[0].start, max(span.end for span in found), best.label, best.score)
        spans.append(whole)
        if any((span.start, span.end) != (whole.start, whole.end) for span in found):
            widened.append(whole.label)
        if any(span.label != whole.label for span in found):
            relabelled.append(whole.label)
    return Merged(tuple(spans), tuple(widened), tuple(relabelled))


def weight(span: Span) -> tuple[float, int]:
    """Score and length: a span of a model outweighs one without a score, as rules give it."""
    return -1.0 if span.score is None else span.score, span.end - span.start


def clusters(ranked: Sequence[tuple[Span, int]]) -> list[list[tuple[Span, int]]]:
    """Spans, sorted by start, in groups that overlap: touching ones do not."""
    groups: list[list[tuple[Span, int]]] = []
    end = -1
    for pair in ranked:
        if pair[0].start >= end:
            groups.append([])
        groups[-1].append(pair)
        end = max(end, pair[0].end)
    return groups


def vote(sources: Sequence[Sequence[Span]], least: int, yielding: Collection[str] = ()) -> Merged:
    """Stretches of the union that at least `least` of the sources cover, character by character.

    A stretch has the label of the span of the union that it lies in; where voters leave a hole in one, what stands
    on each side is a span. Raises `ConfigError` when `least` is not between 1 and the number of sources.
    """
    if not 1 <= least <= len(sources):
        raise ConfigError(f"least={least}: expected between 1 and the number of systems ({len(sources)})")
    merged = union(sources, yielding)
    borders: Counter[int] = Counter()
    for spans in map(union, ([source] for source in sources)):  # a source that overlaps itself has one vote
        for span in spans.spans:
            borders[span.start] += 1
            borders[span.end] -= 1
    edges = sorted({*borders, *(edge for span in merged.spans for edge in (span.start, span.end))})
    kept: list[Span] = []
    votes, whole = 0, iter(merged.spans)
    here = next(whole, None)
    for start, end in pairwise(edges):
        votes += borders[start]
        while here and here.end <= start:
            here = next(whole, None)
        if here is None or votes < least:
            continue
        if kept and kept[-1].end == start and start > here.start:
            kept[-1] = replace(kept[-1], end=end)
        else:
            kept.append(Span(start, end, here.label, here.score))
    return replace(merged, spans=tuple(kept))
