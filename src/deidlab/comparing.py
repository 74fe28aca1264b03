"""Several systems on the same notes side by side: values, differences from the first, paired permutation tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.evaluation import Evaluation
from deidlab.metrics.counts import Counts
from deidlab.metrics.intervals import Resamples
from deidlab.metrics.rows import Measure, Row
from deidlab.metrics.significance import compare_labels
from deidlab.metrics.slices import slices
from deidlab.types import ConfigError, DataError
from deidlab.views.elements import Cell, Estimate, P, Section, Table
from deidlab.views.rows import shown_slice, slice_names

# What is compared over all documents: family, measure, micro and macro.
OVERALL: tuple[tuple[str, Measure, tuple[str, ...]], ...] = (
    ("strict", "precision", ("micro",)),
    ("strict", "recall", ("micro",)),
    ("strict", "f1", ("micro", "macro")),
    ("overlap", "f1", ("micro",)),
    ("token", "f1", ("micro",)),
    ("binary_token", "recall", ("micro",)),
    ("char_leak", "value", ("micro",)),
    ("document_clean", "value", ("micro",)),
)
NAMES = {"f1": "F1", "value": ""}


def named_runs(runs: Sequence[str] | Mapping[str, str]) -> dict[str, Path]:
    """Folders of runs by the name they have in tables: the folder's, or the whole path where two are alike.

    Raises `ConfigError` for fewer than two, and for a folder without predictions.
    """
    if isinstance(runs, Mapping):
        named = {name: Path(path) for name, path in runs.items()}
    else:
        paths = [Path(path) for path in runs]
        alike = Counter(path.name for path in paths)
        named = {path.name if alike[path.name] == 1 else str(path): path for path in paths}
    if len(named) < 2:
        raise ConfigError("runs=[A,B,...] needs the folders of two or more runs; names: runs={baseline: A, ours: B}")
    for path in named.values():
        for file in ("predictions.jsonl", "config.yaml"):
            if not (path / file).is_file():
                raise ConfigError(
                    f"{path} has no {file}: is it the folder of a run of train.py or scripts/evaluate.py?"
                )
    return named


def origin(path: Path) -> str | None:
    """The digest of the settings of a run, which tells it from others without naming a place."""
    file = path / "provenance.json"
    return json.loads(file.read_text(encoding="utf-8")).get("config_digest") if file.is_file() else None


def compare_all(judged: Mapping[str, Evaluation], replicates: int = 1000, seed: int = 0) -> list[Row]:
    """A row for each metric, label and slice: the value of every system, and all but the first against the first.

    `values`, `lows`, `highs`, `differences` and `p_values` are lists in the order of the systems. Raises `DataError`
    if the systems were not judged on the same notes.
    """
    evaluations = list(judged.values())
    first = evaluations[0]
    if any(one.document_ids != first.document_ids for one in evaluations):
        raise DataError("the systems were judged on different notes: they cannot be compared")
    by_system = [{(r["metric"], r["label"], r["slice"]): r for r in one.rows()} for one in evaluations]
    drawing = replace(first.judging, replicates=replicates, seed=seed)  # with or without intervals of its own
    draws = drawing.resamples(first.document_ids, first.meta)
    if draws is None:
        raise ConfigError("a comparison draws patients anew: replicates must be 1 or more")
    types = [label for label in first.labels.types if any(("strict", label, "all") in rows for rows in by_system)]
    wanted = [*OVERALL, ("strict", "f1", tuple(types)), ("strict", "recall", tuple(types))]
    found = []
    for metric, measure, labels in wanted:
        found += _rows(evaluations, by_system, metric, measure, labels, draws)
    for key in first.judging.keys(first.meta):
        for part in slices(first.meta, key):
            for metric, measure in (("strict", "f1"), ("char_leak", "value")):
                found += _rows(evaluations, by_system, metric, measure, ("micro",), draws, part.name, part.members)  # type: ignore[arg-type]
    return found


def _rows(
    evaluations: Sequence[Evaluation],
    by_system: Sequence[Mapping[tuple[str, str, str], Row]],
    metric: str,
    measure: Measure,
    labels: Sequence[str],
    draws: Resamples,
    name: str = "all",
    members: np.ndarray | None = None,
) -> list[Row]:
    if members is not None:
        draws = Resamples(np.unique(draws.cluster[members], return_inverse=True)[1], draws.replicates, draws.seed)
    counts = [
        one.counts[metric] if members is None else of_documents(one.counts[metric], members) for one in evaluations
    ]
    against = [compare_labels(counts[0], other, metric, measure, draws, labels) for other in counts[1:]]
    found = []
    for place, label in enumerate(labels):
        lines = [rows.get((metric, label, name), {}) for rows in by_system]
        found.append(
            {
                "metric": metric,
                "measure": measure,
                "label": label,
                "slice": name,
                "support": max(line.get("support", 0) for line in lines),
                "values": [line.get(measure) for line in lines],
                "lows": [line.get(f"{measure}_low") for line in lines],
                "highs": [line.get(f"{measure}_high") for line in lines],
                "differences": [None, *(tests[place].difference for tests in against)],
                "p_values": [None, *(tests[place].p_value for tests in against)],
            }
        )
    return found


def of_documents(counts: Counts, members: np.ndarray) -> Counts:
    """The counts of some documents alone, renumbered in their order."""
    place = np.full(counts.documents, -1)
    place[members] = np.arange(len(members))
    kept = place[counts.document] >= 0
    return Counts(len(members), counts.labels, place[counts.document[kept]], counts.column[kept], counts.values[kept])


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The sections of a comparison, from `comparison.json` alone."""
    rows, systems = content["rows"], content["systems"]
    how = (
        f"Differences are from {systems[0]}; p: paired permutation test, {content['replicates']:,} rearrangements of "
        f"{content['clusters']:,} clusters, two-sided, not corrected for the number of rows."
    )
    everything = [r for r in rows if r["slice"] == "all"]
    typed = [r for r in everything if r["label"] not in ("micro", "macro")]
    found = [
        Section(
            "Overall",
            how,
            table("metric", [(metric_name(r), r) for r in everything if r not in typed], systems),
            "overall",
        )
    ]
    for measure, title in (("f1", "Strict F1, per type"), ("recall", "Strict recall, per type")):
        lines = [(r["label"], r) for r in typed if r["measure"] == measure]
        found.append(Section(title, "", table("type", lines, systems, support=True), f"types-{measure}"))
    for key, names in slice_names(rows).items():
        for metric, title in (("strict", "strict F1"), ("char_leak", "character leak")):
            lines = [(shown_slice(r["slice"]), r) for r in rows if r["slice"] in names and r["metric"] == metric]
            heading = f"By {key.replace('_', ' ')}: {title}"
            found.append(Section(heading, "", table(key, lines, systems, support=True), None))
    return found


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """The figures that the sections name."""
    from deidlab.views import figures as drawing  # matplotlib takes a second

    everything = [r for r in content["rows"] if r["slice"] == "all"]
    groups = {
        "overall": [r for r in everything if r["label"] in ("micro", "macro")],
        "types-f1": [r for r in everything if r["label"] not in ("micro", "macro") and r["measure"] == "f1"],
        "types-recall": [r for r in everything if r["label"] not in ("micro", "macro") and r["measure"] == "recall"],
    }
    drawn = {}
    for name, rows in groups.items():
        names = [metric_name(r) if name == "overall" else r["label"] for r in rows]
        series = [
            drawing.Series(system, *([r[ends][i] for r in rows] for ends in ("values", "lows", "highs")))
            for i, system in enumerate(content["systems"][: len(drawing.COLOURS)])
        ]
        axis = {"overall": "value", "types-f1": "strict F1", "types-recall": "strict recall"}[name]
        drawn[name] = drawing.dots(names, series, axis, name=name)
    return drawn


def metric_name(row: Row) -> str:
    macro = " (macro)" if row["label"] == "macro" else ""
    return f"{row['metric']} {NAMES.get(row['measure'], row['measure'])}".strip() + macro


def table(first: str, lines: Sequence[tuple[str, Row]], systems: Sequence[str], support: bool = False) -> Table:
    """A column for each system, and beside all but the first its difference and p-value."""
    header = [first, systems[0]]
    for name in systems[1:]:
        header += [name, "difference", "p"]
    body: list[tuple[Cell, ...]] = []
    for name, row in lines:
        line: list[Cell] = [name]
        for i in range(len(systems)):
            line.append(Estimate(row["values"][i], row["lows"][i], row["highs"][i]))
            if i:
                line += [Estimate(row["differences"][i], signed=True), P(row["p_values"][i])]
        body.append((*line, row["support"]) if support else tuple(line))
    return Table((*header, "support") if support else tuple(header), tuple(body))
