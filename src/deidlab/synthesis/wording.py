"""Names in the shapes that notes use, and the words that agree with gender."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deidlab.synthesis.people import Person

Parts = list[tuple[str, str]]  # text and "first", "last" or "" (what joins them)


def _initial(name: str) -> str:
    return name[:1]


def _joined(person: Person, *given: str) -> Parts:
    first = " ".join(g for g in given if g)
    if person.family_first:
        return [(person.family, "last"), (" ", ""), (first, "first")]
    return [(first, "first"), (" ", ""), (person.family, "last")]


def _last_first(p: Person, *given: str, comma: str = ", ") -> Parts:
    return [(p.family, "last"), (comma, ""), (" ".join(g for g in given if g), "first")]


def _middle_initial(p: Person) -> str:
    return f"{_initial(p.middle)}." if p.middle else ""


def _upper(parts: Parts) -> Parts:
    return [(text.upper(), part) for text, part in parts]


def _lower(parts: Parts) -> Parts:
    return [(text.lower(), part) for text, part in parts]


NAME_FORMS: Mapping[str, Callable[[Person], Parts]] = {
    "full": lambda p: _joined(p, p.given),
    "mi": lambda p: _joined(p, p.given, _middle_initial(p)),
    "mid": lambda p: _joined(p, p.given, p.middle),
    "first": lambda p: [(p.given, "first")],
    "last": lambda p: [(p.family, "last")],
    "nick": lambda p: [(p.nickname, "first")],
    "nickfull": lambda p: _joined(p, p.nickname),
    "quoted": lambda p: _joined(p, f'{p.given} "{p.nickname}"'),
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
AGREEMENT: Mapping[str, tuple] = {
    "he": ("she", "he"), "He": ("She", "He"), "him": ("her", "him"), "his": ("her", "his"), "His": ("Her", "His"),
    "hers": ("hers", "his"), "himself": ("herself", "himself"), "sex": ("F", "M"), "SEX": ("FEMALE", "MALE"),
    "Sex": ("Female", "Male"), "male": ("female", "male"),
    "mr": (("Ms.", "Mrs.", "Ms.", "Mrs.", "Miss", "Ms"), ("Mr.", "Mr.", "Mr.", "Mr.", "Mr", "Mr")),
    "man": (("woman", "female", "lady", "female", "woman"), ("man", "male", "gentleman", "male", "man")),
    "kid": ("girl", "boy"), "parentword": ("mother", "father"), "Mrs": (("Mrs", "Ms", "Miss"), ("Mr", "Mr", "Mr")),
}  # fmt: skip
CHILD = (
    (
        ("female infant", "baby girl", "girl", "infant girl", "female"),
        ("male infant", "baby boy", "boy", "infant boy", "male"),
    ),
    (("girl", "female", "girl", "young lady", "girl"), ("boy", "male", "boy", "young man", "boy")),
)
