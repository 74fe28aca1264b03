"""Mentions in text: what the cast says for `{pt.full}`, `{d.visit}`, `{age.event}` and the like, with its label.

A form gives pieces: (text, fine label or None). Whether a date is spelled out or a nickname used is drawn from the note's own
generator, never from the cast's, so that counterfactual twins differ in identifiers only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from deidlab.synthesis import dates
from deidlab.synthesis.cast import RELATIONS, Cast
from deidlab.synthesis.grammar import Mention
from deidlab.synthesis.people import Person
from deidlab.synthesis.vocabulary import Convention
from deidlab.types import ConfigError

Piece = tuple[str, str | None]

KIND = {"pt": "patient", "rel": "relative", "rel2": "relative", "other": "person"}  # every other role is a clinician


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
    return mention.role not in _NOT_PEOPLE and mention.form in _NAME_FORMS


class Realiser:
    """Fills mentions from a cast; `rng` decides on shapes and is the same for every twin of a note."""

    def __init__(self, cast: Cast, manner: Manner, rng: random.Random) -> None:
        self.cast, self.manner, self.rng, self.facts = cast, manner, rng, cast.facts
        self._days: dict[str, date] = {}
        self._spelled = rng.random() < manner.spelled_ages
        self._last_age = ""

    def __call__(self, mention: Mention) -> list[Piece]:
        role, form = mention.role, mention.form
        if (make := _NAME_FORMS.get(form)) and role not in _NOT_PEOPLE:
            return self._name(role, make)
        if form in _AGREEMENT and role not in _NOT_PEOPLE:
            return [(self._agree(role, form), None)]
        match role:
            case "d":
                return self._date(form)
            case "age":
                return self._age(form)
            case "id":
                return [
                    (
                        self.cast.keep("id", form, lambda: self.cast.thing(_THINGS[form])),
                        _LABELS.get(form, _THINGS[form]),
                    )
                ]
        if make_other := _OTHERS.get(form):
            return make_other(self, role)
        raise ConfigError(f"no mention is called {{{role}.{form}}}")

    # -- names

    def _name(self, role: str, make: Callable[[Person], list[tuple[str, str]]]) -> list[Piece]:
        kind = KIND.get(role, "clinician")
        parts = make(self.cast.person(role))
        if self.manner.convention == "whole":
            return [("".join(text for text, _ in parts), f"{kind}_name")]
        return [(text, f"{kind}_{part}_name" if part else None) for text, part in parts]

    def _agree(self, role: str, form: str) -> str:
        words = _AGREEMENT[form]
        female = self.cast.gender_of(role) == "female"
        choice = words[0] if female else words[1]
        if isinstance(choice, str):
            return choice
        if role == "pt" and form in ("man", "person") and (self.facts.unit != "year" or self.facts.age < 18):
            choice = _CHILD[self.facts.unit == "year" and self.facts.age >= 2][0 if female else 1]
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
            holidays = _holidays()
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
                        dates.shape_date(
                            day, self._pick(("B Y", "B Y", "b Y", "b 'y", "mm/Y", "m/y", "B of Y", "B, Y"))
                        ),
                        label,
                    )
                ]
            case "md":
                return [(dates.shape_date(day, self._pick(("m/d", "m/d", "B d", "B D", "b d", "mm/dd", "d b"))), label)]
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
        twelve = hour % 12 or 12
        half = "AM" if hour < 12 else "PM"
        return self._pick(
            (f"{hour:02d}:{minute:02d}", f"{twelve}:{minute:02d} {half}", f"{twelve}:{minute:02d}{half.lower()}", f"{hour:02d}{minute:02d}",
             f"{hour:02d}:{minute:02d} hrs", f"{twelve}:{minute:02d} {half[0].lower()}.m.", f"{hour}:{minute:02d}")
        )  # fmt: skip

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


def _holidays() -> list[str]:
    from deidlab.synthesis.resources import load_yaml

    return load_yaml("things.yaml")["holidays"]


_NOT_PEOPLE = frozenset(("d", "age", "id"))

# Days from today, at least and at most; days in `_KEPT_DAYS` are one and the same through the note.
_DAYS = {
    "visit": (0, 0), "admit": (-12, -2), "disch": (0, 0), "past": (-3600, -40), "recent": (-60, -3), "future": (5, 190),
    "soon": (1, 30), "surgery": (-8, -1), "onset": (-21, -2), "last": (-400, -30), "ago": (-9000, -700), "next": (7, 200),
}  # fmt: skip
_KEPT_DAYS = frozenset(("visit", "admit", "disch", "surgery", "onset", "last", "next"))


def _initial(name: str) -> str:
    return name[:1]


def _joined(person: Person, *given: str) -> list[tuple[str, str]]:
    first = " ".join(g for g in given if g)
    if person.family_first:
        return [(person.family, "last"), (" ", ""), (first, "first")]
    return [(first, "first"), (" ", ""), (person.family, "last")]


def _last_first(p: Person, *given: str, comma: str = ", ") -> list[tuple[str, str]]:
    return [(p.family, "last"), (comma, ""), (" ".join(g for g in given if g), "first")]


def _middle_initial(p: Person) -> str:
    return f"{_initial(p.middle)}." if p.middle else ""


def _upper(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(text.upper(), part) for text, part in parts]


def _lower(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(text.lower(), part) for text, part in parts]


_NAME_FORMS: Mapping[str, Callable[[Person], list[tuple[str, str]]]] = {
    "full": lambda p: _joined(p, p.given),
    "mi": lambda p: _joined(p, p.given, _middle_initial(p)),
    "mid": lambda p: _joined(p, p.given, p.middle),
    "first": lambda p: [(p.given, "first")],
    "last": lambda p: [(p.family, "last")],
    "nick": lambda p: [(p.nickname, "first")],
    "nickfull": lambda p: _joined(p, p.nickname),
    "lastfirst": lambda p: _last_first(p, p.given),
    "lastfirstmi": lambda p: _last_first(p, p.given, _middle_initial(p)),
    "lastfirst2": lambda p: _last_first(p, p.given, comma=","),
    "flast": lambda p: [(f"{_initial(p.given)}.", "first"), (" ", ""), (p.family, "last")],
    "fmlast": lambda p: [
        (f"{_initial(p.given)}. {_middle_initial(p)}".strip(), "first"),
        (" ", ""),
        (p.family, "last"),
    ],
    "firstl": lambda p: [(p.given, "first"), (" ", ""), (f"{_initial(p.family)}.", "last")],
    "lastf": lambda p: [(p.family, "last"), (" ", ""), (_initial(p.given), "first")],
    "l": lambda p: [(f"{_initial(p.family)}.", "last")],
    "initials": lambda p: [(f"{_initial(p.given)}.{_initial(p.family)}.", "first")],
    "ini": lambda p: [(_initial(p.given) + _initial(p.family), "first")],
    "ini3": lambda p: [(_initial(p.given) + _initial(p.middle) + _initial(p.family), "first")],
    "inilow": lambda p: [((_initial(p.given) + _initial(p.middle) + _initial(p.family)).lower(), "first")],
    "maiden": lambda p: [(p.maiden, "last")],
    "FULL": lambda p: _upper(_joined(p, p.given)),
    "LAST": lambda p: _upper([(p.family, "last")]),
    "FIRST": lambda p: _upper([(p.given, "first")]),
    "LASTFIRST": lambda p: _upper(_last_first(p, p.given)),
    "LASTFIRSTMI": lambda p: _upper(_last_first(p, p.given, _initial(p.middle))),
    "lowfull": lambda p: _lower(_joined(p, p.given)),
    "lowlast": lambda p: _lower([(p.family, "last")]),
}

# Words that agree with gender: (for a woman, for a man); a tuple offers alternatives, equally many for both.
_AGREEMENT: Mapping[str, tuple] = {
    "he": ("she", "he"), "He": ("She", "He"), "him": ("her", "him"), "his": ("her", "his"), "His": ("Her", "His"),
    "hers": ("hers", "his"), "himself": ("herself", "himself"), "sex": ("F", "M"), "SEX": ("FEMALE", "MALE"),
    "Sex": ("Female", "Male"), "male": ("female", "male"), "mr": (("Ms.", "Mrs.", "Ms.", "Mrs.", "Miss", "Ms"), ("Mr.", "Mr.", "Mr.", "Mr.", "Mr", "Mr")),
    "man": (("woman", "female", "lady", "female", "woman"), ("man", "male", "gentleman", "male", "man")),
    "kid": ("girl", "boy"), "parentword": ("mother", "father"), "Mrs": (("Mrs", "Ms", "Miss"), ("Mr", "Mr", "Mr")),
}  # fmt: skip
_CHILD = (
    (
        ("female infant", "baby girl", "girl", "infant girl", "female"),
        ("male infant", "baby boy", "boy", "infant boy", "male"),
    ),
    (("girl", "female", "girl", "young lady", "girl"), ("boy", "male", "boy", "young man", "boy")),
)


def _kept(what: str, label: str, make: Callable[[Cast, str], str]) -> Callable[[Realiser, str], list[Piece]]:
    def form(realiser: Realiser, role: str) -> list[Piece]:
        cast = realiser.cast
        return [(cast.keep(role, what, lambda: make(cast, role)), label)]

    return form


def _relation(realiser: Realiser, role: str) -> list[Piece]:
    female, male, *_ = RELATIONS[realiser.facts.relations[role]]
    return [(female if realiser.cast.gender_of(role) == "female" else male, None)]


def _relative_age(realiser: Realiser, role: str) -> list[Piece]:
    _, _, low, high = RELATIONS[realiser.facts.relations[role]]
    base = realiser.facts.age if realiser.facts.unit == "year" else 0
    return [realiser._age_piece(max(1, base + low + int(realiser.rng.random() * (high - low + 1))), False)]


def _address(sep: str, parts: str) -> Callable[[Realiser, str], list[Piece]]:
    def form(realiser: Realiser, role: str) -> list[Piece]:
        cast = realiser.cast
        city, state, code = cast.city(role)
        known = {
            "s": (cast.keep(role, "street", lambda: cast.listed(role, "street_forms")), "street_address"),
            "c": (city, "city"), "t": (state, "state"), "z": (code, "postcode"), " ": (" ", None), ",": (", ", None), "/": (sep, None),
        }  # fmt: skip
        return [known[p] for p in parts]

    return form


def _user(cast: Cast, role: str) -> str:
    p = cast.person(role)
    return "".join(ch for ch in (p.given[:1] + p.family).lower() if ch.isalnum())[:8] + (
        f"{int(cast.rng.random() * 90) + 10}" if cast.rng.random() < 0.5 else ""
    )


def _email(cast: Cast, role: str) -> str:
    p = cast.person(role)
    first, last = ("".join(ch for ch in n.lower() if ch.isalnum()) or "x" for n in (p.given, p.family))
    user = (f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{int(cast.rng.random() * 99)}", f"{last}{first[0]}")
    return f"{cast.rng.choice(user)}@{cast.thing('email_hosts')}"


def _url(cast: Cast, role: str) -> str:
    name = (
        "".join(
            ch
            for ch in cast.keep(role, "name", lambda: cast.listed(role, "hospitals")).lower()
            if ch.isalnum() and ch.isascii()
        )
        or "clinic"
    )
    return cast.rng.choice(
        (f"www.{name}.example", f"https://{name}.example/portal", f"{name}.example.org", f"http://my.{name}.example")
    )


def _national(realiser: Realiser, role: str) -> list[Piece]:
    cast = realiser.cast
    word = cast.keep(role, "national", lambda: "|".join(cast.rng.choice(cast.place(role)["national_id"])))
    prefix, pattern, label = word.split("|")
    from deidlab.synthesis.cast import fill_pattern

    return [(f"{prefix}: ", None), (cast.keep(role, "national value", lambda: fill_pattern(pattern, cast.rng)), label)]


_OTHERS: Mapping[str, Callable[[Realiser, str], list[Piece]]] = {
    "an": lambda r, role: r.patient_age("an"),
    "age": lambda r, role: r.patient_age("age") if role == "pt" else _relative_age(r, role),
    "aged": lambda r, role: r.patient_age("aged") if role == "pt" else [*_relative_age(r, role), ("-year-old", None)],
    "noun": _relation,
    "phone": _kept("phone", "phone_number", lambda c, role: c.listed(role, "phones")),
    "phone2": _kept("phone2", "phone_number", lambda c, role: c.listed(role, "phones")),
    "pager": _kept(
        "pager", "phone_number", lambda c, role: f"{2 + int(c.rng.random() * 8)}{int(c.rng.random() * 9000) + 1000}"
    ),
    "ext": _kept("ext", "phone_number", lambda c, role: f"{int(c.rng.random() * 9000) + 1000}"),
    "fax": _kept("fax", "fax_number", lambda c, role: c.listed(role, "phones")),
    "email": _kept("email", "email", _email),
    "user": _kept("user", "username", _user),
    "url": _kept("url", "url", _url),
    "ip": _kept("ip", "ip_address", lambda c, role: c.thing("ip_address")),
    "mrn": _kept("mrn", "medical_record_number", lambda c, role: c.thing("mrn")),
    "acct": _kept("acct", "account_number", lambda c, role: c.thing("account_number")),
    "plan": _kept("plan", "health_plan_number", lambda c, role: c.listed(role, "health_plans")),
    "license": _kept("license", "license_number", lambda c, role: c.thing("license_number")),
    "national": _national,
    "job": _kept("job", "profession", lambda c, role: c.thing("professions")),
    "employer": _kept("employer", "organization", lambda c, role: c.thing("organizations")),
    "name": _kept("name", "hospital", lambda c, role: c.listed(role, "hospitals")),
    "NAME": lambda r, role: [(text.upper(), label) for text, label in _OTHERS["name"](r, role)],
    "dept": _kept("dept", "department", lambda c, role: c.thing("departments")),
    "room": _kept("room", "room", lambda c, role: c.thing("room")),
    "street": _address("\n", "s"),
    "city": _address("\n", "c"),
    "state": _kept("bare state", "state", lambda c, role: c.rng.choice(c.place(role)["states"])),
    "zip": _address("\n", "z"),
    "county": _kept("county", "county", lambda c, role: c.rng.choice(c.place(role)["counties"])),
    "country": _kept("country", "country", lambda c, role: c.rng.choice(c.place(role)["country"])),
    "citystate": _address("\n", "c,t"),
    "address": _address("\n", "s,c,t z"),
    "lines": _address("\n", "s/c,t z"),
}

_THINGS = {
    "accession": "unique_id", "device": "device_id", "vehicle": "vehicle_id", "bio": "biometric_id", "customer": "customer_id",
    "employee": "employee_id", "unique": "unique_id", "license": "license_number", "account": "account_number", "device2": "device_id",
    "accession2": "unique_id", "ip": "ip_address",
}  # fmt: skip
_LABELS: Mapping[str, str] = {}
