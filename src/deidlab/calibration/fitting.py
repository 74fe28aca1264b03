"""Fitting a calibration: convex problems of a few parameters, solved by Newton's method, and one by pooling.

All of them minimise the negative log-likelihood of the gold tags of units (`log_probs` (units, tags), `gold` (units,)),
or of whether spans are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deidlab.calibration.scaling import (
    Calibration,
    Method,
    identifier_log_odds,
    log_odds,
    normalised,
    sigmoid,
    span_odds,
)
from deidlab.labels import LabelSet
from deidlab.types import DataError

STEPS, ENOUGH = 60, 1e-9
# Ridge of vector scaling: standard deviations of a tag's scale around the common one, and of its bias around 0. They
# hold a tag with few units near the temperature, and matter little to one with many.
SCALE_SPREAD, BIAS_SPREAD = 0.3, 1.0
# Of the curve of spans: standard deviations of its slope around 1 and its intercept around 0, which leave a confidence
# as it is, and of the intercepts of types around that. They hold few spans, and matter little to many.
SLOPE_SPREAD, SHIFT_SPREAD, TYPE_SPREAD = 0.5, 0.5, 0.7


def fit(method: Method, log_probs: np.ndarray, gold: np.ndarray, labels: LabelSet) -> Calibration:
    """Fit the calibration of units; that of spans is added by `with_spans`.

    Raises `DataError` when the notes hold no identifier, or nothing else.
    """
    inside = gold > 0
    if inside.all() or not inside.any():
        raise DataError("calibration notes need identifiers and other words: are they annotated?")
    seen = np.bincount(gold, minlength=len(labels.tags)) > 0
    unseen = tuple(t for t in labels.types if not any(seen[i] for i, tag in enumerate(labels.tags) if tag[2:] == t))
    common = temperature(log_probs, gold)
    match method:
        case "temperature":
            return Calibration("temperature", (common,), unseen=unseen)
        case "vector":
            scale, bias = vector(log_probs, gold, common)
            # A bias would only tell that a type is rare: one that no note held keeps what the model says of it.
            absent = np.array([tag[2:] in unseen for tag in labels.tags])
            scale[absent], bias[absent] = common, 0.0
            return Calibration("vector", floats(scale), floats(bias), unseen=unseen)
        case "isotonic":
            return Calibration("isotonic", knots=isotonic(identifier_log_odds(log_probs), inside), unseen=unseen)


def temperature(log_probs: np.ndarray, gold: np.ndarray) -> float:
    """The common scale (one over the temperature) of log-probabilities (Guo et al. 2017)."""
    scale, chosen = 1.0, log_probs[np.arange(len(gold)), gold]
    for _ in range(STEPS):
        probs = np.exp(normalised(scale * log_probs))
        mean = (probs * log_probs).sum(axis=1)
        slope = (mean - chosen).sum()
        curvature = (probs * (log_probs - mean[:, None]) ** 2).sum() + 1e-9
        # Newton overshoots where the likelihood is flat: no step more than doubles or halves.
        following = float(np.clip(scale - slope / curvature, scale / 2, scale * 2))
        if abs(following - scale) < ENOUGH:
            break
        scale = following
    return float(np.clip(scale, 0.01, 100.0))


def vector(log_probs: np.ndarray, gold: np.ndarray, common: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale and bias of each tag, (tags,) each, with a ridge around the common scale and no bias."""
    count, tags = log_probs.shape
    start = np.concatenate([np.full(tags, common), np.zeros(tags)])
    weight = np.repeat([SCALE_SPREAD**-2, BIAS_SPREAD**-2], tags)
    hot = np.zeros((count, tags))
    hot[np.arange(count), gold] = 1.0

    def loss(at: np.ndarray) -> float:
        scaled = normalised(log_probs * at[:tags] + at[tags:])
        return float(-scaled[np.arange(count), gold].sum() + (weight * (at - start) ** 2).sum() / 2)

    here, now = start, loss(start)
    for _ in range(STEPS):
        probs = np.exp(normalised(log_probs * here[:tags] + here[tags:]))
        excess, seen = probs - hot, probs * log_probs
        slope = np.concatenate([(excess * log_probs).sum(axis=0), excess.sum(axis=0)]) + weight * (here - start)
        corner = np.diag(seen.sum(axis=0)) - seen.T @ probs
        curvature = np.block([
            [np.diag((seen * log_probs).sum(axis=0)) - seen.T @ seen, corner],
            [corner.T, np.diag(probs.sum(axis=0)) - probs.T @ probs],
        ])  # fmt: skip
        step = np.linalg.solve(curvature + np.diag(weight), slope)
        length = 1.0
        while (then := loss(here - length * step)) > now and length > 1e-6:
            length /= 2
        if then >= now - ENOUGH:
            break
        here, now = here - length * step, then
    return here[:tags].copy(), here[tags:].copy()


def isotonic(odds: np.ndarray, inside: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Knots of the increasing map from log-odds to calibrated ones that fits best (pool adjacent violators).

    A pool's share of identifiers is smoothed by half a unit on each side, so that none is impossible or certain.
    """
    pools: list[list[float]] = []  # units, identifiers, sum of log-odds
    values, of_value, counts = np.unique(odds, return_inverse=True, return_counts=True)
    hits = np.bincount(of_value, inside)
    for value, count, hit in zip(values, counts, hits, strict=True):  # units of one value are one from the start
        pools.append([float(count), float(hit), float(value) * float(count)])
        while len(pools) > 1 and pools[-2][1] * pools[-1][0] >= pools[-1][1] * pools[-2][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    # Smoothing shifts small pools more than large ones: what that put out of order is put right again.
    after = np.maximum.accumulate([float(log_odds((hits + 0.5) / (units + 1))) for units, hits, _ in pools])
    return tuple((total / units, float(to)) for (units, _, total), to in zip(pools, after, strict=True))


def with_spans(
    calibration: Calibration, confidence: np.ndarray, right: np.ndarray, labels: Sequence[str]
) -> Calibration:
    """The calibration with the map from spans' confidence (after that of units) to the probability of being right.

    Platt scaling of the log-odds, with his smoothed targets, so that spans that are all right say nothing absurd, held
    near what the confidence says; each type has an intercept of its own around the common one, as far as its spans tell
    it apart. `confidence`, `right` and the types found (`labels`) are (spans,); without spans the map stays what it is.
    """
    if not len(right):
        return calibration
    hits = right.sum()
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))
    types, type_of = np.unique(labels, return_inverse=True)
    x = np.column_stack([span_odds(confidence), np.ones(len(right)), np.eye(len(types))[type_of]])
    prior = np.zeros(x.shape[1])
    prior[0] = 1.0
    ridge = np.array([SLOPE_SPREAD, SHIFT_SPREAD, *[TYPE_SPREAD] * len(types)]) ** -2.0
    at = newton(x, target, prior, ridge)
    if at[0] < 0:  # surer spans would be wrong more often, which too few can tell: then confidence says nothing
        x[:, 0] = prior[0] = 0.0
        at = newton(x, target, prior, ridge)
    offsets = tuple(zip(types.tolist(), floats(at[2:]), strict=True))
    return replace(calibration, span=(float(at[0]), float(at[1])), span_types=offsets)


def newton(x: np.ndarray, target: np.ndarray, prior: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    """The weights of a logistic regression of `target` on the columns of `x`, held near `prior` by `ridge`."""
    at = prior
    for _ in range(STEPS):
        p = sigmoid(x @ at)
        slope = x.T @ (p - target) + ridge * (at - prior)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge), slope)
        at = at - np.clip(step, -1, 1)
        if np.abs(step).max() < ENOUGH:
            break
    return at


def floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
