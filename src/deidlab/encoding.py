"""Character spans -> subword labels, and documents of any length -> overlapping windows.

Words, not subwords, are what gets labelled and decoded: cutting inside a word or a number costs about ten points of
strict F1 (facts 2.3). A *unit* is a word; where a subword straddles two of them they become one unit, so every unit is
a whole number of subwords and of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from tokenizers import Tokenizer

from deidlab.labels import IGNORED, OUTSIDE, LabelSet, tag_sequence
from deidlab.tokenizing import subwords_of
from deidlab.types import ConfigError, Document, Losses, Span, Window
from deidlab.word_bounds import CODES, codes_of, word_bounds
from deidlab.word_shapes import NO_WORD, word_shapes

Unit = Literal["word", "subword", "piece"]

_BLANK = np.fromiter(map(str.isspace, map(chr, range(CODES))), bool)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One document as subwords: `input_ids` (n,), the `units` (n,) they belong to (-1: blanks), `unit_spans` (u, 2).

    `unit_firsts` (u,) are the indices of the units' first subwords; `shapes` (n,) say how their words look, where the
    model is told.
    """

    document_id: str
    input_ids: np.ndarray
    units: np.ndarray
    unit_spans: np.ndarray
    unit_firsts: np.ndarray
    shapes: np.ndarray | None = None


def first_subwords(units: np.ndarray) -> np.ndarray:
    """Index of the first subword of each unit, (u,); `units` is (n,), ascending but for -1."""
    inside = np.flatnonzero(units >= 0)
    numbers = units[inside]
    return inside[np.flatnonzero(np.diff(numbers, prepend=-1))]


def subword_bounds(offsets: np.ndarray, text: str) -> np.ndarray:
    """True character bounds of subwords, (n, 2) int32, of offsets (n, 2): blanks trimmed, zero width repaired.

    Byte-level BPE counts the blank before a word as part of its first subword; some tokenizers (Llama 3.2) give
    zero-width offsets. A subword of blanks alone stays zero-width.
    """
    start, end = offsets[:, 0].copy(), offsets[:, 1].copy()
    if len(start) and (empty := end <= start).any():
        # The next subword that starts further on ends this one.
        starts = np.append(start, len(text))
        following = np.searchsorted(np.maximum.accumulate(starts), start, side="right").clip(max=len(start))
        end = np.where(empty, starts[following], end)
    blank = _BLANK.take(codes_of(text))
    position = np.arange(len(text))
    next_solid = np.append(np.where(blank, len(text), position), len(text))
    next_solid = np.minimum.accumulate(next_solid[::-1])[::-1]
    last_solid = np.maximum.accumulate(np.append(0, np.where(blank, 0, position + 1)))
    start, end = next_solid[start], last_solid[end]
    solid = start < end
    return np.stack([np.where(solid, start, offsets[:, 0]), np.where(solid, end, offsets[:, 0])], axis=1).astype(
        np.int32
    )


def group_units(bounds: np.ndarray, words: np.ndarray, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Assign subwords to units: (subwords,) unit numbers, -1 for blanks, and (units, 2) character bounds.

    Under `unit="subword"` every subword is its own unit for the scores, but still stands for the whole words that it
    touches, so that decoding never cuts inside one. Under `"piece"` it stands for itself alone, and words are cut: for
    ablations.
    """
    solid = np.flatnonzero(bounds[:, 0] < bounds[:, 1])
    units = np.full(len(bounds), -1, dtype=np.int32)
    if not len(solid):
        return units, np.empty((0, 2), dtype=np.int32)
    if unit == "piece":
        units[solid] = np.arange(len(solid))
        return units, bounds[solid].astype(np.int32)
    first = np.searchsorted(words[:, 1], bounds[solid, 0], side="right")
    last = np.searchsorted(words[:, 0], bounds[solid, 1], side="left") - 1
    if unit == "subword":
        units[solid] = np.arange(len(solid))
        return units, np.stack([words[first, 0], words[last, 1]], axis=1)
    joined = np.zeros(len(words) + 1, dtype=np.int64)  # joined[w]: word w continues the unit of word w - 1
    straddles = first < last
    np.add.at(joined, first[straddles] + 1, 1)
    np.add.at(joined, last[straddles] + 1, -1)
    joins = np.cumsum(joined[:-1]) > 0
    group = np.cumsum(~joins) - 1
    groups = group[first]
    # A tokenizer may drop characters (controls, say): a unit without a subword has no score and no number.
    used, units[solid] = np.unique(groups, return_inverse=True)
    starts = words[np.flatnonzero(~joins), 0]
    ends = words[np.append(np.flatnonzero(~joins)[1:], len(words)) - 1, 1]
    return units, np.stack([starts[used], ends[used]], axis=1).astype(np.int32)


def label_units(spans: Iterable[Span], unit_spans: np.ndarray, labels: LabelSet, losses: Losses) -> np.ndarray:
    """Tag ids of the units of a document, (units,) int32; the spans' labels are types of `labels`.

    A unit that a span touches at all gets its label: a boundary inside a word costs precision, never a leak. Where
    spans overlap the longest is kept whole and the rest of the others keeps theirs. Both are counted in `losses`.
    """
    ordered = sorted(spans, key=lambda s: (s.start - s.end, s.start))
    firsts = np.searchsorted(unit_spans[:, 1], [span.start for span in ordered], side="right").tolist()
    lasts = np.searchsorted(unit_spans[:, 0], [span.end for span in ordered], side="left").tolist()
    owner = np.full(len(unit_spans), -1)
    for number, (span, first, last) in enumerate(zip(ordered, firsts, lasts, strict=True)):
        if first >= last:
            losses.count("no_subword", span.label)
            continue
        if unit_spans[first, 0] < span.start or unit_spans[last - 1, 1] > span.end:
            losses.count("inside_word", span.label)
        here = owner[first:last]
        if not (free := here < 0).all():
            losses.count("overlap", span.label)
        here[free] = number
    id_of = labels.tag_ids
    ids = np.full(len(owner), id_of[OUTSIDE], dtype=np.int32)
    # A span's units part only around those of a longer one: what lies outside need not be walked through.
    owned = np.flatnonzero(owner >= 0)
    tags = tag_sequence(((number, ordered[number].label) for number in owner[owned].tolist()), labels.scheme)
    ids[owned] = [id_of[tag] for tag in tags]
    return ids


def cut_windows(length: int, capacity: int, stride: int, unit_starts: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Windows (first, end, core_start, core_end) over `length` subwords; the cores tile 0..length without overlap.

    Consecutive windows share `stride` subwords; the border of their cores lies in the middle of these, moved back to
    the start of a unit (`unit_starts`, sorted) where one is near, so that a word is scored in one window.
    """
    if length <= capacity:
        return [(0, length, 0, length)]
    firsts = [*range(0, length - capacity, capacity - stride), length - capacity]
    windows, core_start = [], 0
    for first, following in zip(firsts, [*firsts[1:], None], strict=True):
        end = first + capacity
        core_end = length
        if following is not None:
            middle = (following + end + 1) // 2
            near = int(np.searchsorted(unit_starts, middle, side="right")) - 1
            snapped = int(unit_starts[near]) if near >= 0 else middle
            core_end = snapped if snapped > max(following, core_start) else max(middle, core_start + 1)
        windows.append((first, end, core_start, core_end))
        core_start = core_end
    return windows


@dataclass(frozen=True)
class Encoder:
    """Turns documents into subwords and windows; one object serves training, evaluation and use.

    `tokenizer` is a fast Hugging Face tokenizer, or the `tokenizers.Tokenizer` within one, which does not know its
    `pad_id`; `max_length` counts special tokens; `stride` is the number of subwords that consecutive windows share;
    with `global_first` every token attends to the first and the first to every token (Longformer). With `word_shapes`
    the model is told of casing and line ends, as token types.
    """

    tokenizer: Any
    max_length: int
    stride: int = 64
    unit: Unit = "word"
    global_first: bool = False
    word_shapes: bool = False
    pad_id: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.backend, Tokenizer):
            raise ConfigError("this tokenizer has no character offsets; use its fast version (a tokenizer.json)")
        if self.unit not in get_args(Unit):
            raise ConfigError(f"encoding unit is {self.unit!r}; expected one of {', '.join(get_args(Unit))}")
        capacity = self.max_length - self.specials
        if capacity < 2 or not 0 <= self.stride < capacity:
            raise ConfigError(
                f"max_length {self.max_length} leaves {capacity} subwords in a window after {self.specials} special "
                f"tokens; it needs more than the stride ({self.stride}): raise model.max_length or lower model.stride"
            )

    @cached_property
    def backend(self) -> Tokenizer:
        """The tokenizer without the wrapping of transformers: the same subwords where that is not installed."""
        return getattr(self.tokenizer, "backend_tokenizer", self.tokenizer)

    @property
    def padding(self) -> int:
        """The id that fills rows up; masked, but some models count positions by it."""
        return self.pad_id if self.pad_id is not None else getattr(self.tokenizer, "pad_token_id", None) or 0

    @cached_property
    def frame(self) -> tuple[list[int], list[int]]:
        """Ids of the special tokens before and after every window."""
        self.backend.no_padding()
        inner, whole = (self.backend.encode("a", add_special_tokens=special).ids for special in (False, True))
        extra = len(whole) - len(inner)
        at = next(i for i in range(extra + 1) if whole[i : i + len(inner)] == inner)
        return whole[:at], whole[at + len(inner) :]

    @property
    def specials(self) -> int:
        return sum(map(len, self.frame))

    def encode(self, documents: Sequence[Document]) -> Iterator[Encoded]:
        """Tokenize documents whole: nothing is truncated, whatever their length."""
        for document, ids, bounds in self._tokenized(documents):
            units, unit_spans = group_units(bounds, word_bounds(document.text), self.unit)
            shapes = None
            if self.word_shapes:
                # Subwords of blanks (unit -1) find the number put last.
                shapes = np.append(word_shapes(document.text, unit_spans), np.int32(NO_WORD))[units]
            yield Encoded(document.id, ids, units, unit_spans, first_subwords(units), shapes)

    def subwords(self, documents: Sequence[Document]) -> Iterator[np.ndarray]:
        """Character bounds of the subwords of each document, (n, 2) int32; those of blanks are empty."""
        return (bounds for _, _, bounds in self._tokenized(documents))

    def _tokenized(self, documents: Sequence[Document]) -> Iterator[tuple[Document, np.ndarray, np.ndarray]]:
        found = subwords_of(self.backend, [document.text for document in documents])
        for document, (ids, offsets) in zip(documents, found, strict=True):
            yield document, ids, subword_bounds(offsets, document.text)

    def windows(self, encoded: Encoded, unit_tags: np.ndarray | None = None) -> list[Window]:
        """Cut an encoded document into windows; with `unit_tags` (units,) each unit's first subword is labelled."""
        labels = None
        firsts = encoded.unit_firsts
        if unit_tags is not None:
            labels = np.full(len(encoded.input_ids), IGNORED, dtype=np.int32)
            labels[firsts] = unit_tags
        windows = []
        for first, end, core_start, core_end in cut_windows(
            len(encoded.input_ids), self.max_length - self.specials, self.stride, firsts
        ):
            here = None
            if labels is not None:
                here = labels[first:end].copy()
                here[: core_start - first] = IGNORED
                here[core_end - first :] = IGNORED
            ids, shapes = encoded.input_ids[first:end], encoded.shapes
            shapes = None if shapes is None else shapes[first:end]
            windows.append(Window(encoded.document_id, first, core_start, core_end, ids, here, shapes))
        return windows
