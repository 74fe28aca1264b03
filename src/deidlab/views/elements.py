"""What pages are made of: titled sections with tables of cells and figures by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; `signed` shows a plus, `percent` shows hundredths, `digits` after the point."""

    value: float | None
    low: float | None = None
    high: float | None = None
    signed: bool = False
    percent: bool = False
    digits: int = 4

    def number(self, value: float) -> str:
        value, unit = (100 * value, "%") if self.percent else (value, "")
        value = round(value, self.digits) + 0.0  # no minus before a zero
        return f"{value:{'+' if self.signed else ''}.{self.digits}f}{unit}"

    def __str__(self) -> str:
        return "-" if self.value is None else self.number(self.value)

    @property
    def interval(self) -> str:
        """`low to high`, or nothing."""
        if self.value is None or self.low is None or self.high is None:
            return ""
        return f"{self.number(self.low)} to {self.number(self.high)}"


@dataclass(frozen=True)
class P:
    """A p-value; below 0.001 it is said so."""

    value: float | None

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.3f}" if self.value >= 0.001 else "<0.001"


Cell = str | int | Estimate | P | None


@dataclass(frozen=True)
class Table:
    """Cells under a header; a column is set to the right if no cell of it is a text."""

    header: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        return tuple(not any(isinstance(row[i], str) for row in self.body) for i in range(len(self.header)))


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, a figure by name and a table; `folded` ones are shut in HTML until asked for."""

    title: str
    about: str = ""
    table: Table | None = None
    figure: str | None = None
    folded: bool = False


def plain(cell: Cell, intervals: bool = True) -> str:
    """A cell as text."""
    match cell:
        case None:
            return ""
        case Estimate() if intervals and cell.interval:
            return f"{cell} ({cell.interval})"
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)


def slug(name: str) -> str:
    """A name for an address or a file: its letters and digits, one hyphen for whatever stands between."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
