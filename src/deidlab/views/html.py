"""Sections as one self-contained HTML page: style and figures inside, nothing fetched, nothing run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deidlab.excerpts import Excerpt
from deidlab.views.elements import Cell, Estimate, Section, Table, plain, slug

TEXT_WARNING = "This page holds text of the notes (report.show_text=true). Keep it where the notes are kept."


def render(
    title: str,
    sections: Iterable[Section],
    figures: Mapping[str, str] | None = None,
    tiles: Sequence[Mapping[str, str]] = (),
    excerpts: Sequence[Excerpt] | None = None,
    warning: str = TEXT_WARNING,
) -> str:
    """A page; `figures` maps names to SVG text, `tiles` are the few numbers to see first, `excerpts` hold note text.

    `warning` is what a page with such text begins with.
    """
    environment = Environment(
        loader=PackageLoader("deidlab.views"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = Markup(environment.get_template("page.css").render())
    shown = [section_data(section, figures or {}) for section in sections]
    return environment.get_template("page.html").render(
        title=title,
        style=style,
        sections=shown,
        tiles=list(tiles),
        warning=None if excerpts is None else warning,
        excerpts=excerpts or (),
    )


def section_data(section: Section, figures: Mapping[str, str]) -> dict[str, Any]:
    drawn = figures.get(section.figure or "")
    return {
        "id": slug(section.title),
        "title": section.title,
        "about": section.about,
        # The figures are ours; the names of types and slices inside were escaped by matplotlib.
        "figure": Markup(drawn) if drawn else None,
        "folded": section.folded,
        "table": table_data(section.table) if section.table else None,
    }


def table_data(table: Table) -> dict[str, Any]:
    return {
        "header": table.header,
        "numeric": table.numeric,
        "rows": [[cell_data(cell) for cell in row] for row in table.body],
    }


def cell_data(cell: Cell) -> dict[str, str]:
    return {"text": plain(cell, intervals=False), "interval": cell.interval if isinstance(cell, Estimate) else ""}
