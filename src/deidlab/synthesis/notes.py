"""One note: chosen, expanded, filled with its cast, roughened, and assembled with exact offsets.

A note is a pure function of (settings, seed, index): workers may write any share of the notes in any order.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from deidlab.synthesis import noise as roughening
from deidlab.synthesis.cast import Cast, Facts, draw_day
from deidlab.synthesis.dates import years_before
from deidlab.synthesis.grammar import Grammar, Mention, Shares, expand
from deidlab.synthesis.identifiers import Piece
from deidlab.synthesis.institutions import Institution, institution, institutions
from deidlab.synthesis.mentions import Realiser
from deidlab.synthesis.people import GENDERS, cultures, is_ambiguous
from deidlab.synthesis.resources import load_all, load_yaml
from deidlab.synthesis.vocabulary import CONVENTIONS, Convention
from deidlab.types import ConfigError, Document, Span

FIELDS = ("name", "complaint", "hpi", "exam", "labs", "imaging", "meds", "plan", "assess", "ddx", "education")


@dataclass(frozen=True)
class Settings:
    """What to write. `None` for note types or institutions means all; weights need not sum to one."""

    note_types: Sequence[str] | Mapping[str, float] | None = None  # a mapping gives weights
    institutions: Sequence[str] | Mapping[str, float] | None = None
    cultures: Mapping[str, float] = field(default_factory=lambda: {"us": 1.0})
    genders: Mapping[str, float] = field(default_factory=lambda: {"female": 0.5, "male": 0.5})
    mixing: float = 0.3
    abroad: float = 0.15  # chance that the note is written in the patient's own country, not in the United States
    native_script: float = 0.0
    long: float = 0.02
    convention: Convention = "whole"
    balanced: bool = False  # cultures and genders take turns instead of being drawn
    split: str | None = None  # whose identifiers and templates to use; None: all of them
    series: str = "all"  # keeps the notes and ids of two splits apart
    shares: Shares = field(default_factory=Shares)
    noise: roughening.Noise = field(default_factory=roughening.Noise)

    def __post_init__(self) -> None:
        _known("note type", self.note_types, note_types())
        _known("institution", self.institutions, institutions())
        _known("culture", self.cultures, cultures())
        _known("gender", self.genders, GENDERS)
        _known("convention", [self.convention], CONVENTIONS)
        for name in ("mixing", "abroad", "native_script", "long"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected a rate in 0..1")


def _known(what: str, chosen, choices: Sequence[str]) -> None:
    if chosen is None:
        return
    if not chosen:
        raise ConfigError(f"no {what} is chosen; choose from {', '.join(choices)}")
    if wrong := sorted(set(chosen) - set(choices)):
        raise ConfigError(f"unknown {what} {', '.join(wrong)}; choose from {', '.join(choices)}")


def note_types() -> tuple[str, ...]:
    return tuple(load_yaml("notes.yaml"))


@dataclass(frozen=True)
class Condition:
    key: str
    sex: str | None
    ages: tuple[int, int]
    nodes: Mapping[str, object]


@dataclass(frozen=True)
class Writer:
    """Everything compiled that the notes of one split share."""

    grammar: Grammar
    cards: Mapping[str, tuple[Condition, ...]]  # by folder: what the notes of a type are about
    about: Mapping[str, str]  # note type -> folder
    layouts: Mapping[str, tuple[tuple[float, tuple[tuple[str, str, float], ...]], ...]]
    headings: Mapping[str, Sequence[str]]
    addresses: tuple[tuple[float, Mapping[str, object]], ...]  # ways to speak of the patient, with weights
    ample: Mapping[str, float]  # note type -> chance of a long note with few identifiers
    framed: Mapping[str, float]  # note type -> what the institution's chances of headers and the like are scaled by


@lru_cache(maxsize=8)
def writer(split: str | None, shares: Shares) -> Writer:
    sources = dict(load_all("grammar"))
    about = {kind: entry.get("about", "conditions") for kind, entry in load_yaml("notes.yaml").items()}
    folders = {folder: load_all(folder) for folder in sorted(set(about.values()))}
    for folder, cards in folders.items():
        for key, card in cards.items():
            sources.update({f"{folder}/{key}/{name}": v for name, v in card.items() if name not in ("sex", "ages")})
    addresses = load_yaml("address.yaml")
    for way, words in addresses.items():
        sources.update({f"address/{way}/{word}": forms for word, forms in words.items() if word != "weight"})
    grammar = Grammar.compile(sources, split, shares)
    compiled = {
        folder: tuple(_card(folder, k, c, grammar) for k, c in cards.items()) for folder, cards in folders.items()
    }
    layouts = {}
    kinds = load_yaml("notes.yaml")
    for kind, entry in kinds.items():
        rows = []
        for layout in entry["layouts"]:
            sections = tuple((h, b, float(p)) for h, b, p in (s.split() for s in layout["sections"]))
            rows.append((float(layout["weight"]), sections))
        layouts[kind] = tuple(rows)
    ways = tuple(
        (words["weight"], {word: grammar.symbols[f"address/{way}/{word}"] for word in words if word != "weight"})
        for way, words in addresses.items()
    )
    ample, framed = ({kind: entry.get(key, default) for kind, entry in kinds.items()}
                     for key, default in (("ample", 0.0), ("framed", 1.0)))  # fmt: skip
    return Writer(grammar, compiled, about, layouts, load_yaml("headings.yaml"), ways, ample, framed)


def _card(folder: str, key: str, card: Mapping, grammar: Grammar) -> Condition:
    """A card with its own fields, and for a condition the general ones in place of those that it lacks."""
    general = (
        {n: grammar.symbols[f"x_{n}"] for n in FIELDS if f"x_{n}" in grammar.symbols} if folder == "conditions" else {}
    )
    own = {name: grammar.symbols[f"{folder}/{key}/{name}"] for name in card if name not in ("sex", "ages")}
    return Condition(key, card.get("sex"), tuple(card.get("ages", (18, 92))), {**general, **own})


@dataclass(frozen=True)
class Draft:
    """A note before its identifiers: text and open mentions, and the facts that hold in every twin."""

    body: tuple[str | Mention, ...]
    facts: Facts
    house: Institution
    meta: Mapping[str, str]


def seed_of(seed: int, index: int, purpose: int) -> int:
    """A well-mixed seed for one purpose of one note (the multipliers are those of splitmix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9 + purpose * 0x94D049BB133111EB) & (2**64 - 1)
    x ^= x >> 31
    return (x * 0x94D049BB133111EB) & (2**64 - 1)


def write_note(settings: Settings, seed: int, index: int) -> Document:
    """The note with this index."""
    seed_here = _series_seed(settings, seed)
    rng = random.Random(seed_of(seed_here, index, 1))
    culture, gender = _weighted(rng, settings.cultures), _weighted(rng, settings.genders)
    if settings.balanced:
        names = list(settings.cultures)
        culture, gender = names[index % len(names)], GENDERS[index // len(names) % 2]
    draft = draft_note(settings, rng, gender)
    return fill(draft, settings, seed, index, culture, gender)


def _series_seed(settings: Settings, seed: int) -> int:
    return seed_of(seed, zlib.crc32(settings.series.encode()), 0)


def draft_note(settings: Settings, rng: random.Random, gender: str | None) -> Draft:
    """Choose and expand a note; `gender` None keeps to conditions that befall anyone (for twins)."""
    tools = writer(settings.split, settings.shares)
    kind = _weighted(rng, _weights(settings.note_types, note_types()))
    house = institution(_weighted(rng, _weights(settings.institutions, institutions())))
    condition = _condition(tools.cards[tools.about[kind]], rng, gender)
    facts = _facts(rng, condition)
    body = _compose(tools, house, kind, condition, facts.unit != "year" or facts.age < 13, rng, settings)
    return Draft(tuple(body), facts, house, {"note_type": kind, "institution": house.name, "condition": condition.key})


def fill(
    draft: Draft, settings: Settings, seed: int, index: int, culture: str, gender: str, twin: str = ""
) -> Document:
    """Put a cast into a draft, roughen the text, and assemble the document."""
    seed_here = _series_seed(settings, seed)
    cell = 0 if not twin else 1 + cultures().index(culture) * 2 + GENDERS.index(gender)
    identity = random.Random(seed_of(seed_here, index, 16 + cell))
    manner = random.Random(seed_of(seed_here, index, 2))
    abroad = identity.random() < settings.abroad
    cast = Cast(
        draft.facts,
        culture,
        gender,
        identity,
        others=() if twin else tuple(settings.cultures),
        mixing=0.0 if twin else settings.mixing,
        place=culture if twin or abroad else "us",
        split=settings.split,
        native=identity.random() < settings.native_script,
    )
    house = draft.house
    realise = Realiser(cast, replace(house.manner, convention=settings.convention), manner)
    pieces = joined_literals(draft.body, realise)
    pieces = roughening.roughen(pieces, settings.noise, house.shout, random.Random(seed_of(seed_here, index, 3)))
    text, spans = assemble(pieces)
    name = f"synthetic-{settings.series}-{seed}-{index:07d}" + (f"-{culture}-{gender}" if twin else "")
    ambiguous = "yes" if is_ambiguous(cast.person("pt")) else "no"
    meta = {**draft.meta, "ambiguous_name": ambiguous, "culture": culture, "gender": gender, "patient": name} | (
        {"twin": twin} if twin else {}
    )
    return Document(name, text, spans, meta)


def joined_literals(body: Sequence[str | Mention], realise: Realiser) -> list[Piece]:
    """The pieces of a body, unlabelled neighbours made one, so that noise sees the text as it will stand."""
    pieces: list[Piece] = []
    plain: list[str] = []
    for item in body:
        if type(item) is str:
            plain.append(item)
            continue
        for text, label in realise(item):
            if label is None:
                plain.append(text)
                continue
            if plain:
                pieces.append(("".join(plain), None))
                plain = []
            pieces.append((text, label))
    if plain:
        pieces.append(("".join(plain), None))
    return pieces


def assemble(pieces: Sequence[Piece]) -> tuple[str, tuple[Span, ...]]:
    """Join pieces to a text and the spans of the labelled ones."""
    spans, at = [], 0
    for text, label in pieces:
        end = at + len(text)
        if label and end > at:
            spans.append(Span(at, end, label))
        at = end
    return "".join(text for text, _ in pieces), tuple(spans)


def _compose(
    tools: Writer,
    house: Institution,
    kind: str,
    condition: Condition,
    child: bool,
    rng: random.Random,
    settings: Settings,
):
    symbols, address = tools.grammar.symbols, _weighted_row(rng, tools.addresses)
    scope = {**condition.nodes, **address}
    ample, framed = rng.random() < tools.ample[kind], tools.framed[kind]
    bullet = _pick(rng, house.bullets)
    heading_form = _pick(rng, house.headings)
    gap = house.gap
    out: list[str | Mention] = []
    parts: list[tuple[int, int]] = []  # where the sections stand in `out`

    def put(symbol: str) -> None:
        out.extend(expand(symbols[symbol], scope, rng, bullet))

    if rng.random() < house.letterhead * framed:
        put("letterhead")
        out.append("\n\n")
    if rng.random() < house.header * framed:
        put("header")
        out.append(gap)
    sections = [s for s in _weighted_row(rng, tools.layouts[kind]) if rng.random() < s[2]] or [
        tools.layouts[kind][0][1][0]
    ]
    for i, (head, body, _) in enumerate(sections):
        if i:
            out.append(gap)
        if head != "none" and heading_form and not (len(sections) == 1 and rng.random() < 0.7):
            out.append(heading_form.replace("H", house.cased(_pick(rng, tools.headings[head]))))
        start = len(out)
        put(_register(symbols, body, house.register, child, ample, rng))
        parts.append((start, len(out)))
    if kind == "discharge_summary" and rng.random() < settings.long:
        for _ in range(36 + int(rng.random() * 20)):
            other = _pick(rng, tools.cards["conditions"])
            if other.sex in (None, condition.sex):
                out.append(gap)
                out.extend(expand(symbols["long_day"], {**other.nodes, **address}, rng, bullet))
    if rng.random() < house.copied:
        start, end = _pick(rng, parts)
        out.append(gap)
        put("copied")
        out.extend(out[start:end])
    if rng.random() < house.signature * framed:
        out.append("\n\n" if rng.random() < 0.6 else "\n")
        put("signature")
    if rng.random() < house.footer * framed:
        out.append("\n\n")
        put("footer")
    return out


def _register(
    symbols: Mapping[str, object], body: str, register: str, child: bool, ample: bool, rng: random.Random
) -> str:
    """The symbol for a section's body: a child's, a long one, else often the register's, where the grammar has one."""
    chance = rng.random()
    if child:
        return f"{body}_child" if f"{body}_child" in symbols else body
    if ample and f"{body}_long" in symbols and chance < (0.45 if register == "telegraphic" else 0.9):
        return f"{body}_long"
    return f"{body}_{register}" if f"{body}_{register}" in symbols and chance < 0.75 else body


def _condition(conditions: Sequence[Condition], rng: random.Random, gender: str | None) -> Condition:
    while True:
        condition = _pick(rng, conditions)
        if condition.sex is None or condition.sex == gender:
            return condition


def _facts(rng: random.Random, condition: Condition) -> Facts:
    low, high = condition.ages
    age, unit = low + int(rng.random() * (high - low + 1)), "year"
    if age <= 1:
        age, unit = _pick(
            rng,
            (
                (2 + int(rng.random() * 22), "month"),
                (2 + int(rng.random() * 10), "week"),
                (2 + int(rng.random() * 5), "day"),
            ),
        )
    today = draw_day(rng)
    years = age if unit == "year" else 0
    days = {"month": 30, "week": 7, "day": 1}.get(unit, 0) * age
    born = years_before(today, years, days + (int(rng.random() * 350) if unit == "year" else 0))
    grown = years >= 20
    kinds = (
        (
            "spouse",
            "spouse",
            "spouse",
            "child",
            "child",
            "sibling",
            "parent",
            "partner",
            "friend",
            "grandchild",
            "niece",
            "neighbor",
            "caregiver",
            "inlaw",
        )
        if years >= 55
        else ("spouse", "spouse", "parent", "sibling", "partner", "friend", "roommate", "child", "cousin", "aunt")
        if grown
        else ("parent", "parent", "parent", "grandparent", "aunt", "sibling")
    )
    relations = {
        "rel": _pick(rng, kinds),
        "rel2": _pick(rng, ("sibling", "child", "cousin") if grown else ("sibling", "cousin", "aunt")),
    }
    people = ("rel", "rel2", "dr", "dr2", "dr3", "rn", "other", "tech")
    genders = {p: _pick(rng, GENDERS) for p in people}
    for role, kind in relations.items():
        if kind in ("spouse", "partner"):
            genders[role] = "same" if rng.random() < 0.04 else "other"
    return Facts(today, born, age, unit, relations, genders)


def _weights(chosen: Sequence[str] | Mapping[str, float] | None, every: Sequence[str]) -> Mapping[str, float]:
    return chosen if isinstance(chosen, Mapping) else dict.fromkeys(chosen or every, 1.0)


def _pick(rng: random.Random, items):
    return items[int(rng.random() * len(items))]


def _weighted(rng: random.Random, weights: Mapping[str, float]) -> str:
    at = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        at -= weight
        if at < 0:
            return key
    return key


def _weighted_row(rng: random.Random, rows):
    at = rng.random() * sum(weight for weight, _ in rows)
    for weight, row in rows:
        at -= weight
        if at < 0:
            return row
    return rows[-1][1]
