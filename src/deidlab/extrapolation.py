"""How good would a model be with more notes? A learning curve drawn further, with an interval.

Errors fall as an inverse power of the number of examples, error(n) = a n^-b + c with a, c >= 0 (Figueroa et al.,
Predicting sample size required for classification performance, BMC Medical Informatics and Decision Making 12:8, 2012).
The interval is a percentile bootstrap over the repeats of every size: it tells what the choice of notes and the seed
do, not that the curve might have another form. So it is honest near the sizes tried and hopeful far from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SLOPES = np.linspace(0.05, 2.0, 79)
LEAST_SIZES = 3  # for three parameters
FARTHEST = 100  # times the largest size: beyond, nothing is said


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = a n^-b + c."""

    a: float
    b: float
    c: float

    def at(self, sizes: Sequence[int] | np.ndarray) -> np.ndarray:
        """The error at these sizes, (sizes,)."""
        return self.a * np.asarray(sizes, float) ** -self.b + self.c

    def needed(self, error: float) -> float:
        """The least size with no more than this error; infinite where the curve never comes so low."""
        if self.a == 0:
            return 0.0 if error >= self.c else np.inf
        return np.inf if error <= self.c else float((self.a / (error - self.c)) ** (1 / self.b))


@dataclass(frozen=True)
class Forecast:
    """A value that was not measured, with its interval; infinite bounds are beyond what is told."""

    value: float
    low: float
    high: float


def fit(sizes: np.ndarray, errors: np.ndarray) -> PowerLaw:
    """The least-squares curve through points, (points,) each: for every slope b the best a and c, none negative."""
    best, law = np.inf, PowerLaw(0.0, 1.0, float(errors.mean()))
    for slope in SLOPES:
        shape = sizes**-slope
        for a, c in candidates(shape, errors):
            residual = float(((a * shape + c - errors) ** 2).sum())
            if residual < best - 1e-15:
                best, law = residual, PowerLaw(a, float(slope), c)
    return law


def candidates(shape: np.ndarray, errors: np.ndarray) -> list[tuple[float, float]]:
    """Where the least squares with a, c >= 0 may lie: inside, or on either edge."""
    centred = shape - shape.mean()
    spread = float(centred @ centred)
    a = float(centred @ errors) / spread if spread > 0 else 0.0
    c = float(errors.mean() - a * shape.mean())
    if a >= 0 and c >= 0:
        return [(a, c)]
    return [(max(0.0, float(shape @ errors) / float(shape @ shape)), 0.0), (0.0, max(0.0, float(errors.mean())))]


@dataclass(frozen=True)
class Extrapolation:
    """Curves fitted to resampled repeats; the first is that of all points.

    Where no size was repeated there is nothing to resample, and bounds are NaN.
    """

    laws: tuple[PowerLaw, ...]
    largest: int
    level: float = 0.95

    def at(self, size: int) -> Forecast:
        """The error at a size."""
        found = np.array([law.at([size])[0] for law in self.laws])
        return Forecast(float(found[0]), *self._bounds(found[1:]))

    def needed(self, error: float) -> Forecast:
        """The size that reaches an error; infinite where that is beyond `FARTHEST` times the largest size tried."""
        found = np.array([law.needed(error) for law in self.laws])
        found = np.where(found > FARTHEST * self.largest, np.inf, found)
        return Forecast(float(found[0]), *self._bounds(found[1:]))

    def _bounds(self, values: np.ndarray) -> tuple[float, float]:
        if not len(values):
            return math.nan, math.nan
        tail = (1 - self.level) / 2
        # Sorted values and not interpolated ones: between a number and infinity there is none.
        low, high = np.quantile(values, [tail, 1 - tail], method="nearest")
        return float(low), float(high)


def extrapolate(
    errors: Mapping[int, Sequence[float]], replicates: int = 200, seed: int = 0, level: float = 0.95
) -> Extrapolation | None:
    """Fit the errors measured at each size (its repeats); None for fewer than three sizes, which any curve fits."""
    sizes = sorted(size for size, values in errors.items() if size > 0 and len(values))
    if len(sizes) < LEAST_SIZES:
        return None
    rng = np.random.default_rng(seed)
    measured = [np.asarray(errors[size], float) for size in sizes]
    at = np.repeat(np.asarray(sizes, float), [len(values) for values in measured])
    laws = [fit(at, np.concatenate(measured))]
    repeated = max(map(len, measured)) > 1  # else every draw is the same curve, and says nothing of how sure it is
    for _ in range(replicates if repeated else 0):
        drawn = [values[rng.integers(len(values), size=len(values))] for values in measured]
        laws.append(fit(at, np.concatenate(drawn)))
    return Extrapolation(tuple(laws), sizes[-1], level)
