"""Sections as LaTeX tables for a paper: `\\usepackage{booktabs,longtable}` and `\\input` the file, or copy a table."""

from __future__ import annotations

from collections.abc import Iterable

from deidlab.views.elements import Cell, Estimate, Section, Table

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
LONG = 40  # rows that still fit on a page


def render(title: str, sections: Iterable[Section]) -> str:
    """All tables, one after another; sections without a table are left out."""
    parts = [f"% {title.replace(chr(10), ' ')}", r"% needs \usepackage{booktabs,longtable}"]
    parts += [table(section) for section in sections if section.table]
    return "\n\n".join(parts) + "\n"


def table(section: Section) -> str:
    """One booktabs table, a longtable if it does not fit on a page."""
    content = section.table or Table((), ())
    columns = "".join("r" if right else "l" for right in content.numeric)
    header = " & ".join(escaped(h) for h in content.header) + r" \\"
    body = [" & ".join(cell(c) for c in row) + r" \\" for row in content.body]
    caption = rf"\caption{{{escaped(section.title)}. {escaped(section.about)}}}"
    label = r"\label{tab:" + "".join(c if c.isalnum() else "-" for c in section.title.lower()) + "}"
    if len(body) > LONG:
        lines = [rf"\begin{{longtable}}{{{columns}}}", caption + label + r" \\", r"\toprule", header, r"\midrule"]
        return "\n".join([*lines, r"\endhead", *body, r"\bottomrule", r"\end{longtable}"])
    top = [r"\begin{table}", r"\centering\small", caption + label, rf"\begin{{tabular}}{{{columns}}}"]
    return "\n".join([*top, r"\toprule", header, r"\midrule", *body, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


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
