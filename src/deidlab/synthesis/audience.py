"""Of whom a sentence may be said: an alternative of the grammar is known by its own words (`data/audience.yaml`).

A man has no cervix, a newborn no mortgage, and nobody without diabetes an insulin dose. The words are sorted into
groups (sex, age, stage, topic, place); an alternative with words of a group fits notes that have one of their tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from deidlab.synthesis.resources import load_yaml
from deidlab.types import ConfigError

Masks = tuple[int, ...]  # for each group the tags that an alternative asks for; 0: any
EVERYONE = -1


@lru_cache(maxsize=1)
def tags() -> Mapping[str, int]:
    """Each tag's bit."""
    names = dict.fromkeys(tag for group in load_yaml("audience.yaml").values() for key in group for tag in key.split())
    return {tag: 1 << i for i, tag in enumerate(names)}


def bits_of(*chosen: str) -> int:
    """The bits of some tags."""
    known = tags()
    return sum(known[tag] for tag in set(chosen))


_TOKEN = re.compile(r"\{?\w+")


@lru_cache(maxsize=1)
def _words() -> Mapping[str, tuple[tuple[re.Pattern[str], int, int], ...]]:
    """The words of `audience.yaml` as patterns with their group and bits, by how their first token begins."""
    found: dict[str, list[tuple[re.Pattern[str], int, int]]] = {}
    for place, group in enumerate(load_yaml("audience.yaml").values()):
        for key, words in group.items():
            for word in str(words).split():
                text = word.replace("_", " ")
                first = _TOKEN.match(text)
                if not first:
                    raise ConfigError(f"audience.yaml, {key}: {word!r} does not begin with a letter or figure")
                found.setdefault(first[0][:3].lower(), []).append((_pattern(text), place, bits_of(*key.split())))
    return {begin: tuple(rows) for begin, rows in found.items()}


def _pattern(word: str) -> re.Pattern[str]:
    """A word of small letters matches in any case, another as it is; `*` stands for any ending."""
    ending = "" if word.endswith("*") or not word[-1].isalnum() else r"(?!\w)"
    return re.compile(re.escape(word.rstrip("*")) + ending, re.IGNORECASE if word == word.lower() else 0)


def said_of(text: str) -> Masks:
    """The tags, group by group, one of which a note must have for this text to fit it."""
    masks = [0] * len(load_yaml("audience.yaml"))
    words = _words()
    for token in _TOKEN.finditer(text):
        for pattern, place, bits in words.get(token[0][:3].lower(), ()):
            if pattern.match(text, token.start()):
                masks[place] |= bits
    return tuple(masks)


def topics_of(texts) -> int:
    """All topics that some texts are about."""
    place = list(load_yaml("audience.yaml")).index("topic")
    found = 0
    for text in texts:
        found |= said_of(text)[place]
    return found


def age_tag(years: int, unit: str) -> str:
    """The age group of a patient."""
    if unit != "year" or years < 2:
        return "infant"
    return "child" if years < 13 else "teen" if years < 18 else "adult"


def stage_tag(years: int) -> str:
    """Of an age to work and to bear children, or past it."""
    return "worker" if years < 66 else "elder"
