"""Mentions in text: what the cast says for `{pt.full}`, `{d.visit}`, `{age.event}` and the like, with its label.

A form gives pieces: (text, fine label or None). Whether a date is spelled out or an age written in words is drawn from
the note's own generator, never from the cast's, so that counterfactual twins differ in identifiers only.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from deidlab.synthesis import dates
from deidlab.synthesis.cast import Cast
from deidlab.synthesis.facts import RELATIONS
from deidlab.synthesis.grammar import Mention
from deidlab.synthesis.identifiers import FORMS, Piece
from deidlab.synthesis.people import Person
from deidlab.synthesis.resources import load_yaml
from deidlab.synthesis.vocabulary import Convention
from deidlab.synthesis.wording import AGREEMENT, CHILD, NAME_FORMS, Parts
from deidlab.types import ConfigError

KIND = {
    "pt": "patient",
    "rel": "relative",
    "rel2": "relative",
    "other": "person",
    "other2": "person",
}  # every other role is a clinician
_NOT_PEOPLE = frozenset(("d", "age", "id"))

# Days from today, at least and at most; days in `_KEPT_DAYS` are one and the same through the note.
_DAYS = {
    "visit": (0, 0),
    "admit": (-12, -2),
    "disch": (0, 0),
    "past": (-3600, -40),
    "recent": (-60, -3),
    "future": (5, 190),
    "soon": (1, 30),
    "surgery": (-8, -1),
    "onset": (-21, -2),
    "last": (-400, -30),
    "ago": (-9000, -700),
    "next": (7, 200),
}
_KEPT_DAYS = frozenset(("visit", "admit", "disch", "surgery", "onset", "last", "next"))
_MONTH_YEAR = ("B Y", "B Y", "b Y", "b 'y", "mm/Y", "m/y", "B of Y", "B, Y")
_MONTH_DAY = ("m/d", "m/d", "B d", "B D", "b d", "mm/dd", "d b")


@dataclass(frozen=True, slots=True)
class Manner:
    """How one institution writes: date shapes (the first is usual), age suffixes, spelled-out ages."""

    dates: tuple[str, ...]
    ages: tuple[str, ...]
    spelled_ages: float = 0.03
    stray_date: float = 0.25  # chance that a date leaves the usual shape
    convention: Convention = "whole"


def is_name(mention: Mention) -> bool:
    """Whether a mention is the name of a person."""
    return mention.role not in _NOT_PEOPLE and mention.form in NAME_FORMS


class Realiser:
    """Fills mentions from a cast; `rng` decides on shapes and is the same for every twin of a note."""

    def __init__(self, cast: Cast, manner: Manner, rng: random.Random) -> None:
        self.cast, self.manner, self.rng, self.facts = cast, manner, rng, cast.facts
        self._days: dict[str, date] = {}
        self._spelled = rng.random() < manner.spelled_ages
        self._last_age = ""

    def __call__(self, mention: Mention) -> list[Piece]:
        role, form = mention.role, mention.form
        if (make := NAME_FORMS.get(form)) and role not in _NOT_PEOPLE:
            return self._name(role, make)
        if form in AGREEMENT and role not in _NOT_PEOPLE:
            return [(self._agree(role, form), None)]
        match role:
            case "d":
                return self._date(form)
            case "age":
                return self._age(form)
            case _ if form in ("an", "age", "aged"):
                return self.patient_age(form) if role == "pt" else self._relative_age(role, form)
        if identify := FORMS.get(form):
            return identify(self.cast, role)
        raise ConfigError(f"no mention is called {{{role}.{form}}}")

    # -- names

    def _name(self, role: str, make: Callable[[Person], Parts]) -> list[Piece]:
        kind = KIND.get(role, "clinician")
        parts = make(self.cast.person(role))
        if self.manner.convention == "whole":
            return [("".join(text for text, _ in parts), f"{kind}_name")]
        return [(text, f"{kind}_{part}_name" if part else None) for text, part in parts]

    def _agree(self, role: str, form: str) -> str:
        words = AGREEMENT[form]
        female = self.cast.gender_of(role) == "female"
        choice = words[0] if female else words[1]
        if isinstance(choice, str):
            return choice
        if role == "pt" and form in ("man", "person") and (self.facts.unit != "year" or self.facts.age < 18):
            choice = CHILD[self.facts.unit == "year" and self.facts.age >= 2][0 if female else 1]
        return choice[int(self.rng.random() * len(choice))]

    # -- dates

    def day(self, name: str) -> date:
        """A named day of the note's story, drawn once; the story keeps its order."""
        if name not in self._days:
            low, high = _DAYS.get(name, (-1500, -3))
            known = self._days.get("visit", self.facts.today)
            self._days[name] = known + timedelta(days=low + int(self.rng.random() * (high - low + 1)))
        return self._days[name]

    def _date(self, form: str) -> list[Piece]:
        name, _, shape = form.partition(":")
        if name == "holiday":
            holidays = load_yaml("things.yaml")["holidays"]
            return [(holidays[int(self.rng.random() * len(holidays))], "date")]
        label = "date_of_birth" if name == "dob" else "date"
        day = self.facts.born if name == "dob" else self.day(name) if name in _KEPT_DAYS else self._fresh(name)
        match shape:
            case "":
                return [(dates.shape_date(day, self._shape()), label)]
            case "time":
                return [(self._clock(), "time")]
            case "dt":
                first, gap, second = (
                    dates.shape_date(day, self._shape()),
                    self._pick((" ", " ", " at ", ", ")),
                    self._clock(),
                )
                if self.manner.convention == "parts" and gap != " at ":
                    return [(first + gap + second, "date_time")]
                return [(first, "date"), (gap, None), (second, "time")]
            case "y":
                return [(str(day.year), "year")]
            case "my":
                return [
                    (
                        dates.shape_date(day, self._pick(_MONTH_YEAR)),
                        label,
                    )
                ]
            case "md":
                return [(dates.shape_date(day, self._pick(_MONTH_DAY)), label)]
            case "m":
                return [(dates.MONTHS[day.month - 1], label)]
            case "th":
                return [(self._pick(("the ", "")) + dates.ordinal(day.day), label)]
            case _:
                return [(dates.shape_date(day, shape), label)]

    def _fresh(self, name: str) -> date:
        low, high = _DAYS.get(name, (-1500, -3))
        return self.facts.today + timedelta(days=low + int(self.rng.random() * (high - low + 1)))

    def _shape(self) -> str:
        shapes = self.manner.dates
        return self._pick(shapes) if self.rng.random() < self.manner.stray_date else shapes[0]

    def _clock(self) -> str:
        hour, minute = int(self.rng.random() * 24), int(self.rng.random() * 60)
        twelve, half, mm = hour % 12 or 12, "AM" if hour < 12 else "PM", f"{minute:02d}"
        forms = (
            f"{hour:02d}:{mm}",
            f"{twelve}:{mm} {half}",
            f"{twelve}:{mm}{half.lower()}",
            f"{hour:02d}{mm}",
            f"{hour:02d}:{mm} hrs",
            f"{twelve}:{mm} {half[0].lower()}.m.",
            f"{hour}:{mm}",
        )
        return self._pick(forms)

    # -- ages

    def _age(self, form: str) -> list[Piece]:
        years = self.facts.age if self.facts.unit == "year" else 0
        match form:
            case "event":
                value = (
                    max(1, int(years * (0.1 + 0.85 * self.rng.random())))
                    if years > 4
                    else 1 + int(self.rng.random() * 3)
                )
            case "recent":
                value = max(1, years - 1 - int(self.rng.random() * 6))
            case "next":
                value = years + 1 + int(self.rng.random() * 3)
            case "old":
                value = 58 + int(self.rng.random() * 38)
            case "mid":
                value = 28 + int(self.rng.random() * 42)
            case "child":
                value = 1 + int(self.rng.random() * 15)
            case "months":
                return [self._age_piece(2 + int(self.rng.random() * 30), self.rng.random() < 0.3)]
            case "screen":
                value = self._pick((40, 45, 50, 55, 60, 65, 70, 75))
            case "decade" | "olddecade":
                decade = max(10, years // 10 * 10) if form == "decade" else 10 * (3 + int(self.rng.random() * 6))
                text = self._pick((f"{decade}s", f"{decade}s", f"{decade}'s", dates.number_words(decade)[:-1] + "ies"))
                return [(text.replace("tenies", "teens").replace("teies", "teens") if decade == 10 else text, "age")]
            case _:
                raise ConfigError(f"no age is called {{age.{form}}}")
        return [self._age_piece(value, self.rng.random() < 0.08)]

    def _age_piece(self, value: int, spelled: bool) -> Piece:
        text = dates.number_words(value) if spelled else str(value)
        return text, "age_over_89" if value > 89 else "age"

    def _relative_age(self, role: str, form: str) -> list[Piece]:
        _, _, low, high = RELATIONS[self.facts.relations[role]]
        years = self.facts.age if self.facts.unit == "year" else 0
        piece = self._age_piece(max(1, years + low + int(self.rng.random() * (high - low + 1))), False)
        return [piece, ("-year-old", None)] if form == "aged" else [piece]

    def patient_age(self, form: str) -> list[Piece]:
        """`aged`: 45-year-old, 9 month old, 45yo; `age`: the bare number; `an`: the article that fits."""
        facts = self.facts
        value = facts.age
        if form == "an":
            return [("an" if value in (8, 11, 18) or 80 <= value <= 89 else "a", None)]
        over = facts.unit == "year" and value > 89
        text = dates.number_words(value) if self._spelled or self.rng.random() < 0.02 else str(value)
        piece = text, "age_over_89" if over else "age"
        if form == "age":
            return [piece] if facts.unit == "year" else [piece, (f" {facts.unit}s", None)]
        if facts.unit != "year":
            short = facts.unit[0] + "o"
            return [
                piece,
                (
                    self._pick((f"-{facts.unit}-old", f" {facts.unit} old", f"-{facts.unit} old", short, f" {short}")),
                    None,
                ),
            ]
        suffix = self._pick(self.manner.ages) if text.isdigit() else self._pick(("-year-old", " year old", "-year-old"))
        return [piece, (suffix, None)]

    def _pick(self, items):
        return items[int(self.rng.random() * len(items))]
