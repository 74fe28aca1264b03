"""The cast of a note: who is in it and what identifies them, each value made once and kept for the whole note."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from deidlab.synthesis.facts import Facts
from deidlab.synthesis.people import GENDERS, Person, dealt, name_pool, plain_letters, rare_surnames
from deidlab.synthesis.resources import load_yaml

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Cast:
    """Identifiers of one culture and gender, drawn when first mentioned and equal ever after.

    `mixing` is the chance that anyone but the patient's family comes from another culture.
    """

    def __init__(
        self,
        facts: Facts,
        culture: str,
        gender: str,
        rng: random.Random,
        *,
        others: tuple[str, ...] = (),
        mixing: float = 0.0,
        place: str | None = None,
        split: str | None = None,
        native: bool = False,
        neutral: bool = False,
    ) -> None:
        self.facts, self.culture, self.gender, self.rng, self.split = facts, culture, gender, rng, split
        self._others, self._mixing, self._native = others, mixing, native
        self.neutral = neutral  # no word may tell the culture but the identifiers
        self._place_of = {"site": place or culture}
        self._place: dict[str, Mapping] = {}
        self._kept: dict[tuple[str, str], str] = {}
        self._people: dict[str, Person] = {}
        self._ascii = rng.random() < 0.6  # clinicians mostly type without accents

    # -- people

    def gender_of(self, role: str) -> str:
        if role == "pt":
            return self.gender
        if self.facts.relations.get(role) in ("spouse", "partner"):
            same = self.facts.genders[role] == "same"
            return self.gender if same else GENDERS[self.gender == GENDERS[0]]
        gender = self.facts.genders.get(role, GENDERS[0])
        return gender if gender in GENDERS else GENDERS[1]

    def person(self, role: str) -> Person:
        if role not in self._people:
            self._people[role] = self._invent(role)
        return self._people[role]

    def _invent(self, role: str) -> Person:
        rng = self.rng
        family_role = role in self.facts.relations
        foreign = role != "pt" and not family_role and self._others and rng.random() < self._mixing
        culture = rng.choice(self._others) if foreign else self.culture
        pool = name_pool(culture, self.split, self._native and role == "pt")
        person = pool.draw(rng, self.gender_of(role), rare_surnames(self.split))
        if (
            family_role
            and self.facts.relations[role] in ("spouse", "sibling", "child", "parent")
            and rng.random() < 0.7
        ):
            person = Person(
                person.given, person.middle, self.person("pt").family, person.gender, person.nickname, person.maiden
            )
        if self._ascii:
            person = replace(
                person,
                given=plain_letters(person.given),
                middle=plain_letters(person.middle),
                family=plain_letters(person.family),
                nickname=plain_letters(person.nickname),
                maiden=plain_letters(person.maiden),
            )
        return person

    # -- things, all kept

    def keep(self, role: str, what: str, make: Callable[[], str]) -> str:
        key = role, what
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def place(self, role: str) -> Mapping:
        """The lists of places of a role's culture; hospitals stand where the note is written."""
        if role not in self._place:
            self._place[role] = load_yaml("places.yaml")[self._culture_of(role)]
        return self._place[role]

    def listed(self, role: str, name: str) -> str:
        """An item of a culture's list, for instance a phone number or a street, its pattern filled."""
        items = _dealt_places(self._culture_of(role), name, self.split)
        return fill_pattern(items[int(self.rng.random() * len(items))], self.rng, lambda x: self._part(role, x))

    def thing(self, name: str) -> str:
        """An item of a list that does not depend on culture, its pattern filled."""
        items = _dealt_things(name, self.split)
        return fill_pattern(items[int(self.rng.random() * len(items))], self.rng)

    def city(self, role: str) -> tuple[str, str, str]:
        """City, state or region, postcode."""
        whole = self.keep(role, "city", lambda: self._pick(_dealt_places(self._culture_of(role), "cities", self.split)))
        city, state, code = whole.split("|")
        return city, state, self.keep(role, "postcode", lambda: fill_pattern(code, self.rng))

    def _part(self, role: str, name: str) -> str:
        match name:
            case "city":
                return self.city(role)[0]
            case "state":
                return self.city(role)[1]
            case "street":
                return self._pick(_dealt_places(self._culture_of(role), "streets", self.split))
            case "family":
                return self._pick(name_pool(self._culture_of(role), self.split).family)
            case "saint":
                return self._pick(_dealt_things("saints", self.split))
            case _:
                return self._pick(_dealt_things("mercies", self.split))

    def _pick(self, items: Sequence[str]) -> str:
        return items[int(self.rng.random() * len(items))]

    def _culture_of(self, role: str) -> str:
        return self.culture if role in ("pt", *self.facts.relations) else self._place_of["site"]


@lru_cache(maxsize=512)
def _dealt_places(culture: str, name: str, split: str | None) -> Sequence[str]:
    """The cities, streets or hospitals of a culture that a split may use; patterns serve every split."""
    items = load_yaml("places.yaml")[culture][name]
    if name == "cities":
        return dealt(items, split, lambda item: item.partition("|")[0])
    return _dealt_patterns(items, split) if name in ("streets", "hospitals") else items


@lru_cache(maxsize=64)
def _dealt_things(name: str, split: str | None) -> Sequence[str]:
    items = load_yaml("things.yaml")[name]
    return _dealt_patterns(items, split) if name in ("saints", "mercies", "departments") else items


def _dealt_patterns(items: Sequence[str], split: str | None) -> Sequence[str]:
    patterns = [item for item in items if not _FILLED.isdisjoint(item)]
    fixed = [item for item in items if item not in patterns]
    return [*patterns, *dealt(fixed, split)] if fixed else items


_PATTERN = re.compile(r"\{(\w+)\}|([#N@gx])")


def fill_pattern(pattern: str, rng: random.Random, part: Callable[[str], str] | None = None) -> str:
    """Fill # (digit), N (2-9), @ (capital), and {list} in a pattern; other letters stay, g and x only in addresses."""
    if "{" not in pattern and not _SPECIAL.intersection(pattern):
        return pattern
    hexadecimal = "::" in pattern

    def one(match: re.Match[str]) -> str:
        name, symbol = match.groups()
        if name:
            return part(name) if part else match[0]
        match symbol:
            case "#":
                return str(int(rng.random() * 10))
            case "N" if not _word_around(pattern, match.start()):
                return str(2 + int(rng.random() * 8))
            case "@":
                return _LETTERS[int(rng.random() * len(_LETTERS))]
            case "g" | "x" if hexadecimal:
                return "0123456789abcdef"[int(rng.random() * 16)]
        return match[0]

    return _PATTERN.sub(one, pattern)


_SPECIAL = frozenset("#N@")
_FILLED = frozenset("{#@")  # what tells a pattern from a name with an N in it


def _word_around(pattern: str, at: int) -> bool:
    """Whether the N at this place belongs to a word (NHS, No., N Main)."""
    neighbours = pattern[max(0, at - 1) : at] + pattern[at + 1 : at + 2]
    return any(
        (ch.isalpha() and ch not in "N") or (ch == "." and pattern[at + 1 : at + 2] == ".") for ch in neighbours
    ) or (pattern[at + 1 : at + 2] == " " and pattern[at - 1 : at] == " ")
