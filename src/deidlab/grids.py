"""Many runs from one command: every cell is a door's own command, and is skipped once its report is there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deidlab.runs import dotted, write_json
from deidlab.types import ConfigError, DeidlabError

PLAN = "cells.json"
PLAIN = re.compile(r"[A-Za-z_/.][\w./-]*", re.ASCII)  # texts that need no quotes
TRAIN, EVALUATE, CURVE = "train.py", "scripts/evaluate.py", "scripts/learning_curve.py"
CALIBRATE = "scripts/calibrate.py"
REPORT = "report.json"
RESULTS = {CURVE: "curve.json", CALIBRATE: "calibration.json"}  # of doors that write no report
# What a grid shows of a report: family, measure, and how it is called.
MEASURES = {
    "strict F1": ("strict", "f1"),
    "strict recall": ("strict", "recall"),
    "token recall, any type": ("binary_token", "recall"),
    "character leak": ("char_leak", "value"),
}
# Groups of settings that an evaluation understands too.
JUDGED = ("data", "labels", "evaluation", "report", "seed")


@dataclass(frozen=True)
class Cell:
    """One run: a door with its overrides, and the folder that will hold its report, or its curve.

    `needs` are folders of runs that it reads: done anew, they make it stale.
    """

    name: str
    door: str
    overrides: tuple[str, ...]
    folder: Path
    needs: tuple[Path, ...] = ()

    @property
    def done(self) -> bool:
        own = ended(self.folder / RESULTS.get(self.door, REPORT))
        return own is not None and all(before is not None and before <= own for before in map(last_result, self.needs))

    def command(self) -> list[str]:
        # A folder without a report is what an interrupted run left behind.
        again = ("overwrite=true",) if (self.folder / "config.yaml").is_file() else ()
        return [sys.executable, self.door, *self.overrides, f"output_dir={quoted(str(self.folder))}", *again]


def ended(result: Path) -> float | None:
    """When a result was written, None where there is none."""
    return result.stat().st_mtime if result.is_file() else None


def last_result(folder: Path) -> float | None:
    """When the run in a folder ended, whichever door it was."""
    times = [ended(folder / name) for name in (REPORT, *RESULTS.values())]
    return max((time for time in times if time is not None), default=None)


def quoted(text: str) -> str:
    """A text as Hydra's command line takes it, whatever is in it."""
    if PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false", "nan", "inf"):
        return text
    # Before a quote, the closing one too, a backslash is doubled.
    body, slashes = text.rstrip("\\"), len(text) - len(text.rstrip("\\"))
    return "'" + re.sub(r"(\\*)'", r"\1\1\\'", body) + "\\" * 2 * slashes + "'"


def written(value: Any) -> str:
    """Any value as Hydra's command line takes it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case Mapping():
            return "{" + ",".join(f"{key}:{written(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(written, value)) + "]"
        case _:
            return str(value)


def choosing(corpus: str | Mapping[str, Any]) -> tuple[str, ...]:
    """The overrides that choose a corpus: a data config's name, or `{data: jsonl, data.path: north}`."""
    settings = {"data": corpus} if isinstance(corpus, str) else corpus
    return tuple(f"{key}={written(value)}" for key, value in settings.items())


def passed_on(overrides: Iterable[str], own: Iterable[str]) -> tuple[str, ...]:
    """The overrides of a grid's command line that are not about the grid itself."""
    kept = {*own, "output_dir", "overwrite", "name", "hydra"}
    return tuple(one for one in overrides if root(one) not in kept)


def judging_only(overrides: Iterable[str], without: Sequence[str] = ()) -> tuple[str, ...]:
    """The overrides that an evaluation takes as well as a training: not those of the corpus that is replayed."""
    judged = (one for one in overrides if "@replay." not in one)
    kept = (one for one in judged if root(one) in JUDGED or one.startswith("notes.test="))
    return tuple(one for one in kept if root(one) not in without)


def handed_on(
    overrides: Iterable[str], own: Iterable[str], choices: Mapping[str, str | None], repository: Path
) -> tuple[str, ...]:
    """What a grid hands on to its cells: what its experiment says of the notes, and the rest of its command line."""
    return (*of_experiment(repository / "conf" / "experiment", choices), *passed_on(overrides, own))


def of_experiment(folder: Path, choices: Mapping[str, str | None]) -> tuple[str, ...]:
    """What the chosen experiment says of the notes and of how they are judged: an evaluation knows no experiments.

    `folder` is `conf/experiment`, `choices` are Hydra's; the overrides come before those of the command line.
    """
    if not choices.get("experiment"):
        return ()
    content = yaml.safe_load((folder / f"{choices['experiment']}.yaml").read_text(encoding="utf-8")) or {}
    said = {key: value for key, value in content.items() if key in JUDGED}
    values = tuple(f"{key}={written(value)}" for key, value in dotted(said).items())
    return (f"data={choices['data']}", f"labels={choices['labels']}", *values)


def root(override: str) -> str:
    """The group of an override: `data` of `+data.keep.institution=[a]`."""
    return override.lstrip("+~").split("=", 1)[0].split(".", 1)[0].split("@", 1)[0].split("/", 1)[0]


def run_cells(cells: Sequence[Cell], folder: Path, repository: Path) -> int:
    """Run what has no report yet, in order, and return how many ran.

    The plan is kept beside the cells, so that the same command resumes. Raises `ConfigError` where cells were run with
    other settings, `DeidlabError` with the command of a run that failed.
    """
    check_plan(cells, folder)
    ran = 0
    for number, cell in enumerate(cells, start=1):
        if cell.done:
            print(f"[{number}/{len(cells)}] {cell.name}: there already", flush=True)  # noqa: T201
            continue
        print(f"[{number}/{len(cells)}] {cell.name}", flush=True)  # noqa: T201
        command = cell.command()
        if subprocess.run([command[0], str(repository / cell.door), *command[2:]]).returncode:
            raise DeidlabError(
                f"{cell.name} failed; mend it and give the same command again, what is done is not done twice. "
                f"It ran: python {shlex.join(command[1:])}"
            )
        ran += 1
    return ran


def check_plan(cells: Sequence[Cell], folder: Path) -> None:
    """Refuse a folder that holds other things; keep what each cell was run with."""
    # How a report looks changes no result.
    plan = {cell.name: [cell.door, *(o for o in cell.overrides if root(o) != "report")] for cell in cells}
    file = folder / PLAN
    own = {cell.folder for cell in cells}
    if folder.exists() and not file.is_file() and any(entry not in own for entry in folder.iterdir()):
        raise ConfigError(f"output_dir={folder} exists and holds no {PLAN}: choose another")
    before: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for cell in cells:
        if cell.done and before.get(cell.name) not in (None, plan[cell.name]):
            raise ConfigError(
                f"{cell.name} was run with other settings (see {file}): choose another output_dir, or remove "
                f"{cell.folder} to run it anew"
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(file, before | plan)


def measured(folder: Path) -> dict[str, dict[str, float | None]]:
    """The measures of a cell's report with their bounds."""
    content: Mapping[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rows = {r["metric"]: r for r in content["rows"] if r["label"] == "micro" and r["slice"] == "all"}
    return {
        name: {end or "value": rows[metric].get(f"{measure}{'_' if end else ''}{end}") for end in ("", "low", "high")}
        for name, (metric, measure) in MEASURES.items()
    }
