"""Texts -> subwords and their offsets; what a tokenizer makes of a stretch between blanks is asked once.

Notes repeat themselves and each other: of 200,000 such pieces of 500 Spanish notes 32,000 differ. Tokenizers of BERT's
kind never look across a blank, so that the subwords of a text are those of its pieces, in half the processor time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from deidlab.word_bounds import CODES, codes_of, runs_of

# At these a tokenizer of BERT's kind always parts words; other blanks and controls are its own affair.
_SOLID = ~np.isin(np.arange(CODES), [ord(ch) for ch in " \t\n\r"])
PART = 64  # texts whose new pieces are asked for together
LINES = 1024  # of these in a text


def subwords_of(backend: Tokenizer, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Ids (n,) int32 and offsets (n, 2) int64 of the subwords of each text, whole and without special tokens."""
    # A tokenizer.json may ask for both, and whoever used the tokenizer before may have. One that another thread is at
    # work with must not be set.
    if backend.truncation is not None:
        backend.no_truncation()
    if backend.padding is not None:
        backend.no_padding()
    if not parts_at_blanks(backend):
        yield from map(_arrays, _encoded(backend, texts))
        return
    pieces = _Pieces(backend)
    for first in range(0, len(texts), PART):
        yield from pieces.subwords(texts[first : first + PART])


def parts_at_blanks(backend: Tokenizer) -> bool:
    """Whether the subwords of a text are surely those of its pieces between blanks."""
    return (
        isinstance(backend.normalizer, BertNormalizer)
        and isinstance(backend.pre_tokenizer, BertPreTokenizer)
        and isinstance(backend.model, WordPiece)
        and not any(
            token.lstrip or token.rstrip or token.single_word or any(map(str.isspace, token.content))
            for token in backend.get_added_tokens_decoder().values()
        )
    )


class _Pieces:
    """The pieces of some texts, each tokenized once; they are text, and die with the call that they serve."""

    def __init__(self, backend: Tokenizer) -> None:
        self.backend = backend
        self.number: dict[str, int] = {}
        # Subwords of all pieces, one after the other, and where those of each begin.
        self.ids, self.offsets = np.empty(0, np.int32), np.empty((0, 2), np.int64)
        self.starts = np.zeros(1, np.int64)

    def subwords(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        bounds = [runs_of(_SOLID.take(codes_of(text))) for text in texts]
        pieces = [[text[a:b] for a, b in runs.tolist()] for text, runs in zip(texts, bounds, strict=True)]
        self._ask(pieces)
        for runs, here in zip(bounds, pieces, strict=True):
            numbers = np.fromiter(map(self.number.__getitem__, here), np.int64, len(here))
            first = self.starts[numbers]
            counts = self.starts[numbers + 1] - first
            # Where each subword of the text stands among those of all pieces.
            at = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
            yield self.ids[at], self.offsets[at] + np.repeat(runs[:, 0], counts)[:, None]

    def _ask(self, pieces: Sequence[Sequence[str]]) -> None:
        new = [piece for piece in dict.fromkeys(chain.from_iterable(pieces)) if piece not in self.number]
        if not new:
            return
        self.number.update((piece, number) for number, piece in enumerate(new, start=len(self.number)))
        # As lines of some texts: a text of its own for each would take three times as long.
        lines = [new[first : first + LINES] for first in range(0, len(new), LINES)]
        for here, encoding in zip(lines, _encoded(self.backend, ["\n".join(some) for some in lines]), strict=True):
            ids, offsets = _arrays(encoding)
            begins = np.cumsum([0, *(len(piece) + 1 for piece in here)])
            owner = np.searchsorted(begins, offsets[:, 0], side="right") - 1
            counts = np.bincount(owner, minlength=len(here))
            self.ids = np.append(self.ids, ids)
            self.offsets = np.concatenate([self.offsets, offsets - begins[owner][:, None]])
            self.starts = np.append(self.starts, self.starts[-1] + np.cumsum(counts))


def _encoded(backend: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    return backend.encode_batch(texts, add_special_tokens=False)


def _arrays(encoding: Encoding) -> tuple[np.ndarray, np.ndarray]:
    ids, offsets = encoding.ids, encoding.offsets
    flat = np.fromiter(chain.from_iterable(offsets), np.int64, 2 * len(offsets))
    return np.array(ids, np.int32), flat.reshape(-1, 2)
