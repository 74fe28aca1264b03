"""Experiments of several runs: `experiments/NAME/plan.yaml` says which, and one command runs and records them all."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deidlab.experiments import record
from deidlab.grids import CURVE, EVALUATE, TRAIN, Cell, choosing
from deidlab.types import ConfigError
from deidlab.views.elements import slug

DOORS = {"train": TRAIN, "evaluate": EVALUATE, "curve": CURVE}


@dataclass(frozen=True)
class Run:
    """One row of an experiment's tables: a door, its settings, and whether the quick variant runs it too.

    A setting that says `{NAME}` stands for the folder of the run of that name, which comes before it.
    """

    name: str
    door: str
    settings: Mapping[str, Any]
    quick: bool = True


@dataclass(frozen=True)
class Plan:
    """The runs of an experiment in order; `quick` has, by door, what shrinks a run to seconds."""

    runs: tuple[Run, ...]
    quick: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def chosen(self, quick: bool) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.quick or not quick)


def load(file: Path) -> Plan:
    """Read a plan. Raises `ConfigError` for a door, a name or a reference that cannot be."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    runs = []
    for name, line in content["runs"].items():
        door = next((door for door in DOORS if door in line), "train")
        if set(line) - {"quick"} != {door}:
            raise ConfigError(
                f"{file}: {name} has {', '.join(line)}; expected train:, evaluate: or curve: with settings, quick:"
            )
        runs.append(Run(str(name), door, line[door] or {}, line.get("quick", True)))
    if len({slug(run.name) for run in runs}) < len(runs):
        raise ConfigError(f"{file}: the runs need names that differ in more than punctuation")
    plan = Plan(tuple(runs), content.get("quick", {}))
    names = {run.name for run in plan.runs}
    for quick in (False, True):
        check_references(plan.chosen(quick), names, file)
    return plan


def check_references(runs: Iterable[Run], names: Iterable[str], file: Path) -> None:
    """Raise `ConfigError` where a run reads one of `names` that does not come before it in `runs`."""
    before: set[str] = set()
    for run in runs:
        if missing := sorted(references(run.settings.values(), names) - before):
            raise ConfigError(f"{file}: {run.name} reads {', '.join(missing)}, which is not run before it")
        before.add(run.name)


def references(values: Iterable[Any], names: Iterable[str]) -> set[str]:
    texts = [value for value in values if isinstance(value, str)]
    return {name for name in names if any(f"{{{name}}}" in text for text in texts)}


def cells(plan: Plan, folder: Path, quick: bool = False) -> list[Cell]:
    """The plan's runs below `folder`; `quick` leaves some out and shrinks the others."""
    runs = plan.chosen(quick)
    places = {f"{{{run.name}}}": str(folder / slug(run.name)) for run in runs}

    def placed(value: Any) -> Any:
        for name, place in places.items() if isinstance(value, str) else ():
            value = value.replace(name, place)
        return value

    names = {run.name for run in runs}
    planned = []
    for run in runs:
        settings = {**run.settings, **(plan.quick.get(run.door, {}) if quick else {})}
        overrides = choosing({key: placed(value) for key, value in settings.items()})
        needs = tuple(folder / slug(name) for name in sorted(references(run.settings.values(), names)))
        planned.append(Cell(run.name, DOORS[run.door], overrides, folder / slug(run.name), needs))
    return planned


def keep(planned: Iterable[Cell], results: Path) -> None:
    """Record every run with the command that it was."""
    for cell in planned:
        command = shlex.join(("python", *cell.command()[1:]))
        record(results, cell.name, cell.folder, command)
