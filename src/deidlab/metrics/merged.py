"""MEDDOCAN's merged spans: neighbours joined where nothing alphanumeric lies between them."""

from __future__ import annotations

import numpy as np

from deidlab.metrics.counts import ALL, Counts, Items, tally, together
from deidlab.metrics.matching import meet, pack
from deidlab.metrics.tables import SpanTable, TextTable


def merged(gold: SpanTable, predicted: SpanTable, texts: TextTable) -> Counts:
    """Places found as they are or after merging, whatever their types; all labels together only.

    As in the official script, what agrees is the union of the places that agree strictly and of the merged ones that
    agree; a place inside any of these is neither missed nor spurious.
    """
    # Documents are set apart by one character, so that places are global and never touch across a border.
    strict_g, strict_p = _places(gold, texts), _places(predicted, texts)
    merged_g, merged_p = (_join(place, texts) for place in (strict_g, strict_p))
    agreed = _sorted(np.concatenate((_common(strict_g, strict_p), _common(merged_g, merged_p))))
    sides = []
    for place in (strict_g, strict_p):
        failed = ~_inside(place, agreed)
        sides.append(together(_items(agreed, True, texts), _items(place[failed], False, texts)))
    return tally(gold.documents, gold.labels, *sides, pool=False)


def _places(spans: SpanTable, texts: TextTable) -> np.ndarray:
    """(places, 2) distinct global starts and ends, sorted."""
    return _sorted(np.stack([offset + spans.document for offset in texts.place(spans)], axis=1))


def _sorted(place: np.ndarray) -> np.ndarray:
    """Without repetitions."""
    return place[np.unique(pack(tuple(place.T), tuple(place.T))[0], return_index=True)[1]]


def _join(place: np.ndarray, texts: TextTable) -> np.ndarray:
    """Join each place to the one before if no alphanumeric character lies between; the last one gives the end."""
    if not len(place):
        return place
    document = _document(place, texts)
    start, end = (texts.alphanumeric_before[offset - document] for offset in place.T)
    parted = (start[1:] > end[:-1]) | (document[1:] != document[:-1])
    return np.stack((place[np.append(True, parted), 0], place[np.append(parted, True), 1]), axis=1)


def _document(place: np.ndarray, texts: TextTable) -> np.ndarray:
    return np.searchsorted(texts.first[:-1] + np.arange(len(texts.first) - 1), place[:, 0], "right") - 1


def _common(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first[meet(*pack(tuple(first.T), tuple(second.T)))[0]]


def _inside(place: np.ndarray, agreed: np.ndarray) -> np.ndarray:
    """Does some agreed place contain it? Of those that begin no later, look at the furthest end."""
    furthest = np.maximum.accumulate(np.append(-1, agreed[:, 1]))
    return furthest[np.searchsorted(agreed[:, 0], place[:, 0], "right")] >= place[:, 1]


def _items(place: np.ndarray, matched: bool, texts: TextTable) -> Items:
    one = np.ones(len(place), np.int64)
    return Items(_document(place, texts), np.full(len(place), ALL), one, one * matched)
