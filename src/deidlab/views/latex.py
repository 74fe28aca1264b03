"""Sections as LaTeX tables for a paper: `\\usepackage{booktabs,graphicx,longtable}`, then `\\input` the file."""

from __future__ import annotations

from collections.abc import Iterable

from deidlab.views.elements import Cell, Estimate, Section, Table

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
LONG = 40  # rows that still fit on a page
PARAGRAPH = 60  # characters of a cell that is broken into lines
# A table that is wider than the page shrinks to it; others stay as they are.
FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"


def render(title: str, sections: Iterable[Section]) -> str:
    """All tables, one after another; sections without a table are left out."""
    parts = [f"% {title.replace(chr(10), ' ')}", r"% needs \usepackage{booktabs,graphicx,longtable}"]
    parts += [table(section) for section in sections if section.table]
    return "\n\n".join(parts) + "\n"


def table(section: Section) -> str:
    """One booktabs table, a longtable if it does not fit on a page."""
    content = section.table or Table((), ())
    columns = "".join("r" if right else column(content, i) for i, right in enumerate(content.numeric))
    header = " & ".join(escaped(h) for h in content.header) + r" \\"
    body = [" & ".join(cell(c) for c in row) + r" \\" for row in content.body]
    caption = rf"\caption{{{escaped(section.title)}. {escaped(section.about)}}}"
    label = r"\label{tab:" + "".join(c if c.isalnum() else "-" for c in section.title.lower()) + "}"
    if len(body) > LONG:
        lines = [rf"\begin{{longtable}}{{{columns}}}", caption + label + r" \\", r"\toprule", header, r"\midrule"]
        return "\n".join([*lines, r"\endhead", *body, r"\bottomrule", r"\end{longtable}"])
    top = [r"\begin{table}", r"\centering\small", caption + label, rf"{FITTED}{{\begin{{tabular}}{{{columns}}}"]
    return "\n".join([*top, r"\toprule", header, r"\midrule", *body, r"\bottomrule", r"\end{tabular}}", r"\end{table}"])


def column(content: Table, number: int) -> str:
    """How a column of texts is set: as wide as they are, or as a paragraph where one is long."""
    longest = max((len(str(row[number])) for row in content.body), default=0)
    return r"p{.7\linewidth}" if longest > PARAGRAPH else "l"


def cell(content: Cell) -> str:
    """A cell; an interval is set small after its number."""
    match content:
        case None:
            return ""
        case Estimate():
            value = "--" if content.value is None else number(str(content))
            bounds = number(content.interval).replace(" to ", ", ")
            return value + (rf" {{\scriptsize [{bounds}]}}" if bounds else "")
        case int():
            return f"{content:,}"
        case _:
            return escaped(str(content))


def number(text: str) -> str:
    """Digits with a true minus."""
    return escaped(text).replace("-", "$-$")


def escaped(text: str) -> str:
    return "".join(SPECIAL.get(c, c) for c in text)
