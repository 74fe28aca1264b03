"""What a million notes cost: a price sheet (`conf/prices/*.yaml`) and what a system took to predict some of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deidlab.types import ConfigError

# How a thing may be priced, by the amounts that such a price has.
KINDS = {
    "machine": ("per_hour",),
    "tokens": ("per_1k_input_tokens", "per_1k_output_tokens"),
    "characters": ("per_unit", "unit_characters"),
}
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """One line of a price sheet, checked: its kind and amounts, and where and when they were read.

    `least_units` is the least that a request of a service priced by characters is billed as.
    """

    name: str
    kind: str
    amounts: Mapping[str, float]
    source: str
    date: str
    what: str = ""
    least_units: int = 1


@dataclass(frozen=True)
class PriceSheet:
    """Prices by name, in one currency; `note_words` is the length of the notes that costs are stated for.

    `note_words=None` states them for notes as long as those that were measured.
    """

    currency: str
    prices: Mapping[str, Mapping[str, Any]]
    note_words: float | None = None

    def price(self, name: str) -> Price:
        """A line of the sheet. Raises `ConfigError` when it is not there, or lacks an amount, a source or a date."""
        if name not in self.prices:
            raise ConfigError(
                f"the price sheet has no {name}; it has {', '.join(sorted(self.prices)) or 'nothing'}: add it under "
                "prices.prices, or say price=NAME in the system's entry"
            )
        line = dict(self.prices[name])
        kind = next((kind for kind, amounts in KINDS.items() if set(amounts) & set(line)), None)
        if kind is None:
            choices = "; ".join(f"{kind}: {', '.join(amounts)}" for kind, amounts in KINDS.items())
            raise ConfigError(f"prices.prices.{name} has no amount; expected those of one kind ({choices})")
        for key in (*KINDS[kind], "source", "date"):
            if line.get(key) in (None, ""):
                raise ConfigError(
                    f"prices.prices.{name}.{key} is not filled in: prices are yours to look up, with where (source) "
                    "and when (date) you read them"
                )
        for key in (*KINDS[kind], "least_units"):
            value = line.get(key, 1)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ConfigError(f"prices.prices.{name}.{key} is {value!r}; expected a number of at least 0")
        if kind == "characters" and line["unit_characters"] < 1:
            raise ConfigError(f"prices.prices.{name}.unit_characters must be at least 1")
        return Price(
            name, kind, {key: float(line[key]) for key in KINDS[kind]}, str(line["source"]), str(line["date"]),
            str(line.get("what", "")), int(line.get("least_units", 1)),
        )  # fmt: skip

    def name_for(self, own: str | None, system: str | None) -> str:
        """Which line prices a system: its entry's own, else the line named like its kind, else the machine."""
        return own or (system if system in self.prices else None) or "machine"


def per_million_notes(price: Price, speed: Mapping[str, Any], note_words: float | None = None) -> float:
    """Currency for a million notes of `note_words` words, from a measurement (`SystemSpeed.to_dict`).

    Cost is taken to grow with words in proportion. A service priced by characters rounds every request up to whole
    units. Raises `ConfigError` for a price that does not fit what was measured.
    """
    usage = speed["usage"]
    match price.kind:
        case "machine":
            cost = price.amounts["per_hour"] * speed["seconds"] / 3600
        case _ if usage is None:
            raise ConfigError(
                f"prices.prices.{price.name} is by {price.kind}, and the system counts none: it runs on a machine; say "
                "price=machine (or another price per hour) in its entry"
            )
        case "tokens" if usage["unmetered"]:
            raise ConfigError(
                f"{usage['unmetered']} of {usage['requests']} answers did not say how many tokens they took: they "
                f"cannot be priced by prices.prices.{price.name}; price the machine that serves them instead"
            )
        case "tokens":
            cost = price.amounts["per_1k_input_tokens"] * usage["input_tokens"] / 1000
            cost += price.amounts["per_1k_output_tokens"] * usage["output_tokens"] / 1000
        case _:
            cost = price.amounts["per_unit"] * billed_units(price, usage["characters"])
    longer = 1.0 if note_words is None else note_words * speed["notes"] / speed["words"]
    return cost / speed["notes"] * longer * MILLION


def billed_units(price: Price, requests: Mapping[str, int]) -> int:
    """Units of characters that requests, counted by length, are billed as."""
    unit = price.amounts["unit_characters"]
    return sum(n * max(math.ceil(int(length) / unit), price.least_units) for length, n in requests.items())
