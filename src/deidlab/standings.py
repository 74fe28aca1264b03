"""Systems side by side: how good, how fast, how dear. Every system is a run of `scripts/evaluate.py` of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deidlab.grids import EVALUATE, Cell, choosing
from deidlab.pricing import Price, PriceSheet, per_million_notes
from deidlab.types import ConfigError
from deidlab.views.elements import Cell as Shown
from deidlab.views.elements import Estimate, Section, Table, slug

PRICE = "price"  # the one setting of an entry that is not for scripts/evaluate.py
# Family, measure and name of what a table says of a system's quality.
QUALITY = (
    ("strict", "precision", "strict P"),
    ("strict", "recall", "R"),
    ("strict", "f1", "F1"),
    ("binary_token", "recall", "token recall, any type"),
    ("char_leak", "value", "character leak"),
)

SPEED_HEADER = ("words/s", "notes/s", "p50, ms", "p95, ms", "memory, MiB", "joules/note")

Entries = Mapping[str, Mapping[str, Any]]


def entries(systems: Any) -> Entries:
    """The systems of a table as settings by name, checked. Raises `ConfigError` that shows what an entry looks like."""
    if not isinstance(systems, Mapping) or not systems:
        raise ConfigError(
            "systems={rules: {system: rules}, ours: {system: checkpoint, system.path: RUN}} names systems"
        )
    for name, settings in systems.items():
        if not isinstance(settings, Mapping) or "system" not in settings:
            raise ConfigError(
                f"systems.{name} needs the system it is: {name}: {{system: checkpoint, system.path: RUN}}"
            )
    if len({slug(str(name)) for name in systems}) < len(systems):
        raise ConfigError(f"the systems {', '.join(systems)} need names that differ in more than punctuation")
    return {str(name): dict(settings) for name, settings in systems.items()}


def prices_of(systems: Entries, sheet: PriceSheet | None) -> dict[str, Price]:
    """The price of every system, known before any of them runs; nothing without a sheet."""
    if sheet is None:
        return {}
    return {name: sheet.price(sheet.name_for(own.get(PRICE), own["system"])) for name, own in systems.items()}


def cells(systems: Entries, folder: Path, overrides: Sequence[str], notes: int, one_by_one: int) -> list[Cell]:
    """One evaluation a system, each in a process of its own, so that one's memory is not another's."""
    measured = (f"speed.notes={notes}", f"speed.one_by_one={one_by_one}")
    return [
        Cell(
            name,
            EVALUATE,
            (*overrides, *measured, *choosing({key: value for key, value in own.items() if key != PRICE})),
            folder / slug(name),
        )
        for name, own in systems.items()
    ]


def collect(systems: Entries, folder: Path, prices: Mapping[str, Price], sheet: PriceSheet | None) -> dict[str, Any]:
    """What the runs said, as JSON: quality, speed and cost of every system."""
    lines = {}
    for name in systems:
        here = folder / slug(name)
        rows = json.loads((here / "report.json").read_text(encoding="utf-8"))["rows"]
        found = {r["metric"]: r for r in rows if r["label"] == "micro" and r["slice"] == "all"}
        quality = {
            f"{metric}.{measure}": {
                end or "value": found[metric].get(f"{measure}{'_' if end else ''}{end}") for end in ("", "low", "high")
            }
            for metric, measure, _ in QUALITY
        }
        lines[name] = {"quality": quality}
        if (here / "speed.json").is_file():  # answers made elsewhere have none
            lines[name]["speed"] = json.loads((here / "speed.json").read_text(encoding="utf-8"))
            if price := prices.get(name):
                lines[name]["cost"] = cost_of(price, sheet, lines[name]["speed"])
    return {"schema": 1, "systems": lines}


def cost_of(price: Price, sheet: PriceSheet | None, speed: Mapping[str, Any]) -> dict[str, Any]:
    """The cost of a million notes, with the price behind it and the length of the notes it is for."""
    assert sheet is not None, "a price comes from a sheet"
    words = speed["words"] / speed["notes"] if sheet.note_words is None else sheet.note_words
    return {
        "per_million_notes": per_million_notes(price, speed, sheet.note_words),
        "currency": sheet.currency,
        "note_words": words,
        "price": {"name": price.name, "what": price.what, **price.amounts, "source": price.source, "date": price.date},
    }


def sections(content: Mapping[str, Any]) -> list[Section]:
    """Quality, speed with the plot of recall against it, and cost where there are prices."""
    systems = content["systems"]
    found = [Section("Quality", "On the same notes.", quality_table(systems))]
    if timed := {name: system for name, system in systems.items() if "speed" in system}:
        found.append(Section("Speed", speed_note(timed), speed_table(timed)))
        about = "Strict recall; further right is faster (logarithms)."
        found.append(Section("Recall against speed", about, figure="recall-speed"))
    if any("cost" in system for system in systems.values()):
        found.append(Section("Cost", "Of a million notes, by the prices of the sheet.", cost_table(systems)))
    return found


def quality_table(systems: Mapping[str, Any]) -> Table:
    header = ("system", *(name for _, _, name in QUALITY))
    body: tuple[tuple[Shown, ...], ...] = tuple(
        (name, *(Estimate(**system["quality"][f"{metric}.{measure}"]) for metric, measure, _ in QUALITY))
        for name, system in systems.items()
    )
    return Table(header, body)


def speed_table(systems: Mapping[str, Any]) -> Table:
    return Table(
        ("system", *SPEED_HEADER), tuple((name, *speed_cells(system["speed"])) for name, system in systems.items())
    )


def speed_cells(speed: Mapping[str, Any]) -> tuple[Shown, ...]:
    """Rates, latencies, memory and energy of one system, as cells."""
    memory = speed["peak_memory_bytes"] + (speed["peak_gpu_bytes"] or 0)
    joules = None if speed["joules"] is None else speed["joules"] / speed["notes"]
    milliseconds = (speed[key] and 1000 * speed[key] for key in ("latency_p50", "latency_p95"))
    return (
        round(speed["words_per_second"]),
        Estimate(speed["notes_per_second"], digits=2),
        *(Estimate(value, digits=1) for value in milliseconds),
        round(memory / 2**20),
        "not readable" if joules is None else Estimate(joules, digits=2),
    )


def speed_note(systems: Mapping[str, Any]) -> str:
    first = next(iter(systems.values()))["speed"]
    return (
        f"{first['notes']:,} notes of {first['words'] / first['notes']:.0f} words, as each system batches them; "
        f"latency over {first['latency_notes']:,} of them, one after the other. Memory is that of the whole process, "
        f"and of the GPU if there is one. On {first.get('hardware', 'an unnamed machine')}."
    )


def cost_table(systems: Mapping[str, Any]) -> Table:
    header = ("system", "per million notes", "words a note", "price", "source")
    body = []
    for name, system in systems.items():
        if cost := system.get("cost"):
            amounts = ", ".join(
                f"{key.replace('_', ' ')} {value:g}"
                for key, value in cost["price"].items()
                if isinstance(value, (int, float))
            )
            what = f" ({cost['price']['what']})" if cost["price"]["what"] else ""
            body.append((
                name, f"{cost['per_million_notes']:,.2f} {cost['currency']}", round(cost["note_words"]),
                f"{cost['price']['name']}: {amounts}{what}", f"{cost['price']['source']}, {cost['price']['date']}",
            ))  # fmt: skip
    return Table(header, tuple(body))


def summary(systems: Mapping[str, Any]) -> Table:
    """Quality, speed and cost in one table, one row a system."""
    header = ("system", *(name for _, _, name in QUALITY), *SPEED_HEADER[:-1], "a million notes")
    body = []
    for name, system in systems.items():
        quality = (Estimate(system["quality"][f"{metric}.{measure}"]["value"]) for metric, measure, _ in QUALITY)
        speed = speed_cells(system["speed"])[:-1] if "speed" in system else ("-",) * (len(SPEED_HEADER) - 1)
        cost = f"{system['cost']['per_million_notes']:,.2f} {system['cost']['currency']}" if "cost" in system else "-"
        body.append((name, *quality, *speed, cost))
    return Table(header, tuple(body))


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """Recall against words per second."""
    from deidlab.views import figures as drawing  # matplotlib takes a second

    systems = content["systems"]
    points = [
        drawing.Point(name, system["speed"]["words_per_second"], *system["quality"]["strict.recall"].values())
        for name, system in systems.items()
        if "speed" in system and system["quality"]["strict.recall"]["value"] is not None
    ]
    if not points:
        return {}
    return {"recall-speed": drawing.scatter(points, "words per second", "strict recall", name="recall-speed")}
