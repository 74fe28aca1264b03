"""Words that nobody has met: made-up drugs, eponyms and abbreviations, as alternatives for the grammar.

A tagger trained on finite lists learns the lists; of coined words it must learn where they stand.
"""

from __future__ import annotations

import random
from functools import lru_cache

from deidlab.synthesis.resources import load_yaml

COUNT = 3000  # of each kind


@lru_cache(maxsize=1)
def coined() -> dict[str, tuple[str, ...]]:
    """The symbols `coined_drug`, `coined_eponym` and `coined_short`, each with many alternatives, always the same."""
    rng = random.Random("coined")
    parts = {name: words.split() for name, words in load_yaml("syllables.yaml").items()}
    makers = {"coined_drug": _drug, "coined_eponym": _eponym, "coined_short": _short}
    symbols = {}
    for symbol, make in makers.items():
        words: dict[str, None] = {}
        while len(words) < COUNT:
            words[make(rng, parts)] = None
        symbols[symbol] = tuple(words)
    return symbols


def _stem(rng: random.Random, parts: dict[str, list[str]], syllables: int) -> str:
    return "".join(rng.choice(parts["onsets"]) + rng.choice(parts["nuclei"]) for _ in range(syllables))


def _drug(rng: random.Random, parts: dict[str, list[str]]) -> str:
    """A brand (capital letter) or, less often, a generic or a remedy."""
    brand = rng.random() < 0.75
    endings = parts["brand_endings" if brand else "generic_endings"]
    word = _stem(rng, parts, 1 + (rng.random() < 0.5)) + rng.choice(endings)
    return word.capitalize() if brand else word


def _eponym(rng: random.Random, parts: dict[str, list[str]]) -> str:
    body = _stem(rng, parts, 1 + (rng.random() < 0.3)) + rng.choice(parts["codas"])
    return (body + (rng.choice(parts["endings"]) if rng.random() < 0.7 else "")).capitalize()


def _short(rng: random.Random, parts: dict[str, list[str]]) -> str:
    """Two to five capitals, now and then with a figure or a small letter (FEV1, cfDNA)."""
    word = "".join(rng.choices("ABCDEFGHIKLMNOPRSTUV", k=2 + int(rng.random() * 3.4)))
    chance = rng.random()
    if chance < 0.12:
        return word + str(1 + int(rng.random() * 9))
    return rng.choice("acdefhimprst") + word if chance < 0.2 else word
