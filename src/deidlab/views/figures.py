"""Figures as SVG text: ink is `currentColor`, so that they follow the page they stand in, light or dark.

The same content gives the same bytes: ids are salted with the figure's name and no date is written.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"  # stands for currentColor while matplotlib draws
FAINT = "#8a8f98"
WIDTH = 5.2  # inches: letters stay readable where a phone shrinks them
COLOURS = ("#3b78c9", "#d9772b", "#4f9d69", "#b4569b", "#8c6d46", "#5f7f95")
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "text.parse_math": False,  # names are shown as they are, dollars too
}
LEGEND = 68  # characters beside each other above a figure, six for each mark


@dataclass(frozen=True)
class Series:
    """Values of one kind with their intervals; None is not drawn."""

    name: str
    values: Sequence[float | None]
    lows: Sequence[float | None] = ()
    highs: Sequence[float | None] = ()


def dots(
    names: Sequence[str], series: Sequence[Series], axis: str, *, reference: float | None = None, name: str = "dots"
) -> str:
    """A line for each name, a dot for each value, a bar for its interval; `reference` is a dashed line."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(WIDTH, 0.85 + 0.27 * len(names))
        if reference is not None:
            axes.axvline(reference, color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        spread = np.linspace(-0.16, 0.16, len(series)) if len(series) > 1 else [0.0]
        for one, shift, colour in zip(series, spread, COLOURS, strict=False):
            for place, value in enumerate(one.values):
                if value is None:
                    continue
                low, high = (bounds[place] if bounds else None for bounds in (one.lows, one.highs))
                if low is not None and high is not None:
                    axes.plot([low, high], [place + shift] * 2, color=colour, linewidth=2, alpha=0.5, zorder=2)
                axes.plot(value, place + shift, "o", color=colour, markersize=5, zorder=3)
            axes.plot([], [], "o-", color=colour, markersize=5, label=one.name)
        axes.set_yticks(range(len(names)), [shortened(n) for n in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel(axis)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        if len(series) > 1:
            legend_above(axes, len(series))
        return svg(figure, name)


def bars(names: Sequence[str], series: Sequence[Series], axis: str, *, name: str = "bars") -> str:
    """Bars of several series beside each other, a line for each name."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(WIDTH, 0.85 + 0.36 * len(names))
        height = 0.8 / len(series)
        for i, (one, colour) in enumerate(zip(series, COLOURS, strict=False)):
            places = np.arange(len(names)) - 0.4 + height * (i + 0.5)
            axes.barh(places, [v or 0.0 for v in one.values], height * 0.88, color=colour, label=one.name)
        axes.set_yticks(range(len(names)), [shortened(n) for n in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel(axis)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        legend_above(axes, len(series))
        return svg(figure, name)


def lines(
    places: Sequence[float], series: Sequence[Series], x: str, y: str, *, spread: bool = False, name: str = "lines"
) -> str:
    """Curves with the band of their intervals; `spread` sets places apart as their logarithms, with room for 0."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(WIDTH, 3.6)
        for one, colour in zip(series, COLOURS, strict=False):
            kept = [i for i, value in enumerate(one.values) if value is not None]
            where = [places[i] for i in kept]
            axes.plot(where, [one.values[i] or 0.0 for i in kept], "o-", color=colour, markersize=4.5, label=one.name)
            if one.lows and one.highs:
                low, high = ([bounds[i] for i in kept] for bounds in (one.lows, one.highs))
                axes.fill_between(where, low, high, color=colour, alpha=0.18, linewidth=0)  # type: ignore[arg-type]
        if spread:
            axes.set_xscale("symlog", linthresh=max(1, min((p for p in places if p > 0), default=1)))
            axes.set_xticks(places, [f"{place:,g}" for place in places])
            axes.minorticks_off()
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.grid()
        if len(series) > 1:
            legend_above(axes, len(series))
        return svg(figure, name)


@dataclass(frozen=True)
class Point:
    """One thing in two measures, with the interval of the second."""

    name: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None


def scatter(points: Sequence[Point], x: str, y: str, *, name: str = "scatter") -> str:
    """Named points; `x` is set apart as its logarithms."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(WIDTH, 3.8)
        for number, point in enumerate(points):
            colour = COLOURS[number % len(COLOURS)]
            if point.low is not None and point.high is not None:
                axes.plot([point.x] * 2, [point.low, point.high], color=colour, linewidth=2, alpha=0.5)
            axes.plot(point.x, point.y, "o", color=colour, markersize=6)
            axes.annotate(shortened(point.name), (point.x, point.y), (7, 4), textcoords="offset points", fontsize=8.5)
        axes.set_xscale("log")
        axes.margins(x=0.25, y=0.15)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.grid()
        return svg(figure, name)


def heat(
    rows: Sequence[str],
    columns: Sequence[str],
    shares: np.ndarray,
    texts: Sequence[Sequence[str]],
    *,
    axes_names: tuple[str, str],
    marked: Sequence[tuple[int, int]] = (),
    name: str = "heat",
) -> str:
    """A matrix: the deeper the colour the larger the share (0 to 1, NaN: empty); `marked` cells are framed."""
    with mpl.rc_context(STYLE):
        side = 0.46 if max(map(len, (t for line in texts for t in line)), default=1) < 6 else 0.85
        figure, axes = canvas(max(4.0, 1.8 + side * len(columns)), 1.6 + max(0.3, side * 0.7) * len(rows))
        for i, line in enumerate(texts):
            for j, text in enumerate(line):
                share = 0.0 if np.isnan(shares[i, j]) else float(shares[i, j])
                axes.add_patch(
                    mpl.patches.Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, color=COLOURS[0], alpha=0.06 + 0.72 * share,
                                          linewidth=0)
                )  # fmt: skip
                axes.text(j + 0.5, i + 0.52, text, ha="center", va="center", fontsize=8)
        for i, j in marked:
            axes.add_patch(
                mpl.patches.Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, fill=False, edgecolor=INK, linewidth=1)
            )
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(rows), 0)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        turned: dict[str, Any] = (
            {"rotation": 45, "ha": "left", "rotation_mode": "anchor"} if max(map(len, columns)) > 4 else {}
        )
        axes.set_xticks(np.arange(len(columns)) + 0.5, [shortened(c) for c in columns], **turned)
        axes.set_yticks(np.arange(len(rows)) + 0.5, [shortened(r) for r in rows])
        axes.set_ylabel(axes_names[0])
        axes.set_xlabel(axes_names[1])
        for spine in axes.spines.values():
            spine.set_visible(False)
        return svg(figure, name)


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches without any global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def legend_above(axes: Axes, columns: int) -> None:
    names = axes.get_legend_handles_labels()[1]
    if sum(len(name) + 6 for name in names) > LEGEND:  # a legend wider than the figure narrows the axes
        columns = math.ceil(columns / 2)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.2, handlelength=1.4)


def svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element whose ids no other figure has."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", text)
    # Widths in points would keep it from shrinking with the page; what is drawn is in the viewBox.
    text = re.sub(
        r'<svg ([^>]*?)width="[^"]*"', rf'<svg \1role="img" style="max-width:{figure.get_figwidth():.1f}in"', text
    )
    text = re.sub(r'(<svg [^>]*?)height="[^"]*" ', r"\1", text, count=1)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def shortened(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def of_rows(name: str, rows: Sequence[Mapping[str, Any]], measure: str) -> Series:
    """A measure of some rows of a report as a series."""
    ends = ([row.get(f"{measure}{end}") for row in rows] for end in ("", "_low", "_high"))
    return Series(name, *ends)
