"""An operating point with a guarantee: risks at every threshold, kept with the model, so that alpha is chosen later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deidlab.conformal.bounds import LEVELS, expected, patients_needed, upper
from deidlab.conformal.losses import RISKS, THRESHOLDS, NoteLeak, by_patient
from deidlab.types import ConfigError, DataError


@dataclass(frozen=True)
class RiskCurve:
    """Risks and prices at falling thresholds, from notes of `patients` that the model was not trained on.

    `means[risk]` is the mean loss of these patients, `bounds[risk][level]` its upper bound with that confidence; all
    are (thresholds,). `precision` is the share of covered characters that are identifiers, `questions` the stretches a
    note that are covered beyond what decoding finds with `outside_bias`.
    """

    thresholds: tuple[float, ...]
    means: Mapping[str, tuple[float, ...]]
    bounds: Mapping[str, Mapping[str, tuple[float, ...]]]
    patients: int
    notes: int
    outside_bias: float
    precision: tuple[float, ...]
    questions: tuple[float, ...]

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> RiskCurve:
        """What `to_dict` gave, lists as tuples again."""
        means = {risk: tuple(values) for risk, values in stored["means"].items()}
        bounds = {risk: {k: tuple(v) for k, v in levels.items()} for risk, levels in stored["bounds"].items()}
        plain = {k: tuple(stored[k]) for k in ("thresholds", "precision", "questions")}
        return cls(**{**stored, **plain, "means": means, "bounds": bounds})

    @classmethod
    def of(cls, leaks: Sequence[NoteLeak], outside_bias: float, seed: int = 0) -> RiskCurve:
        """The curve of some notes. Raises `DataError` where they hold no identifier: nothing can be missed in them."""
        if not any(leak.characters for leak in leaks):
            raise DataError("the calibration notes hold no identifiers: are they annotated?")
        losses = by_patient(leaks)
        means, bounds = {}, {}
        for risk, of_risk in losses.items():
            means[risk] = shortened(of_risk.mean(axis=0))
            bounds[risk] = {str(level): shortened(upper(of_risk, level, seed)) for level in LEVELS}
        covered = np.sum([leak.covered for leak in leaks], axis=0)
        hit = sum(leak.characters for leak in leaks) - np.sum([leak.missed for leak in leaks], axis=0)
        return cls(
            tuple(float(t) for t in THRESHOLDS),
            means,
            bounds,
            len(losses["missed_characters"]),
            len(leaks),
            outside_bias,
            shortened(hit / np.maximum(covered, 1)),
            shortened(np.mean([leak.questions for leak in leaks], axis=0)),
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def promised(self, risk: str, confidence: float | None = None) -> np.ndarray:
        """What can be promised at each threshold, (thresholds,); never less at a lower threshold than it could be."""
        if confidence is None:
            return expected(np.array(self.means[risk]), self.patients)
        # Fixed sequence: a threshold counts only if all lower ones hold too.
        return np.maximum.accumulate(np.array(self.bounds[risk][str(confidence)])[::-1])[::-1]

    def choose(self, alpha: float, risk: str = RISKS[0], confidence: float | None = None) -> int:
        """The place of the highest threshold that promises a risk of at most `alpha`.

        Without `confidence` the promise holds on average over calibrations, with it at that confidence. Raises
        `ConfigError` for settings that cannot be, and where too few patients were seen to promise so little.
        """
        if not 0 < alpha < 1:
            raise ConfigError(f"decoding.alpha is {alpha}; expected a share between 0 and 1, e.g. 0.005")
        if risk not in self.means:
            raise ConfigError(f"decoding.risk is {risk!r}; expected one of {', '.join(self.means)}")
        if confidence is not None and confidence not in LEVELS:
            raise ConfigError(
                f"decoding.confidence is {confidence}; expected null or one of {', '.join(map(str, LEVELS))}"
            )
        needed = patients_needed(alpha, confidence)
        if self.patients < needed:
            sure = "" if confidence is None else f" with confidence {confidence}"
            raise ConfigError(
                f"decoding.alpha={alpha}{sure} needs notes of at least {needed:,} patients and this model was "
                f"calibrated on {self.patients:,}: calibrate it on more (scripts/calibrate.py), or raise alpha"
            )
        good = np.flatnonzero(self.promised(risk, confidence) <= alpha + 1e-12)
        if not len(good):
            raise ConfigError(
                f"decoding.alpha={alpha}: not even covering every word promises that; some identifiers hold characters "
                "that the tokenizer drops"
            )
        return int(good[0])


def shortened(values: np.ndarray) -> tuple[float, ...]:
    """Rounded up in the last of six digits: a promise never gains by it."""
    return tuple(float(v) + 0.0 for v in np.ceil(np.asarray(values, dtype=np.float64) * 1e6 - 1e-6) / 1e6)
