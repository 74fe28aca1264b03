"""A mention of a person taken apart: which word is a given name, a family name, an initial, a title."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files

import regex
import yaml

from deidlab.redaction.name_lists import folded, known, leaning, script_of

# A word of letters, marks and digits; O'Neil is one word, the 's of a possessive is none.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’](?!s\b)[\p{L}\p{M}\p{N}]+)*", regex.IGNORECASE)


def _read_words() -> dict[str, frozenset[str]]:
    with files("deidlab.redaction").joinpath("data", "name_words.yaml").open("rb") as stream:
        return {
            kind: frozenset(folded(word) for word in words.split()) for kind, words in yaml.safe_load(stream).items()
        }


_WORDS = _read_words()
FEMALE_TITLES, MALE_TITLES = _WORDS["female_titles"], _WORDS["male_titles"]
TITLES = FEMALE_TITLES | MALE_TITLES | _WORDS["titles"]
_SURE, _PARTICLES = _WORDS["sure_suffixes"], _WORDS["particles"]
_MAY_BE_NAMES = _PARTICLES - {"de", "del", "la", "las", "los"}
_SUFFIXES = _SURE | _WORDS["suffixes"]
_BEFORE = regex.compile(r"(\p{L}+[ªº]?)[.:]?\s*$")
_SAYS_SLOT = {"apellidos": "family", "apellido": "family", "surname": "family", "nombre": "given", "firstname": "given"}
_BREAK = regex.compile(r"\s(?:and|or|with|und|et)\s|[&;/+\n]|\s-\s", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamePart:
    """A word of a mention: offsets in the note, its folded form, and what it is.

    `slot` is given or family, or "" where the mention alone does not tell; `initial` marks a single letter; `title` is
    the gender that a title of the mention shows.
    """

    start: int
    end: int
    key: str
    slot: str
    initial: bool = False
    gender: str | None = None


def take_apart(text: str, start: int, end: int, kind: str, spanish: bool) -> list[list[NamePart]]:
    """The persons named in `text[start:end]`, each as the parts that are to be exchanged, in order."""
    persons, at = [], start
    for found in (*_BREAK.finditer(text, start, end), None):
        stop = found.start() if found else end
        if stop > at and (parts := _person(text, at, stop, kind, spanish)):
            persons.append(parts)
        at = found.end() if found else end
    return persons


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Words with their folded forms; a Korean given name with a hyphen is one word, other hyphens part words."""
    held = None
    for found in _WORD.finditer(text, start, end):
        first, last, key = found.start(), found.end(), folded(found[0])
        if key == "s" and text[first - 1 : first] in ("'", "’"):
            continue
        if held and text[held[1] : first] == "-":
            whole = known(f"{held[2]}-{key}")
            if whole and "korean" in whole.given:
                held = held[0], last, f"{held[2]}-{key}"
                continue
        if held:
            yield held
        held = first, last, key
    if held:
        yield held


def _person(text: str, start: int, end: int, kind: str, spanish: bool) -> list[NamePart]:
    words = list(_words(text, start, end))
    before = _BEFORE.search(text, max(0, start - 14), start)
    before = folded(before[1]) if before else ""
    gender, titled = _title(before, words, spanish)
    core = [w for i, w in enumerate(words) if not _is_fixed(text, words, i, spanish)] or [
        w for w in words if w[2] not in TITLES
    ]
    if not core:
        return []
    # Words that a hyphen joins are of one kind: the first speaks for them.
    heads = [w for i, w in enumerate(core) if not i or text[core[i - 1][1] : w[0]] != "-"]
    comma = text.find(",", core[0][1], core[-1][0])
    if before in _SAYS_SLOT:
        slots = [_SAYS_SLOT[before]] * len(heads)
    elif comma < 0 and words[0][2] in _PARTICLES and words[0] not in core:
        slots = ["family"] * len(heads)
    else:
        slots = _slots(text, heads, comma, kind, titled)
    of_head = dict(zip(heads, slots, strict=True))
    parts, slot = [], ""
    for word in core:
        slot = of_head.get(word, slot)
        initial = len(word[2]) == 1 and script_of(word[2]) is None
        parts.append(NamePart(*word, slot, initial, gender))
    return _spelled_initials(text, parts)


def _title(before: str, words: list[tuple[int, int, str]], spanish: bool) -> tuple[str | None, bool]:
    """The gender that a title in the mention or right before it shows, and whether there is a title."""
    shown = [before, *(w[2] for w in words)]
    if spanish and "sr" in shown:
        return "male", True
    for title in shown:
        if title in FEMALE_TITLES or title in MALE_TITLES:
            return ("female" if title in FEMALE_TITLES else "male"), True
    return None, not TITLES.isdisjoint(shown)


def _is_fixed(text: str, words: list[tuple[int, int, str]], i: int, spanish: bool) -> bool:
    """Whether a word of a mention stays: a title, a suffix or a particle."""
    first, last, key = words[i]
    if key == "don" and not spanish and len(words) > 1:
        return False  # Don Smith
    if key in _MAY_BE_NAMES and text[first].isupper():
        # What a name begins with, or a given name behind the comma, may be the name: Le, Minh; Carson, Ben
        before = [w for w in words[:i] if w[2] not in TITLES]
        if not before or "," in text[words[i - 1][1] : first]:
            return False
    if spanish and i == 0 and key == "d" and text[last : last + 1] in (".", "ª"):
        return True
    if key in TITLES and all(w[2] in TITLES for w in words[:i]):
        return len(words) > 1
    if key in _SUFFIXES and i > 0 and (text[first:last].isupper() or key in _SURE):
        return key in _SURE or "," in text[words[i - 1][1] : first]
    if i + 1 == len(words) or key not in _PARTICLES or _capital_initial(text, last, key):
        return False
    return i > 0 or key not in ("al", "ben")


def _capital_initial(text: str, last: int, key: str) -> bool:
    return len(key) == 1 and text[last : last + 1] == "."


def _slots(text: str, core: list[tuple[int, int, str]], comma: int, kind: str, titled: bool) -> list[str]:
    """Given or family for each word; "" for a single one that says nothing of itself."""
    if comma >= 0:
        return ["family" if first < comma else "given" for first, _, _ in core]
    keys = [key for _, _, key in core]
    if kind == "FIRST_NAME" or (kind == "LAST_NAME" and len(keys) == 1):
        return ["given" if kind == "FIRST_NAME" else "family"] * len(keys)
    if len(keys) == 1:
        return [_single(keys[0], titled)]
    if kind == "LAST_NAME" and not _is(keys[0], "given"):
        return ["family"] * len(keys)
    if len(keys[0]) > 1 and all(len(key) == 1 for key in keys[1:]):  # Smith J, but John S
        first = "family" if leaning(keys[0]) == "family" else "given"
        return [first, *["given" if first == "family" else "family"] * (len(keys) - 1)]
    if _family_first(keys):
        return ["family", *["given"] * (len(keys) - 1)]
    if all(leaning(key) == "family" for key in keys) and not _is(keys[0], "given"):
        return ["family"] * len(keys)
    slots = ["given", *("" for _ in keys[1:-1]), "family"]
    for i, key in enumerate(keys[1:-1], 1):
        behind_particle = folded(text[core[i - 1][1] : core[i][0]]).strip().split()[-1:] not in ([], ["."])
        family = behind_particle or "family" in slots[:i] or (_is(key, "family") and not _is(key, "given"))
        slots[i] = "family" if family and len(key) > 1 else "given"
    return slots


def _single(key: str, titled: bool) -> str:
    """The slot of a name that stands alone: behind a title it is a family name, else what the lists know it as."""
    if titled:
        return "family"
    return leaning(key)


def _is(key: str, slot: str) -> bool:
    entry = known(key)
    return bool(entry and (entry.given if slot == "given" else entry.family))


def _family_first(keys: list[str]) -> bool:
    """Whether these are an East Asian family name and the given names behind it."""
    first = known(keys[0])
    asian = first and first.family & {"mandarin", "korean", "vietnamese"}
    return bool(asian and leaning(keys[0]) == "family" and leaning(keys[-1]) != "family")


def _spelled_initials(text: str, parts: list[NamePart]) -> list[NamePart]:
    """`JS` as the initials of a given and a family name, letter by letter; J.S. likewise."""
    if len(parts) == 1 and not parts[0].initial:
        part = parts[0]
        shown = text[part.start : part.end]
        short = len(shown) in (2, 3) and shown.isalpha() and shown.isascii()
        if not (short and shown.isupper() and (not known(part.key) or not set("aeiouy") & set(part.key))):
            return parts
        letters = [(part.start + i, part.start + i + 1, ch) for i, ch in enumerate(part.key)]
    elif len(parts) > 1 and all(part.initial for part in parts):
        letters = [(part.start, part.end, part.key) for part in parts]
    else:
        return [replace(p, slot=p.slot or "given") if p.initial else p for p in parts]
    slots = ["given"] * (len(letters) - 1) + ["family"]
    return [NamePart(a, b, key, slot, True, parts[0].gender) for (a, b, key), slot in zip(letters, slots, strict=True)]
