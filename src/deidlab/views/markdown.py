"""Sections as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deidlab.views.elements import Section, Table, plain


def render(title: str, sections: Iterable[Section], figures: Mapping[str, str] | None = None) -> str:
    """A document; `figures` maps the names of figures to the paths of their files."""
    lines = [f"# {title}"]
    for section in sections:
        lines += ["", f"## {section.title}"]
        if section.about:
            lines += ["", section.about]
        if section.figure and (path := (figures or {}).get(section.figure)):
            lines += ["", f"![{section.title}]({path})"]
        if section.table:
            lines += ["", *table(section.table)]
    return "\n".join(lines) + "\n"


def table(content: Table) -> list[str]:
    """A Markdown table; numbers are set to the right."""
    rule = ["---:" if right else "---" for right in content.numeric]
    body = [[escaped(plain(cell)) for cell in row] for row in content.body]
    return ["| " + " | ".join(row) + " |" for row in [[escaped(h) for h in content.header], rule, *body]]


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
