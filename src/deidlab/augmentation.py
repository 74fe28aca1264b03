"""Training notes rewritten: identifiers replaced by fresh ones of the same type, and what typing and scanning do.

A note is cut into pieces at its spans; each piece is changed on its own and the offsets are those of what comes out,
so they are exact whatever happens. The same (label, text) is replaced alike throughout a note.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from deidlab.labels import LabelSet
from deidlab.synthesis.noise import NONE, Noise, Piece, roughen
from deidlab.synthesis.people import GENDERS, Person, name_pool, rare_surnames
from deidlab.types import ConfigError, Document, Span

DATES = frozenset(("date", "year", "date_of_birth", "date_time", "time"))
AGES = frozenset(("age", "age_over_89"))
_NUMBER = re.compile(r"\d+")
_CODE = re.compile(r"[^\W_]*\d[^\W_]*")  # a run of letters and digits with a digit in it


@dataclass(frozen=True)
class Augmentation:
    """Which share of the training notes an epoch rewrites, and how; `share=0` switches it off.

    `replaced` is the share of identifiers that a rewritten note exchanges. Names are drawn from `cultures` (those of
    the synthetic corpus), numbers keep their shape, dates and ages stay possible, other words come from the same type
    elsewhere in training. `noise` holds rates of `deidlab.synthesis.noise.Noise`; what it does not name is 0.
    """

    share: float = 0.0
    replaced: float = 0.7
    cultures: Sequence[str] = ("us",)
    noise: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and 0 <= self.replaced <= 1):
            raise ConfigError("training.augmentation: share and replaced are shares from 0 to 1")
        if self.share:
            if not self.cultures:
                raise ConfigError("training.augmentation.cultures is empty: name at least one")
            for culture in self.cultures:
                name_pool(culture, "train")  # an unknown one is an error now, not in the second epoch
        if unknown := sorted(set(self.noise) - set(Noise.__dataclass_fields__)):
            known = ", ".join(Noise.__dataclass_fields__)
            raise ConfigError(f"training.augmentation.noise has no {', '.join(unknown)}; it has {known}")

    @property
    def active(self) -> bool:
        return self.share > 0

    def documents(self, documents: Sequence[Document], labels: LabelSet, seed: int, epoch: int) -> list[Document]:
        """The notes of one epoch; each depends on its own id, the seed and the epoch (and the pool of mentions)."""
        noise = Noise(**{**dict.fromkeys(NONE.__dataclass_fields__, 0.0), **self.noise})
        kinds = Kinds.of(labels, documents)
        fresh = []
        for document in documents:
            rng = random.Random(f"{seed}-{epoch}-{document.id}")
            chosen = rng.random() < self.share and not overlapping(document)
            fresh.append(self._rewritten(document, kinds, noise, rng) if chosen else document)
        return fresh

    def _rewritten(self, document: Document, kinds: Kinds, noise: Noise, rng: random.Random) -> Document:
        made: dict[tuple[str, str], str] = {}
        pieces: list[Piece] = []
        for text, label in cut(document):
            if label is not None:
                if (label, text) not in made:
                    keep = rng.random() >= self.replaced
                    made[label, text] = text if keep else kinds.another(text, label, self.cultures, rng)
                text = made[label, text]
            pieces.append((text, label))
        return joined(document, roughen(pieces, noise, 0.0, rng))


def overlapping(document: Document) -> bool:
    """Whether spans overlap: then they are no pieces side by side, and the note is left as it is."""
    spans = sorted(document.spans)
    return any(after.start < before.end for before, after in pairwise(spans))


def cut(document: Document) -> list[Piece]:
    """The text as pieces with the label of their span, or none; no two spans overlap."""
    pieces: list[Piece] = []
    at = 0
    for span in sorted(document.spans):
        pieces += [(document.text[at : span.start], None), (document.text[span.start : span.end], span.label)]
        at = span.end
    pieces.append((document.text[at:], None))
    return [(text, label) for text, label in pieces if text]


def joined(document: Document, pieces: Sequence[Piece]) -> Document:
    """The document that the pieces make; a span does not begin or end in white space."""
    spans, at = [], 0
    for text, label in pieces:
        if label is not None and (bare := text.strip()):
            start = at + text.index(bare)
            spans.append(Span(start, start + len(bare), label))
        at += len(text)
    return Document(document.id, "".join(text for text, _ in pieces), tuple(spans), document.meta)


@dataclass(frozen=True)
class Kinds:
    """What the types of a label set stand for, and the mentions of each in the training notes."""

    names: frozenset[str]
    given: frozenset[str]
    family: frozenset[str]
    dates: frozenset[str]
    ages: frozenset[str]
    pool: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, labels: LabelSet, documents: Sequence[Document]) -> Kinds:
        """Read the meaning of the types from the map that the synthetic corpus has to this label set."""
        fine: dict[str, set[str]] = {}
        for source, target in labels.maps.get("synthetic", {}).items():
            fine.setdefault(target, set()).add(source)
        pool: dict[str, dict[str, None]] = {}
        for document in documents:
            for span in document.spans:
                pool.setdefault(span.label, {})[document.text[span.start : span.end]] = None

        def types(means) -> frozenset[str]:
            return frozenset(t for t in labels.types if fine.get(t) and all(map(means, fine[t])))

        return cls(
            names=frozenset(labels.names) | types(lambda f: f.endswith("_name")),
            given=types(lambda f: f.endswith("_first_name")),
            family=types(lambda f: f.endswith("_last_name")),
            dates=types(DATES.__contains__),
            ages=types(AGES.__contains__),
            pool={label: tuple(mentions) for label, mentions in pool.items()},
        )

    def another(self, text: str, label: str, cultures: Sequence[str], rng: random.Random) -> str:
        """Another identifier of this type, of the shape of `text` where shape matters."""
        if label in self.names:
            return cased_like(text, self._name(text, label, draw_person(cultures, rng), rng))
        if label in self.ages and text.isdigit():
            return str(rng.randint(1, 9) if len(text) == 1 else rng.randint(10, 89) if len(text) == 2 else int(text))
        if any(ch.isdigit() for ch in text):
            change = another_date_number if label in self.dates else another_code
            pattern = _NUMBER if label in self.dates else _CODE
            return pattern.sub(lambda found: change(found[0], rng), text)
        return cased_like(text, rng.choice(self.pool.get(label) or (text,)))

    def _name(self, text: str, label: str, person: Person, rng: random.Random) -> str:
        if label in self.given:
            return person.given
        if label in self.family:
            return person.family
        if "," in text:
            return f"{person.family}, {person.given}"
        match len(text.split()):
            case 0 | 1:
                return person.family if rng.random() < 0.5 else person.given
            case 2:
                return f"{person.given} {person.family}"
            case _:
                return " ".join(filter(None, (person.given, person.middle, person.family)))


def draw_person(cultures: Sequence[str], rng: random.Random) -> Person:
    return name_pool(rng.choice(cultures), "train").draw(rng, rng.choice(GENDERS), rare_surnames("train"))


def cased_like(model: str, text: str) -> str:
    if not any(map(str.isalpha, model)):
        return text
    return text.upper() if model.isupper() else text.lower() if model.islower() else text


def another_date_number(number: str, rng: random.Random) -> str:
    """A number that may stand in the same place of a date: a year of the same century, else 1 to 12 as wide."""
    if len(number) == 4:
        return number[:2] + f"{rng.randrange(100):02d}"
    if len(number) == 1:
        return str(rng.randint(1, 9))
    return f"{rng.randint(1, 12):02d}" if len(number) == 2 else number


def another_code(code: str, rng: random.Random) -> str:
    """Letters for letters of the same case, digits for digits; a leading zero stays."""

    def one(at: int, ch: str) -> str:
        if ch.isdecimal() and ch.isascii():
            return ch if ch == "0" and at == 0 else str(rng.randint(at == 0, 9))
        if ch.isascii() and ch.isalpha():
            letter = rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
            return letter if ch.isupper() else letter.lower()
        return ch

    return "".join(one(at, ch) for at, ch in enumerate(code))
