"""Surrogates for places, institutions and professions, from the lists of the synthetic corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import regex
import yaml

from deidlab.redaction.codes import exchanged_code
from deidlab.redaction.keys import Draws
from deidlab.redaction.name_lists import folded, pool
from deidlab.synthesis.cast import fill_pattern, plain_letters
from deidlab.synthesis.resources import load_yaml

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’.][\p{L}\p{M}\p{N}]+)*")
_BLANK = regex.compile(r"[\s'’-]+")
_ACRONYM = regex.compile(r"\p{Lu}{2,6}")


@lru_cache(maxsize=1)
def generic() -> Mapping[str, Any]:
    """Words that say what kind of place it is; professions in Spanish; parts of addresses on the web that stay."""
    with files("deidlab.redaction").joinpath("data", "generic.yaml").open("rb") as stream:
        content = yaml.safe_load(stream)
    return {k: tuple(v) if isinstance(v, list) else frozenset(v.split()) for k, v in content.items()}


@lru_cache(maxsize=1)
def _culture_of_place() -> Mapping[str, tuple[str, str]]:
    """(culture, list) of each folded city, state, county and country of the lists; US first, then Spanish."""
    places = load_yaml("places.yaml")
    found: dict[str, tuple[str, str]] = {}
    for culture in dict.fromkeys(("us", "spanish", *places)):
        lists = places[culture]
        cities = [city.split("|") for city in lists["cities"]]
        for name, items in (
            ("cities", [c[0] for c in cities]),
            ("states", [*lists["states"], *(c[1] for c in cities)]),
            ("counties", lists["counties"]),
            ("country", lists["country"]),
        ):
            for item in items:
                found.setdefault(folded(item), (culture, name))
    return {**found, "espana": ("spanish", "country")}


@lru_cache(maxsize=64)
def _pool(culture: str, name: str) -> tuple[str, ...]:
    lists = load_yaml("places.yaml")[culture]
    match name:
        case "cities":
            return tuple(city.split("|")[0] for city in lists["cities"])
        case "codes":  # states as two letters
            found = {city.split("|")[1] for city in lists["cities"]}
            return tuple(sorted(code for code in found if len(code) == 2)) or _pool("us", "codes")
        case "country":
            spoken = ("spanish",) if culture == "spanish" else tuple(load_yaml("places.yaml"))
            everywhere = {item for c in spoken for item in load_yaml("places.yaml")[c]["country"]}
            # Spain is what España would be translated to.
            return tuple(sorted(item for item in everywhere if len(item) > 3 and item != "Spain"))
        case "names":  # what institutions are called after
            family = pool("family", "", "spanish" if culture == "spanish" else "anglo", "", False)
            return (*_pool(culture, "cities"), *lists["streets"], *family[:: max(1, len(family) // 200)])
        case "organizations" | "departments" | "professions":
            return tuple(load_yaml("things.yaml")[name])
    return tuple(lists[name])


def exchanged_place(text: str, kind: str, draws: Draws, spanish: bool, forbidden: frozenset[str]) -> str | None:
    """A place of the same kind and form, of the culture of the place where the lists know it, else of the note's.

    `kind` is a type of the group LOCATION; LOCATION itself is read by what it says, part by part. Streets and
    institutions keep the words that say what they are, numbers keep their pattern. None where nothing was exchanged.
    """
    culture = _culture_of_place().get(folded(text), ("spanish" if spanish else "us", ""))[0]
    match kind:
        case "ZIP" | "ROOM" | "COORDINATE":
            new = exchanged_code(text, draws, what=kind)
        case "LOCATION":
            new = _mixed(text, draws, spanish, forbidden)
        case "STREET":
            new = _renamed(text, "streets", culture, draws, forbidden)
        case "HOSPITAL":
            new = _renamed(text, "names", culture, draws, forbidden) or _template(culture, draws, text)
        case "DEPARTMENT":
            new = _renamed(text, "streets", culture, draws, forbidden, numbered=True) or _listed(
                text, "departments", culture, draws, forbidden
            )
        case "ORGANIZATION":
            plain = not spanish and not any(folded(w[0]) in generic()["words"] for w in _WORD.finditer(text))
            name = "organizations" if plain and " " in text else "names"
            new = (_listed if name == "organizations" else _renamed)(text, name, culture, draws, forbidden)
        case "STATE":
            short = len(text) == 2 and text.isupper()
            new = _listed(text, "codes" if short else "states", culture, draws, forbidden)
        case "COUNTY":
            new = _listed(text, "counties", culture, draws, forbidden)
        case "COUNTRY":
            new = _listed(text, "country", culture, draws, forbidden)
        case _:
            whole = "," not in text and not any(ch.isdigit() for ch in text)
            new = (
                _listed(text, "cities", culture, draws, forbidden) if whole else _mixed(text, draws, spanish, forbidden)
            )
    return new if new and folded(new) != folded(text) else None


def exchanged_profession(text: str, draws: Draws, spanish: bool, forbidden: frozenset[str]) -> str | None:
    """Another profession."""
    jobs = generic()["professions_es"] if spanish else _pool("us", "professions")
    return _picked(text, jobs, draws, "profession", forbidden)


def _mixed(text: str, draws: Draws, spanish: bool, forbidden: frozenset[str]) -> str | None:
    """`Boston, MA 02139` part by part."""
    pieces = regex.split(r"(\s*[,;\n()/]\s*|\s+(?=\d{4,5}\b)|(?<=\b\d{4,5})\s+)", text)
    new = [piece if i % 2 or not piece else _part(piece, draws, spanish, forbidden) for i, piece in enumerate(pieces)]
    return "".join(new) if all(piece is not None for piece in new) else None  # type: ignore[arg-type]


def _part(text: str, draws: Draws, spanish: bool, forbidden: frozenset[str]) -> str | None:
    if not any(ch.isalpha() for ch in text):
        return exchanged_code(text, draws, what="ZIP") if any(ch.isalnum() for ch in text) else text
    known = _culture_of_place().get(folded(text))
    if len(text) == 2 and text.isupper():
        kind = "STATE"
    elif known:
        kind = {"cities": "CITY", "states": "STATE", "counties": "COUNTY", "country": "COUNTRY"}[known[1]]
    else:
        words = {folded(word[0]) for word in _WORD.finditer(text)}
        kind = (
            "STREET"
            if any(ch.isdigit() for ch in text) or words & generic()["words"] - generic()["joining"]
            else "CITY"
        )
    if new := exchanged_place(text, kind, draws, spanish, forbidden):
        return new
    if any(ch.isdigit() for ch in text):  # as a city it would be taken apart again, into itself
        return exchanged_code(text, draws, what="ZIP")
    return exchanged_place(text, "CITY", draws, spanish, forbidden)


def _listed(text: str, name: str, culture: str, draws: Draws, forbidden: frozenset[str]) -> str | None:
    return _picked(text, _pool(culture, name), draws, name, forbidden)


def _picked(text: str, items: Sequence[str], draws: Draws, what: str, forbidden: frozenset[str]) -> str | None:
    """The first item, in the order of this text, with no word of the note's identifiers in it."""
    first = draws.number(what, folded(text))
    for step in range(len(items)):
        item = items[(first + step) % len(items)]
        if forbidden.isdisjoint(_telling(item)) and folded(item) != folded(text):
            return _formed(text, item)
    return None


def _telling(text: str) -> list[str]:
    words = (folded(word[0]) for word in _WORD.finditer(text))
    return [word for word in words if word not in generic()["words"]]


def _renamed(
    text: str, name: str, culture: str, draws: Draws, forbidden: frozenset[str], numbered: bool = False
) -> str | None:
    """Words that tell which place it is exchanged, run by run; None where there are none.

    Numbers are exchanged too; alone they are enough where the place is `numbered`.
    """
    pieces, at, changed, last = [], 0, False, -2
    words = list(_WORD.finditer(text))
    for i, word in enumerate(words):
        key = folded(word[0]).replace(".", "")
        acronym = _ACRONYM.fullmatch(word[0]) and (not text.isupper() or len(words) == 1)
        if any(ch.isdecimal() for ch in word[0]):
            if not word[0].strip("0"):
                continue
            new = exchanged_code(word[0], draws, what=f"number {name}")
        elif len(key) == 1 or key in generic()["words"]:
            continue
        elif last == i - 1 and _BLANK.fullmatch(text[at : word.start()]):
            # One name of several words becomes one name.
            at, last = word.end(), i
            continue
        elif acronym:
            new, last = exchanged_code(word[0], draws, what="acronym"), i
        else:
            run = _run(text, words, i)
            new, last = _picked(run, _pool(culture, name), draws, name, forbidden), i
        if new is None:
            return None
        pieces += [text[at : word.start()], new]
        # A house number that is another leaves Church Street where it was; of 3 North it is all that tells.
        at, changed = word.end(), changed or numbered or not word[0].isdecimal()
    return "".join((*pieces, text[at:])) if changed else None


def _run(text: str, words: Sequence[regex.Match[str]], i: int) -> str:
    """The telling words from the i-th on, as they stand."""
    end = words[i].end()
    for word in words[i + 1 :]:
        telling = (
            folded(word[0]) not in generic()["words"] and len(word[0]) > 1 and not any(map(str.isdecimal, word[0]))
        )
        if not telling or not _BLANK.fullmatch(text[end : word.start()]):
            break
        end = word.end()
    return text[words[i].start() : end]


def _template(culture: str, draws: Draws, text: str) -> str:
    """A hospital of the lists, for one that is called by nothing but its kind."""
    rng = draws.random("hospital", folded(text))
    things = load_yaml("things.yaml")

    def part(name: str) -> str:
        items = {"city": "cities", "state": "states", "street": "streets"}.get(name)
        if items:
            return rng.choice(_pool(culture, items))
        return rng.choice(
            things["saints"] if name == "saint" else things["mercies"] if name == "mercy" else _pool(culture, "names")
        )

    forms = load_yaml("places.yaml")[culture]["hospitals"]
    return _formed(text, fill_pattern(rng.choice(forms), rng, part))


def _formed(model: str, new: str) -> str:
    if model.isascii():
        new = plain_letters(new)
    if model.isupper() and (len(model) > 3 or new.isupper()):
        return new.upper()
    return new.lower() if model.islower() else new[:1].upper() + new[1:] if model[:1].isupper() else new
