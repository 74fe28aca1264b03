"""The user's key: checked when given, never stored, and the only source of chance in a redaction."""

from __future__ import annotations

import hmac
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from deidlab.types import ConfigError

T = TypeVar("T")
MIN_BYTES = 16
_OBVIOUS = (b"password", b"passwort", b"secret", b"changeme", b"letmein", b"qwerty", b"deidlab", b"default", b"example",
            b"1234567890", b"0123456789", b"abcdefgh")  # fmt: skip
_HOW = 'Make one with `python -c "import secrets; print(secrets.token_hex(32))"` and keep it away from the notes'


def check_key(key: bytes | None) -> bytes:
    """The key, if it is one. Raises `ConfigError` when it is missing, shorter than 16 bytes, or easily guessed."""
    if not key:
        raise ConfigError(f"surrogates, shifted dates and the vault need a key, and none was given. {_HOW}")
    if not isinstance(key, bytes):
        raise ConfigError(f"the key is {type(key).__name__}; expected bytes")
    if len(key) < MIN_BYTES:
        raise ConfigError(f"the key has {len(key)} bytes; expected {MIN_BYTES} or more. {_HOW}")
    steps = {(b - a) % 256 for a, b in pairwise(key)}
    repeats = any(key == (key[:n] * len(key))[: len(key)] for n in range(1, len(key) // 2 + 1))
    rest = key.lower()
    for word in _OBVIOUS:
        rest = rest.replace(word, b"")
    if len(set(key)) < 6 or len(steps) == 1 or repeats or len(rest) < MIN_BYTES // 2:
        raise ConfigError(f"the key is too easily guessed (repeated, counted up, or made of an obvious word). {_HOW}")
    return key


@dataclass(frozen=True, slots=True)
class Draws:
    """Values drawn by HMAC-SHA256 of the key and of what they are for: equal whenever and wherever asked again.

    `scope` is whose values these are: a patient, or a note where the patient is not known.
    """

    key: bytes = field(repr=False)
    scope: str = field(repr=False)

    def digest(self, *what: str) -> bytes:
        # A length before each part: ("ab", "c") and ("a", "bc") are different purposes.
        parts = (part.encode("utf-8", "surrogatepass") for part in (self.scope, *what))
        return hmac.digest(self.key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")

    def number(self, *what: str) -> int:
        return int.from_bytes(self.digest(*what)[:8], "big")

    def below(self, limit: int, *what: str) -> int:
        return self.number(*what) % limit

    def choice(self, items: Sequence[T], *what: str) -> T:
        return items[self.number(*what) % len(items)]

    def random(self, *what: str) -> random.Random:
        """A generator for what needs more than one draw (Python's is the same on every machine and version)."""
        return random.Random(self.number(*what))
