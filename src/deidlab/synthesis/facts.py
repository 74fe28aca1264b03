"""What is true in every twin of a note: when it was written, how old the patient is, who belongs to whom."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from deidlab.synthesis.dates import years_before
from deidlab.synthesis.drawing import pick
from deidlab.synthesis.people import GENDERS


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true in every twin of a note: the day, the patient's age, how the relatives stand to the patient."""

    today: date
    born: date
    age: int  # years; for infants months, see `unit`
    unit: str  # "year", "month", "week" or "day"
    relations: Mapping[str, str]  # role -> kind, a key of `RELATIONS`
    genders: Mapping[str, str]  # of everyone but the patient; a spouse's follows from the patient's


# kind -> (word for a woman, word for a man, years older than the patient, at least and at most)
RELATIONS: Mapping[str, tuple[str, str, int, int]] = {
    "spouse": ("wife", "husband", -6, 8),
    "partner": ("girlfriend", "boyfriend", -5, 6),
    "parent": ("mother", "father", 20, 38),
    "child": ("daughter", "son", -38, -19),
    "sibling": ("sister", "brother", -12, 12),
    "grandchild": ("granddaughter", "grandson", -62, -40),
    "grandparent": ("grandmother", "grandfather", 42, 64),
    "aunt": ("aunt", "uncle", 10, 34),
    "cousin": ("cousin", "cousin", -15, 15),
    "niece": ("niece", "nephew", -40, -10),
    "inlaw": ("daughter-in-law", "son-in-law", -38, -18),
    "friend": ("friend", "friend", -10, 10),
    "neighbor": ("neighbor", "neighbor", -30, 30),
    "roommate": ("roommate", "roommate", -5, 5),
    "caregiver": ("caregiver", "caregiver", -30, 10),
}

# Who comes along: a kind stands here as often as it should be drawn.
KIN_OF_ELDERS = (
    "spouse", "spouse", "spouse", "child", "child", "sibling", "parent", "partner", "friend", "grandchild", "niece",
    "neighbor", "caregiver", "inlaw",
)  # fmt: skip
KIN_OF_ADULTS = (
    "spouse", "spouse", "parent", "sibling", "partner", "friend", "roommate", "child", "cousin", "aunt",
)  # fmt: skip
KIN_OF_CHILDREN = ("parent", "parent", "parent", "grandparent", "aunt", "sibling")


def draw_facts(rng: random.Random, ages: tuple[int, int]) -> Facts:
    """Facts of a patient whose age in years lies in `ages`, both ends included."""
    low, high = ages
    age, unit = low + int(rng.random() * (high - low + 1)), "year"
    if age <= 1:
        unit, low, high = pick(rng, (("month", 2, 23), ("week", 2, 11), ("day", 2, 6)))
        age = low + int(rng.random() * (high - low + 1))
    today = draw_day(rng)
    years = age if unit == "year" else 0
    days = {"month": 30, "week": 7, "day": 1}.get(unit, 0) * age
    born = years_before(today, years, days + (int(rng.random() * 350) if unit == "year" else 0))
    grown = years >= 20
    kinds = KIN_OF_ELDERS if years >= 55 else KIN_OF_ADULTS if grown else KIN_OF_CHILDREN
    relations = {
        "rel": pick(rng, kinds),
        "rel2": pick(rng, ("sibling", "child", "cousin") if grown else ("sibling", "cousin", "aunt")),
    }
    people = ("rel", "rel2", "dr", "dr2", "dr3", "rn", "other", "other2", "tech")
    genders = {p: pick(rng, GENDERS) for p in people}
    for role, kind in relations.items():
        if kind in ("spouse", "partner"):
            genders[role] = "same" if rng.random() < 0.04 else "other"
    return Facts(today, born, age, unit, relations, genders)


def draw_day(rng: random.Random, first_year: int = 2004, last_year: int = 2025) -> date:
    """A day on which the note is written."""
    start = date(first_year, 1, 1)
    return start + timedelta(days=int(rng.random() * (date(last_year, 12, 28) - start).days))
