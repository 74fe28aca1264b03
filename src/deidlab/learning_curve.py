"""How many local notes does a model need, and what does it forget? Training on ever more notes, with repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.extrapolation import extrapolate
from deidlab.grids import EVALUATE, MEASURES, TRAIN, Cell, judging_only, measured, quoted
from deidlab.types import ConfigError
from deidlab.views.elements import Cell as TableCell
from deidlab.views.elements import Estimate, Section, Table

LOCAL, SOURCE = "local", "source"  # where a model is judged
HEADLINE, LEAK = "strict F1", "character leak"
FURTHER = (2, 4, 10)  # times the most notes that were tried


def checked(sizes: Any, repeats: Any, source: str | None, fewer: Any = None) -> tuple[int, ...]:
    """Sizes in increasing order. Raises `ConfigError` for settings that cannot work."""
    listed = isinstance(sizes, Sequence) and not isinstance(sizes, str)
    if not listed or not sizes or any(not isinstance(n, int) or n < 0 for n in sizes) or len(set(sizes)) < len(sizes):
        raise ConfigError("sizes are numbers of notes, each once, e.g. sizes=[0,10,25,50,100]")
    if not isinstance(repeats, int) or repeats < 1:
        raise ConfigError("repeats must be a whole number, at least 1")
    if fewer is not None and not (
        isinstance(fewer, Mapping) and all(isinstance(n, int) and n > 0 for n in fewer.values())
    ):
        raise ConfigError("fewer has the repeats of some sizes, e.g. fewer={475: 3}")
    if source is None and 0 in sizes:
        raise ConfigError("with 0 notes there must be a model to start from: set source=RUN, or leave 0 out of sizes")
    return tuple(sorted(sizes))


def cells(
    sizes: Sequence[int],
    repeats: int,
    folder: Path,
    overrides: Sequence[str],
    source: str | None = None,
    forget: Sequence[str] | None = None,
    seed: int = 42,
    fewer: Mapping[int, int] | None = None,
) -> list[Cell]:
    """Every training on so many notes, and its evaluation on the source corpus if `forget` chooses one.

    All notes of a size train and none validates: a validation split would be local notes too. The notes of a repeat
    are a part of those of the next size. `fewer` has the repeats of sizes that take too long for `repeats`.
    """
    start = (f"model.pretrained={quoted(source)}",) if source else ()
    plan = []
    for size, repeat in points(sizes, repeats, fewer):
        where = place(folder, size, repeat)
        name = f"{size} notes" + (f", repeat {repeat + 1}" if size else "")
        if size:
            settings = (f"notes.train={size}", "notes.validation=0", f"seed={seed + repeat}")
            drawn = tuple(o for o in overrides if not o.startswith("seed="))
            plan.append(Cell(name, TRAIN, (*drawn, *start, *settings), where))
        else:
            model = ("system=checkpoint", f"system.path={quoted(str(source))}")
            plan.append(Cell(name, EVALUATE, (*model, *judging_only(overrides)), where))
        if forget:
            judged = judging_only(overrides, without=("data", "notes"))
            model = ("system=checkpoint", f"system.path={quoted(str(where if size else source))}")
            there = place(folder, size, repeat, SOURCE)
            needs = (where,) if size else ()
            plan.append(Cell(f"{name}, on the source", EVALUATE, (*model, *judged, *forget), there, needs))
    return plan


def points(sizes: Sequence[int], repeats: int, fewer: Mapping[int, int] | None = None) -> list[tuple[int, int]]:
    """(size, repeat) of every point; without notes there is nothing to repeat."""
    of_size = {size: min(repeats, (fewer or {}).get(size, repeats)) if size else 1 for size in sizes}
    return [(size, repeat) for size in sizes for repeat in range(of_size[size])]


def place(folder: Path, size: int, repeat: int, where: str = LOCAL) -> Path:
    return folder / (f"{size:05d}-{repeat + 1}" + ("" if where == LOCAL else "-source"))


def collect(
    sizes: Sequence[int],
    repeats: int,
    folder: Path,
    forgetting: bool,
    target: float | None = None,
    fewer: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    """The curve as JSON: every point; for each size the mean, least and most over repeats; what more notes would give.

    Least and most of so many repeats hold the median of all repeats there could be with a probability of 1 - 2^(1 -
    repeats): 75 % of three, 94 % of five.
    """
    sides = (LOCAL, SOURCE) if forgetting else (LOCAL,)
    lines: list[dict[str, Any]] = [
        {"notes": size, "repeat": repeat, "on": side, "measure": name, "value": found["value"]}
        for size, repeat in points(sizes, repeats, fewer)
        for side in sides
        for name, found in measured(place(folder, size, repeat, side)).items()
    ]
    means = []
    for side in sides:
        for measure in MEASURES:
            for size in sizes:
                values = [
                    line["value"]
                    for line in lines
                    if (line["notes"], line["on"], line["measure"]) == (size, side, measure)
                    and line["value"] is not None
                ]
                summary = {"value": float(np.mean(values)), "low": min(values), "high": max(values)} if values else {}
                empty = {"value": None, "low": None, "high": None}
                means.append({"notes": size, "on": side, "measure": measure, **empty, **summary})
    return {
        "schema": 1,
        "sizes": list(sizes),
        "repeats": repeats,
        "fewer": {str(size): number for size, number in (fewer or {}).items()},
        "points": lines,
        "means": means,
        "forecast": forecast(lines, target),
    }


def forecast(points: Sequence[Mapping[str, Any]], target: float | None) -> dict[str, Any] | None:
    """Strict F1 and leak with more local notes than were tried, and how many reach the target.

    None with fewer than three sizes; a null bound lies beyond what `deidlab.extrapolation` dares to tell, and without
    repeats there is none.
    """
    lines = []
    needed = None
    for measure in (HEADLINE, LEAK):
        errors: dict[int, list[float]] = {}
        for point in points:
            if (point["on"], point["measure"]) == (LOCAL, measure) and point["value"] is not None:
                error = point["value"] if measure == LEAK else 1 - point["value"]
                errors.setdefault(point["notes"], []).append(error)
        drawn = extrapolate(errors)
        if drawn is None:
            return None
        for times in FURTHER:
            told = drawn.at(times * drawn.largest)
            values = (told.value, told.low, told.high)
            value, low, high = values if measure == LEAK else (1 - told.value, 1 - told.high, 1 - told.low)
            size = times * drawn.largest
            bounds = {"low": low, "high": high} if math.isfinite(low) else {"low": None, "high": None}
            lines.append({"notes": size, "measure": measure, "value": value, **bounds})
        if measure == HEADLINE and target is not None:
            found = drawn.needed(1 - target)
            needed = {"target": target} | {
                key: None if not np.isfinite(value) else int(np.ceil(value))
                for key, value in (("notes", found.value), ("low", found.low), ("high", found.high))
            }
    return {"points": lines, "needed": needed}


def reached(content: Mapping[str, Any], target: float) -> int | None:
    """The smallest size whose mean strict F1 on the local notes is at least `target`."""
    enough = [
        mean["notes"]
        for mean in content["means"]
        if (mean["on"], mean["measure"]) == (LOCAL, HEADLINE) and (mean["value"] or 0) >= target
    ]
    return min(enough, default=None)


def sections(content: Mapping[str, Any], target: float | None = None) -> list[Section]:
    """A section for the local notes, and one for the source corpus with what was forgotten."""
    sides = list(dict.fromkeys(mean["on"] for mean in content["means"]))
    repeats = content["repeats"]
    but = "".join(f", {number} with {size} notes" for size, number in content.get("fewer", {}).items())
    ranges = f"Mean of {repeats} repeats{but}; ranges are the least and the most."
    if repeats == 1:
        ranges = "One run of each size."
    answer = ""
    if target is not None:
        size = reached(content, target)
        answer = (
            f" {size:,} notes reach strict F1 {target:g}."
            if size is not None
            else f" No size reaches strict F1 {target:g}."
        )
    found = [Section("Local notes", ranges + answer, side_table(content, LOCAL), "curve")]
    if SOURCE in sides:
        about = "The same models on the corpus they came from; change is against the least number of notes."
        found.append(Section("What is forgotten", about, side_table(content, SOURCE)))
    if more := forecast_section(content):
        found.append(more)
    found.append(Section("Leak", "Share of identifier characters that stay readable.", figure="curve-leak"))
    return found


def forecast_section(content: Mapping[str, Any]) -> Section | None:
    """What more notes would give, if the curve goes on as it began."""
    told = content.get("forecast")
    if not told:
        return None
    by = {(line["notes"], line["measure"]): line for line in told["points"]}
    body: tuple[tuple[TableCell, ...], ...] = tuple(
        (f"{notes:,}", *(Estimate(*(by[notes, m][k] for k in ("value", "low", "high"))) for m in (HEADLINE, LEAK)))
        for notes in sorted({line["notes"] for line in told["points"]})
    )
    repeated = any(line["low"] is not None for line in told["points"])
    ranges = "; ranges are 95% intervals over repeats, if the curve keeps its form" if repeated else ""
    about = f"An inverse power law through the points above{ranges}. Hopeful far from what was tried."
    if needed := told["needed"]:
        least, most = ("more than can be told" if needed[k] is None else f"{needed[k]:,}" for k in ("low", "high"))
        number = "cannot be told" if needed["notes"] is None else f"{needed['notes']:,}"
        between = f" ({least} to {most})" if repeated else ""
        about += f" Notes for strict F1 {needed['target']:g}: {number}{between}."
    return Section("More notes", about, Table(("notes", HEADLINE, LEAK), body))


def side_table(content: Mapping[str, Any], side: str) -> Table:
    by = {(m["notes"], m["measure"]): m for m in content["means"] if m["on"] == side}
    first = by[content["sizes"][0], HEADLINE]["value"]
    body: list[tuple[TableCell, ...]] = []
    for size in content["sizes"]:
        # A single run has no range.
        kept = ("value", "low", "high") if content["repeats"] > 1 and size else ("value",)
        values = [Estimate(*(by[size, measure][k] for k in kept)) for measure in MEASURES]
        now = values[0].value
        change = None if now is None or first is None else now - first
        body.append((f"{size:,}", *values, Estimate(change, signed=True) if size != content["sizes"][0] else None))
    return Table(("notes", *MEASURES, "change in F1"), tuple(body))


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """F1 and leak by number of notes, on the local notes and on the source corpus."""
    from deidlab.views import figures as drawing  # matplotlib takes a second

    drawn = {}
    for name, measure in (("curve", HEADLINE), ("curve-leak", "character leak")):
        series = []
        for side in dict.fromkeys(mean["on"] for mean in content["means"]):
            means = [m for m in content["means"] if (m["on"], m["measure"]) == (side, measure)]
            series.append(drawing.Series(side, *([m[k] for m in means] for k in ("value", "low", "high"))))
        drawn[name] = drawing.lines(content["sizes"], series, "local notes", measure, spread=True, name=name)
    return drawn
