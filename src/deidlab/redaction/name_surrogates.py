"""Surrogates for the people of a note.

Each word of a name is exchanged by itself: its surrogate is drawn by HMAC of key, patient and the folded word, from the
names of its culture and gender. So `Mr. Smith`, `SMITH, J.` and `Smith's` agree in every note of a patient, in whatever
order notes are done, without any record. First letters are exchanged by a keyed rule too (one for given, one for
family names), and surrogates begin with the letter so found: initials agree where the name itself is not in the note.
What is held against the note itself, and may therefore differ from note to note, is little: a surrogate never equals
a word of any identifier of its note nor the surrogate of another name there (then the next one is taken); a word on no
list that is a letter or two away from another name of the note counts as that name misspelt; a title shows the gender
of a name that the lists do not know.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, cached_property

from deidlab.redaction.keys import Draws
from deidlab.redaction.name_lists import culture_of, gender_of, known, leaning, likely_gender, pool, script_of
from deidlab.redaction.name_parts import NamePart, take_apart
from deidlab.redaction.spelling import neighbours
from deidlab.synthesis.cast import plain_letters
from deidlab.types import Span

# Letters exchanged among themselves, because about as many names begin with each.
_TIERS = {"given": ("ajmscdklreb", "tghnpvfiow", "uxyzq"), "family": ("smbchwgdrplk", "taefjnvo", "iqxyzu")}
_FEW = 3  # with fewer names under a letter, culture wins over the letter
Key = tuple[str, str]  # slot and folded word


@dataclass(frozen=True)
class People:
    """The name parts of a note and the surrogate of each word; build it with `of`."""

    text: str = field(repr=False)
    persons: Mapping[tuple[int, int], Sequence[Sequence[NamePart]]] = field(repr=False)
    assigned: Mapping[Key, str] = field(repr=False)
    draws: Draws = field(repr=False)

    @classmethod
    def of(
        cls,
        text: str,
        spans: Iterable[tuple[Span, str]],
        draws: Draws,
        forbidden: frozenset[str],
        names: Sequence[str] = (),
        gender: Callable[[], str | None] = lambda: None,
        spanish: bool = False,
    ) -> People:
        """`spans` with types of the group NAME; `forbidden` folded words that no surrogate may be.

        `names` are other names the patient is known by, `gender` is asked when a name does not tell it.
        """
        raw = {(s.start, s.end): take_apart(text, s.start, s.end, kind, spanish) for s, kind in spans}
        persons = _settled(raw)
        further = [take_apart(name, 0, len(name), "PATIENT", spanish) for name in names]
        votes = _genders(persons.values())
        keys = Counter(
            (part.slot, part.key)
            for found in persons.values()
            for person in found
            for part in person
            if not part.initial
        )
        listed = {(part.slot or "family", part.key) for found in further for person in found for part in person}
        aliases = _misspelt(keys, listed)
        assigned: dict[Key, str] = {}
        taken = set(forbidden)
        for key in sorted(set(aliases.values())):
            new = _drawn(key, draws, taken, lambda key=key: votes.get(key) or gender(), spanish)  # type: ignore[misc]
            if new is not None:
                assigned[key] = new
                taken.add(plain_letters(new).lower())
        assigned.update({key: assigned[meant] for key, meant in aliases.items() if meant in assigned})
        return cls(text, persons, assigned, draws)

    def surrogate(self, start: int, end: int) -> str | None:
        """The mention with every name exchanged, or None where one of them has no surrogate."""
        persons = self.persons.get((start, end))
        if not persons:
            return None
        pieces, at = [], start
        for person in persons:
            for part in person:
                new = self._initial(part, person) if part.initial else self.assigned.get((part.slot, part.key))
                if new is None:
                    return None
                pieces += [self.text[at : part.start], _formed(self.text[part.start : part.end], new)]
                at = part.end
        return "".join((*pieces, self.text[at:end]))

    def letter(self, slot: str, letter: str) -> str:
        """The letter that names of a slot begin with once exchanged."""
        return exchanged_letter(self.draws, slot, letter)

    def _initial(self, part: NamePart, person: Sequence[NamePart]) -> str | None:
        """An initial of the surrogate it stands for: of a person of the note where one fits, else by the letter."""
        beside = [p for p in person if p is not part and p.slot != part.slot]
        asked = ((part.slot, part.key), *((p.slot, p.key) for p in beside))
        if asked not in self._initials:
            self._initials[asked] = self._fitting_initial(part, beside) or self.letter(part.slot, part.key)
        return self._initials[asked]

    def _fitting_initial(self, part: NamePart, beside: Sequence[NamePart]) -> str | None:
        """The first letter of the first surrogate, in the order of the names, that the initial may stand for."""
        having = [self._having.get((p.slot, p.key), ()) for p in (part, *beside)]
        fitting = sorted(
            other.key
            for candidate in min(having, key=len)
            if all(any(_stands_for(p, q) for q in candidate) for p in beside)
            for other in candidate
            if _stands_for(part, other)
        )
        surrogates = (self.assigned.get((part.slot, key)) for key in fitting)
        return next((plain_letters(new)[0] for new in surrogates if new), None)

    @cached_property
    def in_handles(self) -> tuple[Mapping[str, str], Sequence[int]]:
        """Surrogates of the note's names, as user names spell these, and the lengths of such names, longest first."""
        names = {
            key.replace("'", ""): plain_letters(new).lower() for (_, key), new in self.assigned.items() if len(key) > 2
        }
        return names, sorted({len(name) for name in names}, reverse=True)

    @cached_property
    def _initials(self) -> dict[tuple[Key, ...], str]:
        """Initials settled so far, by slot and letter and by what stands beside them."""
        return {}

    @cached_property
    def _having(self) -> dict[Key, list[Sequence[NamePart]]]:
        """The persons of the note, each once, by slot and word and by slot and first letter of their names."""
        having: dict[Key, list[Sequence[NamePart]]] = {}
        distinct = {
            tuple((p.slot, p.key, p.initial) for p in one): one for found in self.persons.values() for one in found
        }
        for person in distinct.values():
            for slot, key in {(p.slot, key) for p in person if not p.initial for key in (p.key, p.key[0])}:
                having.setdefault((slot, key), []).append(person)
        return having


def _stands_for(part: NamePart, other: NamePart) -> bool:
    if part.slot != other.slot or other.initial:
        return False
    return other.key.startswith(part.key) if part.initial else other.key == part.key


def exchanged_letter(draws: Draws, slot: str, letter: str) -> str:
    """A letter for a letter, never the same, by a keyed rotation of a keyed order of its tier."""
    for tier in _TIERS[slot]:
        if letter in tier:
            chance = draws.digest("letters", slot, tier)
            order = [ch for _, ch in sorted(zip(chance, tier, strict=False))]
            turn = 1 + chance[-1] % (len(order) - 1)
            return order[(order.index(letter) + turn) % len(order)]
    return draws.choice(string.ascii_lowercase, "letter", slot, letter)


def _settled(
    raw: Mapping[tuple[int, int], Sequence[Sequence[NamePart]]],
) -> dict[tuple[int, int], list[list[NamePart]]]:
    """The persons with names that stand alone read as the note reads them elsewhere."""
    whole: dict[str, Counter[str]] = {}
    for found in raw.values():
        for person in found:
            if len(person) > 1:
                for part in person:
                    if part.slot and not part.initial:
                        whole.setdefault(part.key, Counter())[part.slot] += 1

    def settle(part: NamePart, alone: bool) -> NamePart:
        seen = whole.get(part.key) if alone else None
        slot = seen.most_common(1)[0][0] if seen and part.slot not in seen else part.slot
        if not slot:
            entry = known(part.key)
            slot = leaning(part.key) or ("given" if entry and entry.given else "family")
        return part if slot == part.slot else NamePart(part.start, part.end, part.key, slot, part.initial, part.gender)

    return {
        where: [[settle(part, len(person) == 1) for part in person] for person in found] for where, found in raw.items()
    }


def _genders(persons: Iterable[Sequence[Sequence[NamePart]]]) -> dict[Key, str]:
    """The gender that titles show for given names, where they agree."""
    votes: dict[Key, set[str]] = {}
    for found in persons:
        for person in found:
            for part in person:
                if part.gender and part.slot == "given":
                    votes.setdefault((part.slot, part.key), set()).add(part.gender)
    return {key: next(iter(shown)) for key, shown in votes.items() if len(shown) == 1}


def _misspelt(keys: Counter[Key], further: set[Key]) -> dict[Key, Key]:
    """Each name and the name it is meant to be: itself, or the one it misspells."""
    meant = {key: key for key in keys}
    doubtful = [key for key in keys if not known(key[1]) and key not in further]
    near = neighbours({word for _, word in (*keys, *further)}) if doubtful else {}
    for key in doubtful:
        slot, word = key
        better = [
            (other not in further, not known(other[1]), -keys[other], other)
            for other in ((slot, spelling) for spelling in near.get(word, ()))
            if other in further or (other in keys and (known(other[1]) or (keys[other], key) > (keys[key], other)))
        ]
        if better:
            meant[key] = min(better)[-1]
    return meant


def _drawn(key: Key, draws: Draws, forbidden: Set[str], gender: Callable[[], str | None], spanish: bool) -> str | None:
    """The first surrogate, in the keyed order of this word, that is not forbidden."""
    slot, word = key
    script = script_of(word)
    if script in ("mandarin", "korean") and len(word) > 1 and not _listed(word, slot):
        # A whole name without a blank: the first character is the family's.
        family = _drawn(("family", word[0]), draws, forbidden, gender, spanish)
        given = _drawn(("given", word[1:]), draws, forbidden, gender, spanish) if len(word) < 5 else None
        return family + given if family and given else None
    if not script and not _is_latin(word):
        return None
    culture = culture_of(word, slot, spanish)  # type: ignore[arg-type]
    sex = (gender_of(word) or gender() or likely_gender(word)) if slot == "given" else ""
    if "-" in word:
        names = pool("given", sex, culture, "", False, True)
    else:
        letter = "" if script else exchanged_letter(draws, slot, word[0])
        names = pool(slot, sex, culture, letter, bool(script))  # type: ignore[arg-type]
        if len(names) < _FEW:
            names = pool(slot, sex, culture, "", bool(script))  # type: ignore[arg-type]
    first = draws.number("name", slot, word)
    for step in range(len(names)):
        name = names[(first + step) % len(names)]
        if _compared(name) not in forbidden and _compared(name) != word:
            return name
    return None


@cache
def _compared(name: str) -> str:
    """A name of the lists as it is held against the words of the note."""
    return plain_letters(name).lower()


def _listed(word: str, slot: str) -> bool:
    entry = known(word)
    return bool(entry and (entry.family if slot == "family" else entry.given))


def _is_latin(word: str) -> bool:
    return word.isascii() or all(not ch.isalpha() or unicodedata.name(ch, "").startswith("LATIN") for ch in word)


def _formed(model: str, name: str) -> str:
    """A surrogate in the casing of what it stands for, without accents where that has none."""
    if model.isascii():
        name = plain_letters(name)
    if model.isupper():
        return name.upper()
    return name.lower() if model.islower() else name
