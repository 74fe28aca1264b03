"""Is a model good enough for an institution? One report from the runs that a guided adaptation makes.

Six questions, each answered by a run that stands by itself: leak against a target, what was missed, how many more notes
would help, what was forgotten, which threshold keeps which promise, and what a million notes cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deidlab import learning_curve
from deidlab.conformal.bounds import patients_needed
from deidlab.grids import CALIBRATE, CURVE, EVALUATE, TRAIN, Cell, judging_only, measured, quoted, written
from deidlab.pricing import PriceSheet, per_million_notes
from deidlab.types import ConfigError
from deidlab.views.calibration import promise
from deidlab.views.elements import Cell as TableCell
from deidlab.views.elements import Estimate, Section, Table
from deidlab.views.rows import estimate, overall
from deidlab.views.sections import missed_section

MODEL, FOLDS, CURVES, CALIBRATED = "model", "folds", "curve", "calibration"
AFTER, BEFORE, HERE = "model-on-source", "source-on-source", "source-here"
WHOLE = ("notes.test=null",)


@dataclass(frozen=True)
class Adaptation:
    """What is adapted and how it is judged (`conf/institution.yaml`); `overrides` are settings of train.py."""

    source: str | None
    overrides: tuple[str, ...]
    forget: tuple[str, ...] | None = None
    folds: int | None = None
    curve: tuple[str, ...] | None = None
    alphas: tuple[float, ...] = (0.05, 0.02, 0.01)
    timed: int = 20

    def cells(self, folder: Path) -> list[Cell]:
        """The runs in order: the model; the source beside it; folds; the learning curve; the threshold."""
        start = (f"model.pretrained={quoted(self.source)}",) if self.source else ()
        trained = (*self.overrides, *start)
        judged = judging_only(self.overrides)
        model = ("system=checkpoint", f"system.path={quoted(str(folder / MODEL))}")
        plan = [
            Cell("the model", TRAIN, trained, folder / MODEL),
            Cell(
                "the model, timed", EVALUATE, (*model, *judged, f"speed.notes={self.timed}"), folder / "timed",
                needs=(folder / MODEL,),
            ),
        ]  # fmt: skip
        if self.source:
            source = ("system=checkpoint", f"system.path={quoted(self.source)}")
            plan.append(Cell("the source here", EVALUATE, (*source, *judged), folder / HERE))
            if self.forget:
                there = (*judging_only(self.overrides, without=("data", "notes")), *self.forget)
                plan.append(Cell("the source at home", EVALUATE, (*source, *there), folder / BEFORE))
                after = Cell(
                    "the model at the source's home", EVALUATE, (*model, *there), folder / AFTER, (folder / MODEL,)
                )
                plan.append(after)
        for number in range(self.folds or 0):
            held_out = f"data.fold={written({'of': self.folds, 'test': number})}"
            # Of a fold every note is judged, however few of a test split may be.
            plan.append(Cell(f"fold {number + 1}", TRAIN, (*trained, *WHOLE, held_out), place_of_fold(folder, number)))
        if self.curve:
            begin = f"source={quoted(self.source)}" if self.source else "source=null"
            plan.append(Cell("learning curve", CURVE, (*self.overrides, begin, *self.curve), folder / CURVES))
        return plan

    def pooled(self, folder: Path) -> Cell:
        """The answers of all folds, judged as one."""
        answers = f"system.path={quoted(str(folder / 'folds.jsonl'))}"
        settings = ("system=predictions", answers, *judging_only(self.overrides), *WHOLE, "data.split=all")
        needs = tuple(place_of_fold(folder, number) for number in range(self.folds or 0))
        return Cell("all folds", EVALUATE, settings, folder / FOLDS, needs)

    def threshold(self, folder: Path) -> Cell:
        """What the model can promise, learnt from its test notes, which neither trained nor chose it."""
        settings = (f"run={quoted(str(folder / MODEL))}", "split=test", f"alphas={written(self.alphas)}")
        return Cell("threshold", CALIBRATE, settings, folder / CALIBRATED, (folder / MODEL,))


def place_of_fold(folder: Path, number: int) -> Path:
    return folder / f"fold-{number + 1}"


def check_folds(source: Path, model: Path) -> None:
    """Raise `ConfigError` where the source learnt from the corpus that folds would hold out notes of.

    `model` is a run on that corpus.
    """
    before, here = (read(run / "provenance.json") or {} for run in (source, model))
    if before.get("data_fingerprint") and before.get("data_fingerprint") == here.get("data_fingerprint"):
        raise ConfigError(
            f"folds: the source {source} has learnt from these very notes, so that none of them is held out; start "
            "from the model that it came from, or judge on a test split (folds=null)"
        )


def join_folds(folder: Path, folds: int) -> None:
    """The answers of all folds in one file; every note was held out once."""
    parts = [(place_of_fold(folder, n) / "predictions.jsonl").read_text(encoding="utf-8") for n in range(folds)]
    (folder / "folds.jsonl").write_text("".join(parts), encoding="utf-8")


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def collect(folder: Path, target: float, sheet: PriceSheet | None) -> dict[str, Any]:
    """What the runs below `folder` found, as one JSON object; what was not run is null.

    `target` is the leak that is good enough. The report is that of the folds where there are any: it speaks of more
    notes.
    """
    pooled = (folder / FOLDS / "report.json").is_file()
    report = read(folder / (FOLDS if pooled else MODEL) / "report.json")
    calibration = read(folder / CALIBRATED / "calibration.json")
    speed = read(folder / "timed" / "speed.json")
    cost = None
    if sheet is not None and speed is not None:
        price = sheet.price("machine")
        cost = {"per_million_notes": per_million_notes(price, speed, sheet.note_words), "currency": sheet.currency,
                "source": price.source, "date": price.date}  # fmt: skip
    return {
        "schema": 1,
        "judged_on": "every note, held out in its fold" if pooled else "the test notes",
        "leak": verdict(report, target),
        "report": {key: report.get(key) for key in ("rows", "missed_types", "intervals", "provenance")},
        "source_here": measured(folder / HERE) if (folder / HERE / "report.json").is_file() else None,
        "forgotten": forgotten(folder),
        "curve": read(folder / CURVES / "curve.json"),
        "calibration": calibration and {key: calibration[key] for key in ("notes", "patients", "prices")},
        "speed": speed,
        "cost": cost,
    }


def verdict(report: Mapping[str, Any], target: float) -> dict[str, Any]:
    """The leak with its interval against the target: below, above, or not to be told apart from it.

    Few patients who leak nothing draw an interval without width: so many are needed for a yes that they could promise
    the target on average (`patients_needed`).
    """
    row = next(row for row in overall(report["rows"]) if row["metric"] == "char_leak")
    value, low, high = row["value"], row.get("value_low"), row.get("value_high")
    patients, needed = (report.get("intervals") or {}).get("clusters", 0), patients_needed(target)
    if value is None or high is None:
        answer = "not known"
    elif high <= target:
        answer = "yes" if patients >= needed else "not known"
    else:
        answer = "no" if low is not None and low > target else "not known"
    told = {"patients": patients, "patients_needed": needed}
    return {"target": target, "value": value, "low": low, "high": high, "answer": answer, **told}


def forgotten(folder: Path) -> list[dict[str, Any]] | None:
    """The measures of source and model on the source's test notes, and the change; null where that was not asked."""
    if not (folder / AFTER / "report.json").is_file():
        return None
    before, after = measured(folder / BEFORE), measured(folder / AFTER)
    lines = []
    for measure in before:
        was, now = before[measure]["value"], after[measure]["value"]
        change = None if was is None or now is None else now - was
        lines.append({"measure": measure, "before": was, "after": now, "change": change})
    return lines


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The report, question by question."""
    found = [
        enough_section(content),
        missed_section(content["report"]) or Section("Which types are missed", "None was."),
        slices_section(content["report"]["rows"]),
        *more_sections(content),
        forgotten_section(content),
        threshold_section(content),
        cost_section(content),
    ]
    return [section for section in found if section]


def enough_section(content: Mapping[str, Any]) -> Section:
    leak = content["leak"]
    answers = {
        "yes": "Yes: even the upper end of the interval is below the target.",
        "no": "No: even the lower end of the interval is above the target.",
        "not known": "Not known: the interval holds the target, or there is none. More test notes narrow it.",
    }
    if leak["patients"] < leak["patients_needed"]:
        answers["not known"] = (
            f"Not known: {leak['patients']:,} patients are too few for a target of {leak['target']:g}, which takes "
            f"{leak['patients_needed']:,} or more."
        )
    rows = {row["metric"]: row for row in overall(content["report"]["rows"])}
    body: list[tuple[TableCell, ...]] = [
        ("character leak", estimate(rows["char_leak"], "value"), Estimate(leak["target"])),
        ("notes that leak nothing", estimate(rows["document_clean"], "value"), None),
        ("strict F1", estimate(rows["strict"], "f1"), None),
        ("strict recall", estimate(rows["strict"], "recall"), None),
    ]
    header: tuple[str, ...] = ("measure", "the model", "target")
    if before := content["source_here"]:
        told = [before.get(str(row[0]), {}).get("value") for row in body]
        header = (*header, "before adapting")
        body = [(*row, None if value is None else Estimate(value)) for row, value in zip(body, told, strict=True)]
    about = f"{answers[leak['answer']]} Judged on {content['judged_on']}."
    return Section("Is it good enough?", about, Table(header, tuple(body)))


def slices_section(rows: Sequence[Mapping[str, Any]]) -> Section | None:
    """The slices that leak most."""
    lines = [r for r in rows if r["metric"] == "char_leak" and r["label"] == "micro" and r["slice"] != "all"]
    leaking = sorted((r for r in lines if r["value"]), key=lambda r: -r["value"])[:8]
    if not leaking:
        return None
    body = tuple((r["slice"], estimate(dict(r), "value"), r["support"]) for r in leaking)
    about = "The slices with the largest character leak; wide intervals are small slices."
    return Section("Where it leaks", about, Table(("slice", "leak", "characters"), body))


def more_sections(content: Mapping[str, Any]) -> list[Section]:
    if not content["curve"]:
        return [Section("How many more notes would help?", "No learning curve was run: set sizes=[10,25,50].")]
    return [s for s in learning_curve.sections(content["curve"]) if s.table]


def forgotten_section(content: Mapping[str, Any]) -> Section:
    title = "What did it forget?"
    if not content["forgotten"]:
        return Section(title, "Not judged: set source=RUN and forget=CORPUS, where that run came from.")
    body = tuple(
        (line["measure"], Estimate(line["before"]), Estimate(line["after"]), Estimate(line["change"], signed=True))
        for line in content["forgotten"]
    )
    about = "The source and the adapted model on the test notes of the corpus that the source came from."
    return Section(title, about, Table(("measure", "before", "after", "change"), body))


def threshold_section(content: Mapping[str, Any]) -> Section:
    title = "At which threshold should it run?"
    told = content["calibration"]
    if not told:
        return Section(title, "Not calibrated: run python scripts/calibrate.py run=RUN split=test.")
    body = tuple(
        (
            *promise(line),
            Estimate(line.get("precision")),
            None if "why" in line else round(line["review_minutes_per_1000_notes"]),
        )
        for line in told["prices"]
    )
    about = (
        f"Promises for new patients like these, learnt from {told['notes']:,} notes of {told['patients']:,} patients. "
        "Without a threshold so few patients cannot promise so much. deidlab deidentify --recall-target keeps one."
    )
    header = ("promise", "sure", "threshold", "precision", "minutes of review a 1,000 notes")
    return Section(title, about, Table(header, body))


def cost_section(content: Mapping[str, Any]) -> Section:
    title, speed, cost = "What will it cost?", content["speed"], content["cost"]
    if not speed:
        return Section(title, "Not timed.")
    about = f"{speed['words_per_second']:,.0f} words and {speed['notes_per_second']:,.2f} notes a second."
    if not cost:
        return Section(title, f"{about} In money: prices=NAME, a sheet of conf/prices.")
    price = f"{cost['per_million_notes']:,.2f} {cost['currency']}"
    return Section(title, f"{about} A million notes: {price} ({cost['source']}, {cost['date']}).")
