"""One note: chosen, expanded, filled with its cast, roughened, and assembled with exact offsets.

A note is a pure function of (settings, seed, index): workers may write any share of the notes in any order.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from deidlab.synthesis import noise as roughening
from deidlab.synthesis.audience import age_tag, bits_of, stage_tag
from deidlab.synthesis.cast import Cast
from deidlab.synthesis.composing import compose
from deidlab.synthesis.drawing import equal_weights, pick, seed_of, weighted
from deidlab.synthesis.facts import Facts, draw_facts
from deidlab.synthesis.grammar import Mention
from deidlab.synthesis.identifiers import Piece
from deidlab.synthesis.institutions import Institution, institution, institutions
from deidlab.synthesis.mentions import Realiser
from deidlab.synthesis.people import GENDERS, cultures, is_ambiguous
from deidlab.synthesis.settings import Settings, note_types
from deidlab.synthesis.writer import Condition, Writer, writer
from deidlab.types import Document, Span


@dataclass(frozen=True)
class Draft:
    """A note before its identifiers: text and open mentions, and the facts that hold in every twin."""

    body: tuple[str | Mention, ...]
    facts: Facts
    house: Institution
    meta: Mapping[str, str]


def write_note(settings: Settings, seed: int, index: int) -> Document:
    """The note with this index."""
    seed_here = _series_seed(settings, seed)
    rng = random.Random(seed_of(seed_here, index, 1))
    culture, gender = weighted(rng, settings.cultures), weighted(rng, settings.genders)
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
    kind = weighted(rng, equal_weights(settings.note_types, note_types()))
    house = institution(weighted(rng, equal_weights(settings.institutions, institutions())))
    condition = _condition(tools.cards[tools.about[kind]], rng, gender)
    facts = draw_facts(rng, condition.ages)
    band = age_tag(facts.age, facts.unit)
    beside = _beside(tools, facts, gender, condition, rng)
    chosen = [
        band,
        stage_tag(facts.age if facts.unit == "year" else 0),
        *({"female": ["woman"], "male": ["man"]}.get(gender or "", [])),
        *rng.sample(PASSING, 2),
    ]
    if rng.random() < tools.ward[kind]:
        chosen.append("ward")
    fitting = bits_of(*chosen) | condition.topics | reduce(or_, (other.topics for other in beside))
    body = compose(tools, house, kind, condition, beside, fitting, band in ("infant", "child"), rng, settings.long)
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
        neutral=bool(twin),
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
        if isinstance(item, str):
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


# Topics that come and go in anybody's notes: two of them are spoken of beside the patient's own.
PASSING = ("germ", "allergy", "bone", "ear", "skin", "eye", "sleep", "weight", "gut", "mind")
PASSING_OF_INFANTS = ("skin", "ear", "gut")


def _beside(
    tools: Writer, facts: Facts, gender: str | None, condition: Condition, rng: random.Random
) -> list[Condition]:
    """Three other things that a patient of this age may have."""
    years = min(facts.age, 94) if facts.unit == "year" else 0
    able = [
        other
        for other in tools.beside
        if other.ages[0] <= years <= other.ages[1] and other.sex in (None, gender) and other.key != condition.key
    ]
    return rng.sample(able, 3)


def _condition(conditions: Sequence[Condition], rng: random.Random, gender: str | None) -> Condition:
    while True:
        condition = pick(rng, conditions)
        if condition.sex is None or condition.sex == gender:
            return condition
