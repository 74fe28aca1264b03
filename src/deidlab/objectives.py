"""What training minimises: cross-entropy of the units' tags with class weights, smoothing, focus and a bias on O.

A loss is a sum over labelled units and divided by their mass over the whole step, so that neither accumulation nor the
number of processes changes a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from deidlab.crf import LinearChainCRF, left_packed
from deidlab.labels import IGNORED
from deidlab.types import ConfigError, Window


@dataclass(frozen=True)
class Objective:
    """Settings of the loss.

    `class_weights="inverse_frequency"` weighs a tag by min(total / (count * tags), `weight_cap`) over the units of the
    training notes, as clinical-deid does (facts 1.1). `label_smoothing` spreads that share of the target evenly.
    `focal_gamma` scales a unit's loss by (1 - p)^gamma, p the probability of its tag (Lin et al. 2017, without alpha).
    `outside_bias` is added to the score of O while training: a model that must outbid it leans towards identifiers in
    use, where it is absent; above 0 it buys recall with precision (logit adjustment, Menon et al. 2021).
    """

    class_weights: Literal["inverse_frequency"] | None = None
    weight_cap: float = 10.0
    label_smoothing: float = 0.0
    focal_gamma: float = 0.0
    outside_bias: float = 0.0

    def __post_init__(self) -> None:
        if self.class_weights not in (None, "inverse_frequency"):
            raise ConfigError(
                f"training.objective.class_weights is {self.class_weights!r}; expected inverse_frequency or null"
            )
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"training.objective.label_smoothing is {self.label_smoothing}; expected 0 to below 1")
        if self.focal_gamma < 0 or self.weight_cap <= 0:
            raise ConfigError("training.objective: focal_gamma must not be negative, weight_cap must be positive")

    def loss(self, windows: Sequence[Window], tags: int, crf: LinearChainCRF | None = None) -> Loss:
        """The loss for these training windows. Raises `ConfigError` for settings that a CRF has no place for."""
        if crf is not None and self != Objective():
            raise ConfigError("model.head=crf has a likelihood of its own: set no training.objective with it")
        weights = np.ones(tags)
        if self.class_weights:
            weights = inverse_frequency_weights(windows, tags, self.weight_cap)
        return Loss(self, torch.from_numpy(weights).float(), crf)


def inverse_frequency_weights(windows: Sequence[Window], tags: int, cap: float) -> np.ndarray:
    """min(total / (count * tags), cap) for each tag, (tags,); a tag that never occurs has the cap."""
    counts = np.zeros(tags)
    for window in windows:
        counts += np.bincount(window.labels[window.labels >= 0], minlength=tags)
    with np.errstate(divide="ignore"):
        return np.minimum(counts.sum() / (counts * tags), cap)


@dataclass(eq=False)
class Loss:
    """An objective with the weights of the tags, (tags,), and the CRF of the model if it has one."""

    objective: Objective
    weights: Tensor
    crf: LinearChainCRF | None = None
    _moved: dict[torch.device, Tensor] = field(default_factory=dict)

    def mass(self, windows: Sequence[Window]) -> float:
        """The weight of all labelled units of some windows: what a step's loss is divided by."""
        weights = self.weights.double().numpy()
        return float(sum(weights[window.labels[window.labels != IGNORED]].sum() for window in windows))

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Sum over the labelled units; `logits` (rows, positions, tags), `labels` (rows, positions)."""
        logits = logits.float()
        if self.crf is not None:
            return self._crf_loss(logits, labels)
        kept = labels != IGNORED
        logits, labels = logits[kept], labels[kept]
        if self.objective.outside_bias:
            shift = torch.zeros_like(logits[:1])
            shift[:, 0] = self.objective.outside_bias
            logits = logits + shift
        weights = self._moved.setdefault(logits.device, self.weights.to(logits.device))
        each = cross_entropy(
            logits, labels, weight=weights, label_smoothing=self.objective.label_smoothing, reduction="none"
        )
        if self.objective.focal_gamma:
            of_target = logits.softmax(-1).gather(1, labels[:, None])[:, 0]
            each = each * (1 - of_target) ** self.objective.focal_gamma
        return each.sum()

    def _crf_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        chosen = labels != IGNORED
        emissions, lengths, order = left_packed(logits, chosen)
        each = self.crf.negative_log_likelihood(emissions, labels.gather(1, order), lengths)
        return (each * (lengths > 0)).sum()
