"""Reports: `report.json` is the truth; Markdown and the terminal's table are views of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deidlab.evaluation import Evaluation
from deidlab.metrics.rows import Row
from deidlab.runs import write_json
from deidlab.types import Losses

SCHEMA = 1
# What each family asks, in the words of a table.
MEANING = {
    "strict": "type and both ends exact",
    "relaxed": "type and start exact, end within 2",
    "overlap": "type, any shared character",
    "token": "tokens of spans, typed",
    "binary_strict": "both ends exact, any type",
    "binary_token": "tokens of spans, any type",
    "merged": "MEDDOCAN merged spans, any type",
    "seqeval": "words, scheme-strict",
    "category_strict": "category and both ends exact",
    "char_leak": "share of identifier characters not covered by any span",
    "document_clean": "share of notes that leak nothing",
}


def publish(folder: Path, judged: Evaluation, losses: Losses, provenance: Mapping[str, Any], title: str) -> None:
    """Write everything that a run has to say into its folder, and the overall rows to the terminal."""
    content = report(judged.rows(), provenance, losses.rows())
    write_json(folder / "report.json", content)
    (folder / "report.md").write_text(markdown(content, title), encoding="utf-8")
    write_json(folder / "losses.json", content["losses"])
    write_json(folder / "provenance.json", content["provenance"])
    if judged.official is not None:
        write_json(folder / "official.json", judged.official)
    print_table(content, title)
    if content["losses"]:
        total = sum(row["count"] for row in content["losses"])
        Console().print(f"{total:,} things could not be represented, by reason and label in {folder / 'losses.json'}")


def report(rows: Sequence[Row], provenance: Mapping[str, Any], losses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report as one JSON object."""
    return {"schema": SCHEMA, "rows": list(rows), "losses": list(losses), "provenance": dict(provenance)}


def print_table(content: Mapping[str, Any], title: str, console: Console | None = None) -> None:
    """The overall rows on the terminal."""
    table = Table(title=title, title_justify="left")
    for column in ("metric", "precision", "recall", "F1", "support"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for row in overall(content["rows"]):
        table.add_row(row["metric"], *cells(row))
    (console or Console()).print(table)


def overall(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["label"] == "micro" and row["slice"] == "all"]


def cells(row: Row) -> list[str]:
    """Precision, recall, F1 (or the one value in their place) and support, as text."""
    if "value" in row:
        return ["", "", shown(row["value"]), f"{row['support']:,}"]
    return [shown(row["precision"]), shown(row["recall"]), shown(row["f1"]), f"{row['support']:,}"]


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def markdown(content: Mapping[str, Any], title: str) -> str:
    """The report for people: overall, per type, losses, provenance."""
    rows: Sequence[Row] = content["rows"]
    lines = [f"# {title}", "", "## Overall (micro)", ""]
    lines += table(
        ("metric", "what counts as right", "precision", "recall", "F1 or value", "support"),
        [[row["metric"], MEANING.get(row["metric"], "over HIPAA types"), *cells(row)] for row in overall(rows)],
    )
    for metric, heading in (("strict", "Strict, per type"), ("category_strict", "Strict, per category")):
        typed = [
            r for r in rows if r["metric"] == metric and r["slice"] == "all" and r["label"] not in ("micro", "macro")
        ]
        if typed:
            lines += ["", f"## {heading}", ""]
            lines += table(("type", "precision", "recall", "F1", "support"), [[r["label"], *cells(r)] for r in typed])
    leaks = [
        r for r in rows if r["metric"] == "char_leak" and r["slice"] == "all" and r["label"] not in ("micro", "macro")
    ]
    if leaks:
        lines += ["", "## Character leak, per type", ""]
        lines += table(
            ("type", "leak", "characters"), [[r["label"], shown(r["value"]), f"{r['support']:,}"] for r in leaks]
        )
    lines += ["", "## Losses", "", "What the data held and the model or the metrics could not represent."]
    if content["losses"]:
        columns = list(content["losses"][0])
        lines += ["", *table(columns, [[str(row[c]) for c in columns] for row in content["losses"]])]
    else:
        lines += ["", "None."]
    lines += ["", "## Provenance", ""]
    for key, value in content["provenance"].items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
        lines.append(f"- {key}: {text}")
    return "\n".join(lines) + "\n"


def table(header: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table; every column but the first aligned right when it holds numbers."""
    body = [list(row) for row in body]
    numeric = [all(not row[i] or row[i][0] in "-0123456789" for row in body) for i in range(len(header))]
    rule = ["---:" if i and numeric[i] else "---" for i in range(len(header))]
    return ["| " + " | ".join(row) + " |" for row in [list(header), rule, *body]]
