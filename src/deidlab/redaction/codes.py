"""Numbers and codes exchanged character by character: digits for digits, letters for letters, everything else kept."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import accumulate, groupby

from deidlab.redaction.keys import Draws

_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"
# Words around a number that say what kind it is, not whose; x-es stand for digits already taken out.
_KEPT = re.compile(
    r"(?<![^\W\d_])(?:MRN?|SSN|ID|ACCT|ACC|acct|REQ|NHS|NHC|NSS|CIPA?|DNI|NIF|NIE|NASS|CURP|PAN|NPI|DEA|"
    r"N[ouú]m(?:ero)?|[Nn][oº°]|[Mm]ed(?:ical)?|[Rr]ec(?:ord)?|[Tt]el(?:[eé]fono)?|[Pp]h(?:one)?|[Ff]ax|[Pp]ager|"
    r"[Bb]eeper|[Ee]xt(?:ension|n)?|x(?=\d)|[xX]{2,}|Lic(?:ense)?|COL)(?![^\W\d_])|\+\d{1,2}(?=[\s(.-])|^1(?=[\s(.-])"
)
_TRIES = 24
_GROUPS = {9: (0, 3, 5), 10: (0, 3, 6)}  # digits of a social security number, of an American telephone


def exchanged_code(text: str, draws: Draws, forbidden: frozenset[str] = frozenset(), what: str = "code") -> str | None:
    """A code of the same pattern: `MR-10482` to `MR-86130`, `(617) 555-0199` to `(438) 672-0845`.

    Drawn for the letters and digits alone, so that another way of punctuating a number gives the same new number.
    Leading zeros stay, a number does not get one. The result equals neither `text` nor any of `forbidden` (codes
    reduced by `bare`). None where there is nothing to exchange or no try succeeds.
    """
    own = bare(text)
    kept = [found.span() for found in _KEPT.finditer(text)]
    inside = bare("".join(ch for i, ch in enumerate(text) if not any(a <= i < b for a, b in kept)))
    if not inside:
        kept, inside = [], own
    if not inside:
        return None
    for attempt in range(_TRIES):
        new = _redrawn(text, kept, draws.random(what, inside, str(attempt)))
        if bare(new) != own and bare(new) not in forbidden:
            return new
    return None


def bare(text: str) -> str:
    """The letters and digits of a code, in lower case."""
    return "".join(ch for ch in text.lower() if ch.isalnum())


def _redrawn(text: str, kept: Sequence[tuple[int, int]], rng: random.Random) -> str:
    drawn = [i for i, ch in enumerate(text) if ch.isalnum() and not any(a <= i < b for a, b in kept)]
    starts = _starts(text, drawn)
    new, leading = list(text), True
    for i in drawn:
        leading = leading or i in starts
        new[i] = _another(text[i], leading, rng.random())
        leading = not text[i].isdecimal() or (leading and text[i] == "0")
    return "".join(new)


def _starts(text: str, drawn: Sequence[int]) -> set[int]:
    """Where the groups of a number begin: told by how many digits it has, not by what parts them."""
    starts: set[int] = set()
    letters = list(accumulate(map(str.isalpha, text)))  # up to each place: digits between two letters have the same
    for _, run in groupby((i for i in drawn if text[i].isdecimal()), key=letters.__getitem__):
        places = list(run)
        starts.update(places[at] for at in _GROUPS.get(len(places), (0,)))
    return starts


def _another(ch: str, leading: bool, draw: float) -> str:
    """A character of the same sort; `leading` says that no digit but 0 stands before it in its number."""
    if ch.isdecimal():
        if leading and ch == "0":
            return "0"
        least = int(leading) + (leading and ch > "1")  # 0 and 1 in front mean something in telephone numbers
        return str(least + int(draw * (10 - least)))
    if ch.isalpha():
        letters = _VOWELS if ch.lower() in _VOWELS else _CONSONANTS
        letter = letters[int(draw * len(letters))]
        return letter.upper() if ch.isupper() else letter
    return "0"


def exchanged_address(text: str, draws: Draws) -> str | None:
    """An IP address of the same kind: numbers from 1 to 254, hexadecimal digits for hexadecimal digits."""
    rng = draws.random("address", bare(text))
    if re.fullmatch(r"[\d.:/ ]+", text) and text.count(".") == 3:
        new = re.sub(r"\d+", lambda _: str(1 + int(rng.random() * 254)), text)
    elif re.fullmatch(r"[0-9A-Fa-f:.\-/%\s]+", text):
        new = re.sub(r"[0-9A-Fa-f]", lambda m: "0123456789abcdef"[int(rng.random() * 16)], text)
    else:
        return None
    return new if new != text else None
