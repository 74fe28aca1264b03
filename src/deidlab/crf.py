"""A linear-chain CRF over the units of a window: how well one tag follows another is learnt beside the tags' scores.

In use its posteriors take the place of the softmax, so that decoding, thresholds and calibration stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LinearChainCRF(nn.Module):
    """Transition scores (tags, tags): from the row's tag to the column's."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(tags, tags))

    def negative_log_likelihood(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """Of each sequence, (batch,); `emissions` (batch, units, tags), `tags` (batch, units), `lengths` (batch,)."""
        inside = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
        tags = tags.clamp(min=0)
        chosen = emissions.gather(2, tags[..., None])[..., 0]
        steps = self.transitions[tags[:, :-1], tags[:, 1:]]
        score = (chosen * inside).sum(1) + (steps * inside[:, 1:]).sum(1)
        return self._forward(emissions, lengths)[1] - score

    def log_posteriors(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Log-probability of each tag of each unit given the whole sequence, (batch, units, tags)."""
        alphas, partition = self._forward(emissions, lengths)
        beta = torch.zeros_like(emissions[:, 0])
        betas = [beta]
        for at in range(emissions.shape[1] - 2, -1, -1):
            step = self.transitions + (emissions[:, at + 1] + beta)[:, None, :]
            beta = torch.where((at + 1 < lengths)[:, None], step.logsumexp(2), torch.zeros_like(beta))
            betas.append(beta)
        return alphas + torch.stack(betas[::-1], dim=1) - partition[:, None, None]

    def _forward(self, emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Forward scores (batch, units, tags) and log-partitions (batch,); a sequence stands still past its end."""
        alpha = emissions[:, 0]
        alphas = [alpha]
        for at in range(1, emissions.shape[1]):
            step = (alpha[:, :, None] + self.transitions).logsumexp(1) + emissions[:, at]
            alpha = torch.where((at < lengths)[:, None], step, alpha)
            alphas.append(alpha)
        return torch.stack(alphas, dim=1), alpha.logsumexp(1)


def left_packed(values: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The chosen positions of each row moved to its left: (values (batch, most, ...), lengths, their positions).

    `values` is (batch, positions, ...), `chosen` (batch, positions) bool; past a row's length lie other positions.
    """
    lengths = chosen.sum(1)
    order = torch.argsort(~chosen, dim=1, stable=True)[:, : max(int(lengths.max()), 1)]
    index = order.reshape(*order.shape, *[1] * (values.ndim - 2)).expand(*order.shape, *values.shape[2:])
    return values.gather(1, index), lengths, order
