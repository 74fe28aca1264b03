"""What a metered service counts: requests, tokens, characters. From these and a price sheet comes a cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass
class Usage:
    """A running count that several threads may add to.

    `characters` counts requests by their length, because services round every request up. `unmetered` counts answers
    of an endpoint that did not say how many tokens they took.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unmetered: int = 0
    characters: Counter[int] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, characters: int, tokens: tuple[int, int] | None = None, states_tokens: bool = False) -> None:
        """Count one answered request; `tokens` are those of the question and of the answer."""
        with self._lock:
            self.requests += 1
            self.characters[characters] += 1
            if tokens is not None:
                self.input_tokens += tokens[0]
                self.output_tokens += tokens[1]
            elif states_tokens:
                self.unmetered += 1

    def __add__(self, other: Usage) -> Usage:
        mine, theirs = self.copy(), other.copy()
        return Usage(
            mine.requests + theirs.requests,
            mine.input_tokens + theirs.input_tokens,
            mine.output_tokens + theirs.output_tokens,
            mine.unmetered + theirs.unmetered,
            mine.characters + theirs.characters,
        )

    def copy(self) -> Usage:
        with self._lock:
            return Usage(self.requests, self.input_tokens, self.output_tokens, self.unmetered, self.characters.copy())

    def since(self, earlier: Usage | None) -> Usage:
        """What was added since an earlier copy."""
        if earlier is None:
            return self.copy()
        now = self.copy()
        return Usage(
            now.requests - earlier.requests,
            now.input_tokens - earlier.input_tokens,
            now.output_tokens - earlier.output_tokens,
            now.unmetered - earlier.unmetered,
            now.characters - earlier.characters,
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "unmetered": self.unmetered,
            "characters": {str(size): n for size, n in sorted(self.characters.items())},
        }
