"""Results of experiments: `results.json` is what runs said, and tables in Markdown files are made from it.

A table stands between two comments that say what it shows, and is never typed by hand:

    <!-- table results.json: strict char_leak document_clean -->
    <!-- end -->

Instead of metrics, `intervals METRICS` shows each with its interval and its change from the first run; `gaps culture
names` shows recall by culture and its gap to the reference, over names only; `speed` shows the runs that were timed,
`curve SIDE` what learning curves say of the `local` notes or of the `source`, `attack KIND` what the attacks of that
kind found, `cost SHEET` what a million notes cost them by `conf/prices/SHEET.yaml`, `systems` what
`scripts/benchmark.py systems` found, and `published` the figures of others in a file that says for each where it
stands (`{"columns": [...], "rows": [[...]]}`); `measured` shows such a file that a benchmark wrote.

A picture named `gaps-culture-names.svg` is drawn from the `results.json` beside it, all runs in one.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deidlab.pricing import PriceSheet, per_million_notes
from deidlab.runs import write_json
from deidlab.standings import SPEED_HEADER, speed_cells, summary
from deidlab.types import ConfigError
from deidlab.views import markdown as md
from deidlab.views.attacks import TABLES
from deidlab.views.elements import Estimate, P, Table

TABLE = re.compile(r"(<!-- table (?P<file>\S+): (?P<metrics>[^>]+?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<name>gaps-(?P<attribute>\w+)-(?P<types>\w+)\.svg)\)")

UNMEASURED = "Not measured yet.\n"


def record(results: Path, name: str, run: Path, command: str) -> None:
    """Add a run's report to `results` under `name`, replacing an earlier one of that name.

    Only figures are kept: overall and per-type rows, timings, provenance and the machine; of a learning curve the
    whole. Raises `ConfigError` when `run` has no report.
    """
    content: dict[str, Any] = {"schema": 1, "runs": {}}
    if results.is_file():
        content = json.loads(results.read_text(encoding="utf-8"))
    content["runs"][name] = {"command": command, "hardware": hardware(), **figures_of(run)}
    results.parent.mkdir(parents=True, exist_ok=True)
    write_json(results, content)


def figures_of(run: Path) -> dict[str, Any]:
    """What is kept of a run's folder."""
    if (run / "curve.json").is_file():
        return {"curve": json.loads((run / "curve.json").read_text(encoding="utf-8"))}
    if not (run / "report.json").is_file():
        raise ConfigError(f"{run} has no report.json: give the folder of a run that ended")
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    timings = json.loads((run / "timings.json").read_text(encoding="utf-8"))
    kept = {
        "timings": timings,
        "provenance": report["provenance"],
        "rows": [row for row in report["rows"] if row["slice"] == "all"],
        **{key: report[key] for key in ("fairness", "attack") if key in report},
    }
    if (run / "speed.json").is_file():
        kept["speed"] = json.loads((run / "speed.json").read_text(encoding="utf-8"))
    return kept


def hardware() -> str:
    """Processor, cores and accelerator in words."""
    import torch

    from deidlab.hardware import has_fast_bf16, pick_device, processor

    device = pick_device()
    gpu = f", {torch.cuda.get_device_name()}" if device.type == "cuda" else ""
    bf16 = "with" if has_fast_bf16(device) else "without"
    return f"{processor() or platform.machine()}, {os.cpu_count()} cores{gpu}, {bf16} bf16"


def render(file: Path) -> str:
    """The Markdown file with every table made anew from the results it names."""

    def table(match: re.Match[str]) -> str:
        if not (file.parent / match["file"]).is_file():
            return match[1] + UNMEASURED + match[5]
        results = json.loads((file.parent / match["file"]).read_text(encoding="utf-8"))
        if results.get("runs") == {}:
            return match[1] + UNMEASURED + match[5]
        what, *rest = match["metrics"].split()
        match what:
            case "gaps":
                lines = gap_lines(results["runs"], *rest)
            case "intervals":
                lines = interval_lines(results["runs"], rest)
            case "speed":
                lines = speed_lines(results["runs"])
            case "curve":
                lines = curve_lines(results["runs"], *rest)
            case "attack":
                lines = attack_lines(results["runs"], *rest)
            case "cost":
                lines = cost_lines(results["runs"], price_sheet(file.parents[2] / "conf" / "prices", *rest))
            case "systems":
                lines = md.table(summary(results["systems"]))
            case "published" | "measured":
                lines = md.table(Table(tuple(results["columns"]), tuple(tuple(row) for row in results["rows"])))
            case _:
                lines = table_lines(results["runs"], [what, *rest])
        return match[1] + "\n".join(lines) + "\n" + match[5]

    return TABLE.sub(table, file.read_text(encoding="utf-8"))


def renew(file: Path) -> bool:
    """Make the tables and the pictures of a Markdown file anew; was a table another one before? No file has none."""
    if not file.exists():
        return False
    before, after = file.read_text(encoding="utf-8"), render(file)
    for match in PICTURE.finditer(after):
        runs = json.loads((file.parent / "results.json").read_text(encoding="utf-8"))["runs"]
        picture = draw_gaps(runs, match["attribute"], match["types"])
        (file.parent / match["name"]).write_text(picture, encoding="utf-8")
    if before != after:
        file.write_text(after, encoding="utf-8")
    return before != after


def table_lines(runs: dict[str, Any], metrics: Sequence[str]) -> list[str]:
    """One row a run: precision, recall and F1 of each metric, or its one value; minutes of training; the machine."""
    header, rule = ["run"], ["---"]
    first = next(iter(runs.values()))["rows"]
    for metric in metrics:
        row = overall(first, metric)
        columns = [metric] if "value" in row else [f"{metric} P", "R", "F1"]
        header += columns
        rule += ["---:"] * len(columns)
    lines = [[*header, "training", "hardware"], [*rule, "---:", "---"]]
    for name, run in runs.items():
        cells = [name]
        for metric in metrics:
            row = overall(run["rows"], metric)
            cells += [shown(row[k]) for k in (("value",) if "value" in row else ("precision", "recall", "f1"))]
        seconds = run["timings"].get("training_seconds")
        lines.append([*cells, "-" if seconds is None else f"{seconds / 60:.1f} min", run["hardware"]])
    return ["| " + " | ".join(line) + " |" for line in lines]


def interval_lines(runs: dict[str, Any], metrics: Sequence[str]) -> list[str]:
    """One row a run: F1 (or the one value) of each metric with its interval, and how far it is from the first run's."""
    body: list[tuple[Any, ...]] = []
    firsts: dict[str, float] = {}
    for name, run in runs.items():
        cells: list[Any] = [name]
        for metric in metrics:
            row = overall(run["rows"], metric)
            measure = "value" if "value" in row else "f1"
            value, low, high = (row.get(f"{measure}{end}") for end in ("", "_low", "_high"))
            found = Estimate(value, low, high)
            first = firsts.setdefault(metric, found.value or 0.0)
            away = None if found.value is None else Estimate(found.value - first, signed=True)
            cells += [found, away if body else None]
        body.append((*cells, run["hardware"]))
    header = ("run", *(part for metric in metrics for part in (metric, "change")), "hardware")
    return md.table(Table(header, tuple(body)))


def gap_lines(runs: dict[str, Any], attribute: str, types: str) -> list[str]:
    """One row a group of `attribute`: strict recall over `types` (names, all), and its gap to the reference, by run."""
    header, rule = [attribute], ["---"]
    found = gaps(runs, attribute, types)
    for name, of_run in found.items():
        header += [f"{name}: recall", f"from {of_run[0]['reference']}", "relative", "p"]
        rule += ["---:"] * 4
    lines = [header, rule]
    for of_group in zip(*found.values(), strict=True):
        cells = [of_group[0]["group"]]
        for gap in of_group:
            relative = Estimate(gap["relative"], signed=True, percent=True, digits=1)
            cells += [shown(gap["recall"]), str(Estimate(gap["difference"], signed=True)), str(relative)]
            cells.append(str(P(gap["p_value"])))
        lines.append(cells)
    return ["| " + " | ".join(line) + " |" for line in lines]


def draw_gaps(runs: dict[str, Any], attribute: str, types: str) -> str:
    """SVG of what `gap_lines` says: a line for each group, a dot with its interval for each run."""
    from deidlab.views import figures  # matplotlib takes a second

    series, groups = [], []
    for name, lines in gaps(runs, attribute, types).items():
        groups = [line["group"] for line in lines]
        series.append(figures.of_rows(name, lines, "recall"))
    about = "strict recall of names" if types == "names" else "strict recall of all types"
    return figures.dots(groups, series, about, name=f"gaps-{attribute}-{types}")


def gaps(runs: dict[str, Any], attribute: str, types: str) -> dict[str, list[dict[str, Any]]]:
    """The strict gaps of every run by `attribute` over `types`, the same groups in the same order."""
    found = {}
    for name, run in runs.items():
        wanted = (attribute, types, "strict")
        found[name] = [g for g in run.get("fairness", ()) if (g["attribute"], g["types"], g["metric"]) == wanted]
        if not found[name]:
            raise ConfigError(f"the results of {name} hold no gaps by {attribute} over {types}")
    groups = [line["group"] for line in next(iter(found.values()))]
    for name, lines in found.items():
        if [line["group"] for line in lines] != groups:
            raise ConfigError(f"the results of {name} hold other groups of {attribute} than the first")
    return found


def timed(runs: dict[str, Any]) -> dict[str, Any]:
    """The runs whose speed was measured. Raises `ConfigError` when there are none."""
    if found := {name: run for name, run in runs.items() if "speed" in run}:
        return found
    raise ConfigError("the results hold no speed: run scripts/evaluate.py with speed.notes=100")


def speed_lines(runs: dict[str, Any]) -> list[str]:
    """One row a timed run: strict and character recall beside rates, latencies and memory."""
    body = []
    for name, run in timed(runs).items():
        recall = Estimate(overall(run["rows"], "strict")["recall"])
        covered = Estimate(1 - overall(run["rows"], "char_leak")["value"])
        body.append((name, recall, covered, *speed_cells(run["speed"])))
    return md.table(Table(("run", "strict recall", "characters covered", *SPEED_HEADER), tuple(body)))


def curve_lines(runs: dict[str, Any], side: str) -> list[str]:
    """One row a number of notes: strict F1 and leak of every learning curve on a side, mean (least to most)."""
    curves = {name: run["curve"] for name, run in runs.items() if "curve" in run}
    if not curves:
        raise ConfigError("the results hold no learning curve: run scripts/learning_curve.py")
    found = {
        (name, mean["notes"], mean["measure"]): Estimate(*(mean[key] for key in ("value", "low", "high")))
        for name, curve in curves.items()
        for mean in curve["means"]
        if mean["on"] == side
    }
    shown_curves = [name for name in curves if any(one == name for one, _, _ in found)]
    measures = ("strict F1", "character leak")
    header = ("notes", *(f"{name}: {measure}" for name in shown_curves for measure in measures))
    body = [
        (str(size), *(found.get((name, size, measure)) for name in shown_curves for measure in measures))
        for size in sorted({size for _, size, _ in found})
    ]
    return md.table(Table(header, tuple(body)))


def attack_lines(runs: dict[str, Any], kind: str) -> list[str]:
    """The lines of every attack of a kind (`parrot`, `resynthesis`), run by run."""
    header, lines_of = TABLES[kind]
    found = {name: run["attack"] for name, run in runs.items() if run.get("attack", {}).get("kind") == kind}
    if not found:
        raise ConfigError(f"the results hold no attack={kind}: run scripts/evaluate.py with it")
    body = tuple((name, *line) for name, attack in found.items() for line in lines_of(attack))
    return md.table(Table(("run", *header), body))


def cost_lines(runs: dict[str, Any], sheet: PriceSheet) -> list[str]:
    """One row a timed run: what a million notes cost on the machine of the sheet."""
    price = sheet.price("machine")
    body = []
    for name, run in timed(runs).items():
        cost = per_million_notes(price, run["speed"], sheet.note_words)
        words = sheet.note_words or run["speed"]["words"] / run["speed"]["notes"]
        body.append((name, f"{cost:,.2f} {sheet.currency}", round(words), f"{price.amounts['per_hour']:g} an hour"))
    return md.table(Table(("run", "per million notes", "words a note", "machine"), tuple(body)))


def price_sheet(folder: Path, name: str) -> PriceSheet:
    """A sheet of `conf/prices`, read without Hydra."""
    content = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return PriceSheet(**{key: value for key, value in content.items() if key != "_target_"})


def overall(rows: Sequence[dict[str, Any]], metric: str) -> dict[str, Any]:
    for row in rows:
        if row["metric"] == metric and row["label"] == "micro":
            return row
    raise ConfigError(f"the results hold no metric {metric}")


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
