"""What the name lists say of a word: whether it is a given or a family name, of which gender, of which culture.

The lists are those of `deidlab.synthesis`. Everything here depends on the word alone, never on the note: that keeps
surrogates equal in all notes of a patient without any record of them.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from deidlab.synthesis.people import GENDERS, cultures, name_pool
from deidlab.synthesis.resources import load_yaml

Slot = Literal["given", "family"]
# A name on the lists of several cultures is taken for the first of these.
_SPECIFIC = ("korean", "vietnamese", "mandarin", "polish", "nigerian", "bengali", "hindi", "indian", "arabic",
             "spanish", "filipino", "french")  # fmt: skip
ANGLO = "anglo"
_EVERYWHERE = ("british", "australian")
_SCRIPTS = {"CJK": "mandarin", "HANGUL": "korean", "ARABIC": "arabic", "DEVANAGARI": "hindi", "BENGALI": "bengali"}
_STROKES = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})


def folded(word: str) -> str:
    """A word without case and accents: `García` and `GARCIA` are one; other scripts than Latin keep their marks."""
    if word.isascii():
        return word.lower()
    plain = "".join(ch for ch in unicodedata.normalize("NFD", word.casefold()) if not "\u0300" <= ch <= "\u036f")
    return unicodedata.normalize("NFC", plain).translate(_STROKES)


@dataclass(frozen=True, slots=True)
class Known:
    """Where a word stands on the lists."""

    family: frozenset[str] = frozenset()
    female: frozenset[str] = frozenset()
    male: frozenset[str] = frozenset()

    @property
    def given(self) -> frozenset[str]:
        return self.female | self.male


@lru_cache(maxsize=1)
def known_names() -> Mapping[str, Known]:
    """Every word of the lists, folded (names of several words part by part)."""
    found: dict[str, dict[str, set[str]]] = {}
    for culture in cultures():
        for native in (False, True):
            pool = name_pool(culture, None, native)
            for kind, names in (("family", pool.family), *((g, pool.given[g]) for g in GENDERS)):
                for name in names:
                    for word in {folded(name), *folded(name).replace("-", " ").split()}:
                        found.setdefault(word, {}).setdefault(kind, set()).add(culture)
    return {w: Known(**{kind: frozenset(where) for kind, where in kinds.items()}) for w, kinds in found.items()}


def known(word: str) -> Known | None:
    """What the lists say of a folded word."""
    return known_names().get(word)


def culture_of(word: str, slot: Slot, spanish: bool = False) -> str:
    """The culture of a folded name: by its script, by the lists, else by its letters.

    `spanish` says that the note is: a name on the Spanish list is then taken for Spanish. `anglo` are names on the
    British and the Australian list, which hold names from everywhere: only letters that speak clearly for another
    culture, which lists the name as well, overrule that.
    """
    if script := script_of(word):
        return script
    entry = known(word)
    where = (entry.family if slot == "family" else entry.given) if entry else frozenset()
    if spanish and "spanish" in where:
        return "spanish"
    if all(culture in where for culture in _EVERYWHERE):
        return _sounds_like(word, ("us", *(c for c in _SPECIFIC if c in where))).replace("us", ANGLO)
    if not where:
        return _sounds_like(word, ("us", *_SPECIFIC))
    if "french" in where and "british" in where:
        where -= {"french"}
    return next((culture for culture in _SPECIFIC if culture in where), "us")


def script_of(word: str) -> str | None:
    """The culture whose native lists are in the script of this word; None for Latin and for scripts without lists."""
    if word.isascii():
        return None
    name = unicodedata.name(word[0], "")
    return next((culture for script, culture in _SCRIPTS.items() if name.startswith(script)), None)


def leaning(word: str) -> str:
    """`given` or `family` where the lists of most cultures say so of a folded word; "" where they do not agree."""
    entry = known(word)
    if not entry:
        return ""
    given, family = len(entry.given), len(entry.family)
    if given and family and abs(given - family) < 2:
        return ""
    return "given" if given > family else "family"


def gender_of(word: str) -> str | None:
    """The gender that the lists give to a folded given name; None where they give both or none."""
    entry = known(word)
    if not entry or bool(entry.female) == bool(entry.male):
        return None
    return "female" if entry.female else "male"


def likely_gender(word: str) -> str:
    """A gender for any folded word, by the letters that given names of the lists end in."""
    female, male = _endings()
    for length in (3, 2, 1):
        f, m = female[word[-length:]], male[word[-length:]]
        if f + m >= 5:
            return "female" if f > m else "male"
    return "female" if word[-1:] == "a" else "male"


@lru_cache(maxsize=1)
def _endings() -> tuple[Counter[str], Counter[str]]:
    female: Counter[str] = Counter()
    male: Counter[str] = Counter()
    for word, entry in known_names().items():
        for counts, where in ((female, entry.female), (male, entry.male)):
            if where:
                counts.update(word[-length:] for length in (1, 2, 3) if len(word) >= length)
    return female, male


def _grams(word: str) -> list[str]:
    framed = f"^{word}$"
    return [framed[i : i + 3] for i in range(len(framed) - 2)]


@lru_cache(maxsize=1)
def _sounds() -> Mapping[str, tuple[Mapping[str, float], float]]:
    """Per culture: the log-probability of each three letters, and of three letters never seen."""
    counts: dict[str, Counter[str]] = {culture: Counter() for culture in ("us", *_SPECIFIC)}
    for word, entry in known_names().items():
        for culture in (entry.family | entry.given) & counts.keys():
            counts[culture].update(_grams(word))
    vocabulary = len({gram for c in counts.values() for gram in c})
    sounds = {}
    for culture, seen in counts.items():
        total = sum(seen.values()) + 0.5 * vocabulary
        sounds[culture] = {g: math.log((n + 0.5) / total) for g, n in seen.items()}, math.log(0.5 / total)
    return sounds


def _sounds_like(word: str, among: Sequence[str]) -> str:
    """Naive Bayes over three letters at a time; `us` unless another culture is clearly likelier."""
    if len(among) == 1:
        return among[0]
    sounds = _sounds()
    grams = _grams(word)
    scores = {c: sum(sounds[c][0].get(g, sounds[c][1]) for g in grams) + (4.0 if c == "us" else 0.0) for c in among}
    return max(scores, key=scores.__getitem__)


def pool(slot: Slot, gender: str, culture: str, letter: str, native: bool, hyphen: bool = False) -> tuple[str, ...]:
    """Names that may be surrogates: one word each, no everyday words, sorted; beginning with `letter` ("" for any)."""
    return _by_letter(slot, gender, culture, native, hyphen).get(letter, ())


@cache
def _by_letter(slot: Slot, gender: str, culture: str, native: bool, hyphen: bool) -> Mapping[str, tuple[str, ...]]:
    words_too = set(load_yaml("ambiguous.yaml")["tagged"].split())
    names = [
        name
        for name in sorted(_listed(slot, gender, culture, native))
        if len(name) >= (1 if native else 2)
        and (name.replace("-", "").isalpha() and "-" in name if hyphen else _one_word(name))
        and name not in words_too
    ]
    letters: dict[str, list[str]] = {"": names}
    for name in names:
        letters.setdefault(folded(name)[0], []).append(name)
    return {letter: tuple(begun) for letter, begun in letters.items()}


def _listed(slot: Slot, gender: str, culture: str, native: bool) -> set[str]:
    if culture != ANGLO:
        names = name_pool(culture, None, native)
        return set(names.family if slot == "family" else names.given[gender])
    everywhere = set().union(*(_listed(slot, gender, c, False) for c in _EVERYWHERE))
    return {name for name in everywhere if culture_of(folded(name), slot) in (ANGLO, "us")}


def _one_word(name: str) -> bool:
    return all(ch.isalpha() or unicodedata.category(ch).startswith("M") for ch in name) and name[:1].upper() == name[:1]
