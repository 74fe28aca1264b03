"""What typing, printing and scanning do to a note: every kind works on pieces (text, label), so offsets stay exact.

Rates are chances: per character for `typos`, `ocr`, `dropped_spaces` and `lost_punctuation`, per note for the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

from deidlab.synthesis.dates import number_words
from deidlab.synthesis.resources import load_yaml
from deidlab.types import ConfigError

Piece = tuple[str, str | None]
Change = Callable[[str, int, bool, random.Random], str]  # text, where, whether it is an identifier, generator


@dataclass(frozen=True)
class Noise:
    """Rates of each kind of noise, all in 0..1."""

    typos: float = 0.0004
    ocr: float = 0.0
    dropped_spaces: float = 0.0003
    lost_punctuation: float = 0.001
    upper: float = 0.02
    lower: float = 0.05
    wrapped: float = 0.08
    spaced_punctuation: float = 0.06
    speech: float = 0.03
    flat: float = 0.04

    def __post_init__(self) -> None:
        for f in fields(self):
            if not 0 <= getattr(self, f.name) <= 1:
                raise ConfigError(f"noise.{f.name} is {getattr(self, f.name)}; expected a rate in 0..1")


NONE = Noise(*(0.0,) * len(fields(Noise)))


def noise_of(rates: Mapping[str, float] | None) -> Noise:
    """Noise of these rates, the others as usual. Raises `ConfigError` that lists the kinds."""
    kinds = [f.name for f in fields(Noise)]
    if wrong := sorted(set(rates or {}) - set(kinds)):
        raise ConfigError(f"unknown noise {', '.join(wrong)}; choose from {', '.join(kinds)}")
    return Noise(**(rates or {}))


def roughen(pieces: list[Piece], noise: Noise, shout: float, rng: random.Random) -> list[Piece]:
    """Apply each kind of noise that its rate calls for; the draws do not depend on the identifiers."""
    pieces = list(pieces)
    upper, lower, wrapped, spaced, speech, flat = (rng.random() for _ in range(6))
    if speech < noise.speech:
        return dictated(pieces)
    if upper < max(noise.upper, shout):
        pieces = [(text.upper(), label) for text, label in pieces]
    elif lower < noise.lower:
        pieces = [(text.lower(), label) for text, label in pieces]
    if flat < noise.flat:
        pieces = [(_NEWLINES.sub(" ", text), label) for text, label in pieces]
    if spaced < noise.spaced_punctuation:
        pieces = [(text if label else _PUNCTUATION.sub(r" \1", text), label) for text, label in pieces]
    for rate, change in (
        (noise.typos, _typo),
        (noise.ocr, _misread),
        (noise.dropped_spaces, _drop_space),
        (noise.lost_punctuation, _drop_mark),
    ):
        if rate:
            scatter(pieces, rate, change, rng)
    if wrapped < noise.wrapped:
        pieces = wrap(pieces, 60 + int(rng.random() * 25))
    return pieces


_NEWLINES = re.compile(r"\n+")
_PUNCTUATION = re.compile(r"(?:(?<=[\w)])|^)([,.;:?])(?=\s|$)")


def scatter(pieces: list[Piece], rate: float, change: Change, rng: random.Random) -> None:
    """Change the pieces in place, on average one character in `1 / rate`.

    One draw a change, not one a character: the distances between changes are exponentially distributed.
    """
    at = rng.expovariate(rate)
    for i, (text, label) in enumerate(pieces):
        while at < len(text):
            text = change(text, int(at), label is not None, rng)
            pieces[i] = text, label
            at += 1 + rng.expovariate(rate)
        at -= len(text)


def _typo(text: str, at: int, labelled: bool, rng: random.Random) -> str:
    if not text[at].isalpha() or len(text) < 4:
        return text
    kind = int(rng.random() * 3)
    if kind == 0 and at + 1 < len(text) and text[at + 1].isalpha():
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        shorter = text[:at] + text[at + 1 :]
        return text if labelled and shorter != shorter.strip() else shorter  # no blank edge: "Pavilion B", less its B
    return text[: at + 1] + text[at] + text[at + 1 :]


def _misread(text: str, at: int, labelled: bool, rng: random.Random) -> str:
    """What an OCR engine makes of the letter: rarely anything of one that it reads well (`data/misread.yaml`)."""
    two = text[at : at + 2] if text[at : at + 2] in _misreadings() else text[at]
    chance, answers, weights = _misreadings().get(two, (0.0, ("",), (1,)))
    if rng.random() >= chance:
        return text
    changed = text[:at] + rng.choices(answers, weights)[0] + text[at + len(two) :]
    return text if labelled and (changed != changed.strip() or not changed) else changed


@lru_cache
def _misreadings() -> dict[str, tuple[float, tuple[str, ...], tuple[float, ...]]]:
    """For letters that are misread: the chance against that of the worst, what they become, and how often each."""
    table = {
        printed: {str(read): float(rate) for read, rate in answers.items()}
        for printed, answers in load_yaml("misread.yaml").items()
    }
    # Signs that are nearly always misread would else hide all letters.
    most = sorted(sum(answers.values()) for answers in table.values())[len(table) * 3 // 4]
    return {
        printed: (min(1.0, sum(answers.values()) / most), tuple(answers), tuple(answers.values()))
        for printed, answers in table.items()
    }


def _drop_space(text: str, at: int, labelled: bool, rng: random.Random) -> str:
    found = text.find(" ", at, at + 12)
    return text if found < 0 else text[:found] + text[found + 1 :]


def _drop_mark(text: str, at: int, labelled: bool, rng: random.Random) -> str:
    return text[:at] + text[at + 1 :] if not labelled and text[at] in ",.;:" else text


def wrap(pieces: list[Piece], width: int) -> list[Piece]:
    """Break lines at the last blank before `width`, inside of mentions too."""
    out, column = [], 0
    for text, label in pieces:
        words = re.split(r"( +|\n)", text)
        made = []
        for word in words:
            if word == "\n":
                column = 0
            elif word.isspace() and column + len(word) > width:
                word, column = "\n", 0
            else:
                column += len(word)
            made.append(word)
        out.append(("".join(made), label))
    return out


_SPOKEN_NUMBER = re.compile(r"\b\d{1,2}\b")
_MARKS = re.compile(r"[^\w\s'/%-]|-(?=\w)|\n")


def dictated(pieces: list[Piece]) -> list[Piece]:
    """Lower-case speech without punctuation, small numbers in words: raw output of a speech recogniser."""
    out: list[Piece] = []
    for text, label in pieces:
        if label is None or label.endswith("_name"):
            text = _MARKS.sub(" ", text.lower())
        if label in (None, "age"):
            text = _SPOKEN_NUMBER.sub(lambda m: number_words(int(m[0])).replace("-", " "), text)
        text = text.lower() if label is None else text.lower().strip()
        out.append((re.sub(r"\s+", " ", text), label))
    tidy: list[Piece] = []
    for text, label in out:
        if label is None and tidy and tidy[-1][0].endswith(" ") and text.startswith(" "):
            text = text[1:]
        if text:
            tidy.append((text, label))
    return tidy
