"""A page read: prepared, shown to each engine, turned where it lies on its side or upside down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deidlab.images.engines import Engine
from deidlab.images.preparing import Preparation, grey, prepared
from deidlab.images.words import Reading

_UPRIGHT = 0.8  # quality from which no other orientation is tried; pages upside down reach 0.65, upright ones 0.9


def read(page: np.ndarray, engines: Sequence[Engine], preparation: Preparation) -> tuple[Reading, ...]:
    """What each engine reads on a page of any depth; the first one also tells which way is up."""
    flat = grey(page)
    first, turns = _upright(flat, engines[0], preparation)
    view = prepared(flat, preparation, turns)
    others = (replace(engine.read(view.pixels), to_page=view.to_page) for engine in engines[1:])
    return first, *others


def _upright(flat: np.ndarray, engine: Engine, preparation: Preparation) -> tuple[Reading, int]:
    """The best reading of the four orientations, and its quarter turns; usually the first is good enough."""
    best, best_turns = _turned(flat, engine, preparation, 0), 0
    if not best.words and not best.unread:
        return best, 0
    for turns in (1, 3, 2) if _on_its_side(best) else (2, 1, 3):
        if quality(best) >= _UPRIGHT:
            break
        other = _turned(flat, engine, preparation, turns)
        if quality(other) > quality(best):
            best, best_turns = other, turns
    return best, best_turns


def _turned(flat: np.ndarray, engine: Engine, preparation: Preparation, turns: int) -> Reading:
    view = prepared(flat, preparation, turns)
    return replace(engine.read(view.pixels), to_page=view.to_page)


def quality(reading: Reading) -> float:
    """Mean confidence of symbols; those of words that stand on end count as nothing, and so do unread places."""
    sure = sum(word.confidence * len(word.symbols) for word in reading.words if not _stands(word.box, word.symbols))
    return sure / max(sum(len(word.symbols) for word in reading.words) + 3 * len(reading.unread), 1)


def _on_its_side(reading: Reading) -> bool:
    standing = sum(len(word.symbols) for word in reading.words if _stands(word.box, word.symbols))
    return standing > sum(len(word.symbols) for word in reading.words) / 2


def _stands(box, symbols: Sequence) -> bool:
    return len(symbols) > 1 and box.height > box.width
