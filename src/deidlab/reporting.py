"""Reports: `report.json` is the truth; Markdown, HTML, LaTeX, CSV, figures and the terminal's table are views of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from deidlab.evaluation import Evaluation
from deidlab.excerpts import Excerpt
from deidlab.metrics.rows import Row
from deidlab.runs import write_json
from deidlab.types import ConfigError, Losses
from deidlab.views import flat, html, latex
from deidlab.views import markdown as md
from deidlab.views.elements import Section, plain
from deidlab.views.rows import cells, estimate, overall
from deidlab.views.sections import sections

if TYPE_CHECKING:
    from deidlab.attacks.outcome import Outcome

SCHEMA = 1
FORMATS = ("md", "html", "tex", "csv")
TILES = (
    ("strict", "f1", "strict F1", "type and both ends exact"),
    ("strict", "recall", "strict recall", "of identifiers found exactly"),
    ("char_leak", "value", "character leak", "of identifier characters stay readable"),
    ("document_clean", "value", "clean notes", "leak nothing at all"),
)


def publish(
    folder: Path,
    judged: Evaluation,
    losses: Losses,
    provenance: Mapping[str, Any],
    title: str,
    *,
    formats: Sequence[str] = ("md",),
    figures: bool = False,
    show_text: bool = False,
    history: Sequence[Mapping[str, Any]] = (),
    attack: Outcome | None = None,
) -> None:
    """Write everything that a run has to say into its folder, and the overall rows to the terminal.

    `show_text` lists the excerpts of `judged`, which are note text, in `report.html` alone, and is recorded in the
    provenance. Raises `ConfigError` for an unknown format.
    """
    check_formats(formats)
    origin = {**provenance, "show_text": True} if show_text else provenance
    rows, findings = judged.rows(), judged.findings()
    if attack:
        rows, findings = [*rows, *attack.rows], findings | {"attack": attack.finding}
    content = report(rows, origin, losses.rows(), findings)
    write_json(folder / "report.json", content)
    write_views(folder, content, title, formats, figures, judged.excerpts if show_text else None, history)
    write_json(folder / "losses.json", content["losses"])
    write_json(folder / "provenance.json", content["provenance"])
    if judged.official is not None:
        write_json(folder / "official.json", judged.official)
    print_table(content, title)
    if content["losses"]:
        total = sum(row["count"] for row in content["losses"])
        Console().print(f"{total:,} things could not be represented, by reason and label in {folder / 'losses.json'}")


def check_formats(formats: Sequence[str]) -> None:
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise ConfigError(f"report.formats has {', '.join(unknown)}; expected some of {', '.join(FORMATS)}")


def report(
    rows: Sequence[Row],
    provenance: Mapping[str, Any],
    losses: Sequence[Mapping[str, Any]],
    findings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The report as one JSON object; `findings` are what `Evaluation.findings` gives."""
    content = {"schema": SCHEMA, "rows": list(rows), "losses": list(losses), "provenance": dict(provenance)}
    return content | dict(findings or {})


def write_views(
    folder: Path,
    content: Mapping[str, Any],
    title: str,
    formats: Sequence[str] = FORMATS,
    figures: bool = True,
    excerpts: Sequence[Excerpt] | None = None,
    history: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the views of a report beside it: `report.md`, `.html`, `.tex`, `.csv` and `figures/*.svg`."""
    drawn: dict[str, str] = {}
    shown = sections(content)
    if figures:
        from deidlab.views.drawing import draw, history_figure  # matplotlib takes a second

        drawn = draw(content)
        if curve := history_figure(history):
            drawn["history"] = curve
            shown.insert(-2, Section("Training", "Strict F1 on the validation notes.", figure="history"))
    files = write_figures(folder, drawn)
    tiles = headline(content["rows"])
    if "md" in formats:
        (folder / "report.md").write_text(md.render(title, shown, files), encoding="utf-8")
    if "html" in formats:
        (folder / "report.html").write_text(html.render(title, shown, drawn, tiles, excerpts), encoding="utf-8")
    if "tex" in formats:
        (folder / "report.tex").write_text(latex.render(title, shown), encoding="utf-8")
    if "csv" in formats:
        (folder / "report.csv").write_text(flat.render(content["rows"]), encoding="utf-8")


def write_page(
    folder: Path,
    stem: str,
    title: str,
    content: Mapping[str, Any],
    shown: Sequence[Section],
    draw: Callable[[Mapping[str, Any]], Mapping[str, str]],
    formats: Sequence[str] = FORMATS,
    figures: bool = True,
) -> None:
    """Write what is no report (a comparison, a matrix, a curve): `stem.json`, and `.md`, `.html` and `.tex` of it."""
    check_formats(formats)
    write_json(folder / f"{stem}.json", content)
    drawn = draw(content) if figures else {}
    files = write_figures(folder, drawn)
    if "md" in formats:
        (folder / f"{stem}.md").write_text(md.render(title, shown, files), encoding="utf-8")
    if "html" in formats:
        (folder / f"{stem}.html").write_text(html.render(title, shown, drawn), encoding="utf-8")
    if "tex" in formats:
        (folder / f"{stem}.tex").write_text(latex.render(title, shown), encoding="utf-8")


def write_figures(folder: Path, drawn: Mapping[str, str]) -> dict[str, str]:
    """Write SVG files below `folder` and return their paths from there, by name."""
    if drawn:
        (folder / "figures").mkdir(exist_ok=True)
    for name, text in drawn.items():
        (folder / "figures" / f"{name}.svg").write_text(text, encoding="utf-8")
    return {name: f"figures/{name}.svg" for name in drawn}


def headline(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The few numbers to see first."""
    found = {row["metric"]: row for row in overall(rows)}
    tiles = []
    for metric, measure, name, about in TILES:
        if metric in found:
            value = estimate(found[metric], measure)
            tiles.append({"name": name, "value": str(value), "interval": value.interval, "about": about})
    return tiles


def print_table(content: Mapping[str, Any], title: str, console: Console | None = None) -> None:
    """The overall rows on the terminal."""
    table = Table(title=title, title_justify="left")
    for column in ("metric", "precision", "recall", "F1", "support"):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for row in overall(content["rows"]):
        table.add_row(row["metric"], *(plain(cell, intervals=False) for cell in cells(row)))
    (console or Console()).print(table)


def markdown(content: Mapping[str, Any], title: str) -> str:
    """The report as Markdown, without figures."""
    return md.render(title, sections(content))
