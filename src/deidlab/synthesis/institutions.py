"""How institutions write: headings, gaps, bullets, dates, ages, letterheads, signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from deidlab.synthesis.mentions import Manner
from deidlab.synthesis.resources import load_yaml
from deidlab.types import ConfigError


@dataclass(frozen=True)
class Institution:
    """One institution's style; `letterhead`, `header`, `signature` and `footer` are chances."""

    name: str
    register: str  # narrative, telegraphic or dictated
    case: str  # of headings: upper, title, sentence or none
    headings: Sequence[str]
    gap: str
    bullets: Sequence[str]
    manner: Manner
    letterhead: float
    header: float
    signature: float
    footer: float
    shout: float = 0.0  # chance of a note all in capitals
    copied: float = 0.0  # chance of text copied forward

    def cased(self, heading: str) -> str:
        match self.case:
            case "upper":
                return heading.upper()
            case "title":
                return " ".join(w if w.isupper() else w[:1].upper() + w[1:] for w in heading.split(" "))
            case _:
                return heading[:1].upper() + heading[1:]


def institutions() -> tuple[str, ...]:
    return tuple(load_yaml("institutions.yaml"))


@lru_cache(maxsize=64)
def institution(name: str) -> Institution:
    """An institution by name. Raises `ConfigError` that lists them."""
    known = load_yaml("institutions.yaml")
    if name not in known:
        raise ConfigError(f"unknown institution {name!r}; choose from {', '.join(known)}")
    e = known[name]
    manner = Manner(tuple(e["dates"]), tuple(e["ages"]), e.get("spelled_ages", 0.03))
    chances = {k: e[k] for k in ("letterhead", "header", "signature", "footer")}
    return Institution(
        name, e["register"], e["case"], tuple(e["heading"]), e["gap"], tuple(e["bullets"]), manner,
        **chances, shout=e.get("shout", 0.0), copied=e.get("copied", 0.0),
    )  # fmt: skip
