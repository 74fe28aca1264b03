"""Curves of which each has places of its own: reliability, risk against coverage, leak against minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl

from deidlab.views.figures import COLOURS, FAINT, STYLE, WIDTH, canvas, legend_above, svg

COLUMNS = 3  # of a legend, before it starts another line
STYLES = ("-", "--")


@dataclass(frozen=True)
class Curve:
    """Points in order, `x` and `y` (points,); with `low` and `high` also the band around `y`."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def draw(
    curves: Sequence[Curve], x: str, y: str, *, diagonal: bool = False, dots: bool = True, name: str = "curves"
) -> str:
    """The curves over each other; `diagonal` draws the line on which `y` is `x`."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(WIDTH, 3.6)
        if diagonal:
            axes.axline((0, 0), slope=1, color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)))
        for number, curve in enumerate(curves):
            colour, line = COLOURS[number % len(COLOURS)], STYLES[number // len(COLOURS) % len(STYLES)]
            axes.plot(curve.x, curve.y, ("o" if dots else "") + line, color=colour, markersize=4, label=curve.name)
            if curve.low:
                axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.grid()
        if len(curves) > 1:
            legend_above(axes, min(len(curves), COLUMNS))
        return svg(figure, name)
