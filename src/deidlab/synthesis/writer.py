"""Everything that the notes of one split share, compiled once: templates, what notes are about, layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from deidlab.synthesis.audience import said_of, topics_of
from deidlab.synthesis.coinage import coined
from deidlab.synthesis.grammar import Grammar, Shares
from deidlab.synthesis.resources import load_all, load_yaml

FIELDS = ("name", "complaint", "hpi", "exam", "labs", "imaging", "meds", "plan", "assess", "ddx", "education")


@dataclass(frozen=True)
class Condition:
    key: str
    sex: str | None
    ages: tuple[int, int]
    nodes: Mapping[str, object]
    topics: int = 0  # what its own sentences are about (`deidlab.synthesis.audience`)


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
    ward: Mapping[str, float]  # note type -> chance that the patient is in hospital
    beside: tuple[Condition, ...]  # what else a patient may have


@lru_cache(maxsize=8)
def writer(split: str | None, shares: Shares) -> Writer:
    sources = dict(load_all("grammar"))
    about = {kind: entry.get("about", "conditions") for kind, entry in load_yaml("notes.yaml").items()}
    folders = {folder: load_all(folder) for folder in sorted(set(about.values()))}
    for folder, cards in folders.items():
        for key, card in cards.items():
            sources.update({f"{folder}/{key}/{name}": v for name, v in card.items() if name not in ("sex", "ages")})
    others = load_yaml("comorbidities.yaml")
    for key, card in others.items():
        sources.update({f"others/{key}/{name}": v for name, v in card.items() if name not in ("sex", "ages")})
    sources.update(coined())
    addresses = load_yaml("address.yaml")
    for way, words in addresses.items():
        sources.update({f"address/{way}/{word}": forms for word, forms in words.items() if word != "weight"})
    grammar = Grammar.compile(sources, split, shares, said_of)
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
    ample, framed, ward = ({kind: entry.get(key, default) for kind, entry in kinds.items()}
                           for key, default in (("ample", 0.0), ("framed", 1.0), ("ward", 0.1)))  # fmt: skip
    beside = tuple(_card("others", key, card, grammar) for key, card in others.items())
    return Writer(grammar, compiled, about, layouts, load_yaml("headings.yaml"), ways, ample, framed, ward, beside)


def _card(folder: str, key: str, card: Mapping, grammar: Grammar) -> Condition:
    """A card with its own fields, and for a condition the general ones in place of those that it lacks."""
    general = (
        {n: grammar.symbols[f"x_{n}"] for n in FIELDS if f"x_{n}" in grammar.symbols} if folder == "conditions" else {}
    )
    fields = [name for name in card if name not in ("sex", "ages")]
    own = {name: grammar.symbols[f"{folder}/{key}/{name}"] for name in fields}
    topics = topics_of(str(text) for name in fields if name != "ddx" for text in card[name])
    return Condition(key, card.get("sex"), tuple(card.get("ages", (18, 92))), {**general, **own}, topics)
