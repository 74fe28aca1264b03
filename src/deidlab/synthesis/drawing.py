"""Draws of a generator, faster than those of `random` where many are made, and seeds that keep draws apart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def seed_of(seed: int, index: int, purpose: int) -> int:
    """A well-mixed seed for one purpose of one note (the multipliers are those of splitmix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9 + purpose * 0x94D049BB133111EB) & (2**64 - 1)
    x ^= x >> 31
    return (x * 0x94D049BB133111EB) & (2**64 - 1)


def pick(rng: random.Random, items: Sequence[T]) -> T:
    """One of the items, all alike."""
    return items[int(rng.random() * len(items))]


def weighted(rng: random.Random, weights: Mapping[T, float]) -> T:
    """A key, as often as its weight says; weights need not sum to one."""
    return weighted_row(rng, [(weight, key) for key, weight in weights.items()])


def weighted_row(rng: random.Random, rows: Sequence[tuple[float, T]]) -> T:
    """As `weighted`, of pairs (weight, item)."""
    at = rng.random() * sum(weight for weight, _ in rows)
    for weight, row in rows:
        at -= weight
        if at < 0:
            return row
    return rows[-1][1]


def equal_weights(chosen: Iterable[T] | Mapping[T, float] | None, every: Iterable[T]) -> Mapping[T, float]:
    """Weights as they are; the items of a list, or of everything where nothing was chosen, with equal weights."""
    return chosen if isinstance(chosen, Mapping) else dict.fromkeys(chosen or every, 1.0)
