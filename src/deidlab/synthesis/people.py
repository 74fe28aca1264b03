"""People of many cultures: how a name is built, and the shapes in which a note mentions it."""

from __future__ import annotations

import random
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from deidlab.synthesis.grammar import SPLITS
from deidlab.synthesis.resources import load_yaml
from deidlab.types import ConfigError

GENDERS = ("female", "male")
_HELD = {"validation": range(80, 90), "test": range(90, 100)}


@dataclass(frozen=True, slots=True)
class Person:
    """One person: given name, optional middle name, family name as a whole (particles and double names included)."""

    given: str
    middle: str
    family: str
    gender: str
    nickname: str
    maiden: str
    family_first: bool = False


@dataclass(frozen=True)
class NamePool:
    """The names one split may use for one culture: given names by gender, family names, and how they combine."""

    given: Mapping[str, Sequence[str]]
    family: Sequence[str]
    double: float
    hyphen: float
    family_first: float
    particles: Sequence[str]
    rare: float
    middles: float
    split: str | None = None

    def draw(self, rng: random.Random, gender: str, rare: Sequence[str] = ()) -> Person:
        """Draw a person; the number of draws does not depend on the culture."""
        given, middle = (_pick(rng, self.given[gender]) for _ in range(2))
        family, second = (_pick(rng, self.family) for _ in range(2))
        u = rng.random()
        if rare and rng.random() < self.rare:
            family = _pick(rng, rare)
        maiden = _pick(rng, self.family)
        if u < self.double and second != family:
            family = f"{family}-{second}" if rng.random() < self.hyphen else f"{family} {second}"
        elif self.particles and u > 0.85:
            family = f"{_pick(rng, self.particles)}{family}"
        middle = middle if rng.random() < self.middles and middle != given else ""
        return Person(
            given, middle, family, gender, _nickname(given, self.split), maiden, rng.random() < self.family_first
        )


def _pick(rng: random.Random, items: Sequence[str]) -> str:
    return items[int(rng.random() * len(items))]


def plain_letters(text: str) -> str:
    """The text without accents; scripts other than Latin are left as they are."""
    if text.isascii():
        return text
    text = text.translate(_STROKES)
    folded = "".join(ch for ch in unicodedata.normalize("NFD", text) if not unicodedata.combining(ch))
    return folded if folded.isascii() else text


_STROKES = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "Ae"})


@lru_cache(maxsize=1)
def _nicknames() -> Mapping[str, str]:
    return load_yaml("nicknames.yaml")


def _nickname(given: str, split: str | None) -> str:
    short = _nicknames().get(given, given)
    return short if in_split(short, split) else given


def in_split(value: str, split: str | None) -> bool:
    """Whether a split may use an identifier: decided by a checksum of the value, so that no two splits share one."""
    if split is None:
        return True
    bucket = _checksum(value) % 100
    return bucket in _HELD[split] if split in _HELD else bucket < 80


def _checksum(value: str) -> int:
    """The same for García and Garcia: who types without accents writes the same name."""
    return zlib.crc32(unicodedata.normalize("NFC", plain_letters(value)).casefold().encode())


def _name_in_split(name: str, split: str | None) -> bool:
    """Whether a split may use a name: every word of it, so that Ana María and María go together."""
    words = [word for word in name.split() if len(word) > 2]
    return all(in_split(word, split) for word in words or [name])


def dealt(items: Sequence[str], split: str | None, key: Callable[[str], str] = str) -> Sequence[str]:
    """The items of a short list that a split may use: as `in_split`, but no split of a list of three goes empty."""
    if split is None or len(items) < len(SPLITS):
        return items
    owner = {item: next(s for s in SPLITS if in_split(key(item), s)) for item in items}
    for lacking in (s for s in SPLITS if s not in owner.values()):
        counts = Counter(owner.values())
        richest = max(counts, key=lambda s: counts[s])
        owner[min((i for i in items if owner[i] == richest), key=lambda i: _checksum(key(i)))] = lacking
    return [item for item in items if owner[item] == split]


@lru_cache(maxsize=2)
def _words_too(kind: str) -> frozenset[str]:
    return frozenset(load_yaml("ambiguous.yaml")[kind].split())


def is_ambiguous(person: Person) -> bool:
    """Whether a part of the name is an everyday word as well (Will, Grace, May)."""
    return not _words_too("tagged").isdisjoint((person.given, person.family, person.nickname))


def _faker(source: str) -> list[str]:
    """Names of a Faker provider, given as `locale.attribute`."""
    locale, _, attribute = source.partition(".")
    return list(getattr(import_module(f"faker.providers.person.{locale}").Provider, attribute))


def _names(entry: Mapping[str, Sequence[str] | str], split: str | None) -> list[str]:
    """Curated names (blank-separated, `_` for a blank inside a name) and those of Faker, each once, sorted."""
    names = {word.replace("_", " ") for word in str(entry.get("curated", "")).split()}
    for source in entry.get("faker", ()):
        names.update(_faker(source))
    left_out = _words_too("left_out")
    plain = {n.strip() for n in names if n.strip() and n not in left_out and not any(ch.isdigit() for ch in n)}
    kept = sorted(n for n in plain if _name_in_split(n, split))
    return kept or sorted(plain)


@lru_cache(maxsize=128)
def name_pool(culture: str, split: str | None, native: bool = False) -> NamePool:
    """The names of a culture. Raises `ConfigError` listing the cultures when it is unknown."""
    cultures = load_yaml("names.yaml")
    if culture not in cultures:
        raise ConfigError(f"unknown culture {culture!r}; choose from {', '.join(sorted(cultures))}")
    entry = cultures[culture]
    lists = entry["native"] if native and "native" in entry else entry
    given = {g: _names(lists[g], split) for g in GENDERS}
    shared = set(given["female"]) & set(
        given["male"]
    )  # unisex names are kept apart: a gender cell must mean what it says
    for gender in GENDERS:
        given[gender] = [n for n in given[gender] if n not in shared] or given[gender]
    return NamePool(
        given=given,
        family=_names(lists["family"], split),
        double=entry.get("double", 0.02),
        hyphen=entry.get("hyphen", 0.8),
        family_first=entry.get("family_first", 0.0),
        particles=tuple(p.replace("_", " ") for p in str(entry.get("particles", "")).split()),
        rare=0.0 if native else entry.get("rare", 0.05),
        middles=entry.get("middles", 0.5),
        split=split,
    )


def cultures() -> tuple[str, ...]:
    return tuple(sorted(load_yaml("names.yaml")))


@lru_cache(maxsize=8)
def rare_surnames(split: str | None, count: int = 6000) -> tuple[str, ...]:
    """Plausible family names found on no list, of syllables: a model must learn the place of a name, not a list."""
    rng = random.Random(f"rare surnames {split}")
    onsets, nuclei, codas, endings = (
        load_yaml("syllables.yaml")[k].split() for k in ("onsets", "nuclei", "codas", "endings")
    )
    made: dict[str, None] = {}
    while len(made) < count:
        body = "".join(_pick(rng, onsets) + _pick(rng, nuclei) for _ in range(1 + (rng.random() < 0.4)))
        name = (body + _pick(rng, codas) + (_pick(rng, endings) if rng.random() < 0.7 else "")).capitalize()
        if 4 <= len(name) <= 13 and in_split(name, split):
            made[name] = None
    return tuple(made)
