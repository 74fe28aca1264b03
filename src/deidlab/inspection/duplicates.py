"""Notes of the same or nearly the same text, found in time that grows with the number of notes, not of pairs.

Near duplicates: MinHash of shingles of words, banded (Broder 1997; Leskovec et al., Mining of Massive Datasets, 3.4);
what falls into one bucket is then compared by its true Jaccard similarity.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import regex

from deidlab.inspection.findings import Finding
from deidlab.types import Document

WORDS = 5  # in a shingle
BANDS, ROWS = 16, 4  # pairs of similarity .8 meet with a chance of .9998, pairs of .3 with one of .12
SIMILAR = 0.8
SHORTEST = 20  # words; shorter notes have too few shingles to tell likeness from chance
TELLING = 10  # words; a shorter note ("Did not attend.") may well be written twice
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_FACTOR = np.uint64(6364136223846793005)  # of Knuth's MMIX generator: odd, so that it permutes 64 bits


def duplicates(documents: Sequence[tuple[str, Document]]) -> Iterator[Finding]:
    """Of (split, note) pairs, each note whose text an earlier one has, exactly or nearly."""
    words = [[word.casefold() for word in _WORD.findall(document.text)] for _, document in documents]
    first_of: dict[str, int] = {}
    fresh = []
    for index, found in enumerate(words):
        key = "\n".join(found)
        if len(found) >= TELLING and key in first_of:
            yield _finding("duplicate", documents[first_of[key]], documents[index], "")
        else:
            first_of[key] = index
            fresh.append(index)
    for one, other, similarity in similar([words[index] for index in fresh]):
        earlier, later = documents[fresh[one]], documents[fresh[other]]
        yield _finding("near_duplicate", earlier, later, f", similarity {similarity:.2f}")


def _finding(code: str, earlier: tuple[str, Document], later: tuple[str, Document], more: str) -> Finding:
    (split, document), (there, other) = later, earlier
    if split != there:
        code = f"{code}_across_splits"
    place = f"{other.id} ({there})" if there else other.id
    return Finding(code, document.id, split=split, detail=f"of {place}{more}")


def similar(notes: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, float]]:
    """Pairs of notes, given as words, whose shingles have a Jaccard similarity of `SIMILAR` or more.

    Each note is told of once, with the most similar one before it.
    """
    shingles = {index: shingled(words) for index, words in enumerate(notes) if len(words) >= SHORTEST}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, hashes in shingles.items():
        for band, values in enumerate(signature(hashes).reshape(BANDS, ROWS)):
            buckets[band, values.tobytes()].append(index)
    met = {pair for members in buckets.values() for pair in _pairs(members)}
    best: dict[int, tuple[float, int]] = {}
    for one, other in sorted(met):
        if (found := jaccard(shingles[one], shingles[other])) >= SIMILAR:
            best[other] = max(best.get(other, (0.0, 0)), (found, one))
    for other, (found, one) in sorted(best.items()):
        yield one, other, found


def _pairs(members: Sequence[int]) -> Iterator[tuple[int, int]]:
    # A bucket of very many notes is one template: neighbours are enough to tell of each of them.
    if len(members) > 50:
        yield from pairwise(members)
        return
    for position, one in enumerate(members):
        for other in members[position + 1 :]:
            yield one, other


def shingled(words: Sequence[str]) -> np.ndarray:
    """Sorted hashes of the runs of `WORDS` words, each once, uint64."""
    single = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
    rolled = np.zeros(len(single) - WORDS + 1, dtype=np.uint64)
    for offset in range(WORDS):
        rolled = rolled * _FACTOR + single[offset : offset + len(rolled)] + np.uint64(1)
    return np.unique(_mixed(rolled))


def _mixed(hashes: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele et al. 2014): neighbours end far apart."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def signature(hashes: np.ndarray) -> np.ndarray:
    """The least of each of `BANDS` x `ROWS` permutations of the hashes, uint64."""
    seeds = _mixed(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64))
    return _mixed(hashes[None, :] ^ seeds[:, None]).min(axis=1)


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Shared shingles over all shingles of two notes."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
