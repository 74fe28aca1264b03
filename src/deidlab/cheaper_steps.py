"""Cheaper training steps on a CPU: dropout masks from fewer random numbers, activations that stay in bf16.

PyTorch draws one random number for each value, one after the other, which took a sixth of a training step of MiniLM in
bf16 with AMX; here a drawn number of 64 bits decides for four values. And autocast lowers products alone: where
embeddings come in fp32, so does every sum and norm above them, and each product casts its input again.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

CHOICES = 2**16  # a value's share of a drawn number: p is kept to within 1 / 65536


class Dropout(torch.nn.Dropout):
    """`torch.nn.Dropout`, with masks from fewer random numbers where it is on a CPU and learns."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu" or not input.is_floating_point():
            return super().forward(input)
        return input * kept(input, self.p)


def kept(like: torch.Tensor, p: float) -> torch.Tensor:
    """A mask of the shape and precision of `like`: 0 with probability `p`, else 1 / (1 - p)."""
    size = like.numel()
    drawn = torch.empty(-(-size // 4), dtype=torch.int64).random_(-(2**63), None)
    mask = torch.empty(like.shape, dtype=like.dtype)
    torch.ge(drawn.view(torch.int16)[:size].view(like.shape), round(p * CHOICES) - CHOICES // 2, out=mask)
    return mask.mul_(1 / (1 - p))


def quicken_dropout(model: torch.nn.Module) -> None:
    """Let every dropout layer of a model draw its masks so, in place."""
    for module in model.modules():
        if type(module) is torch.nn.Dropout:
            module.__class__ = Dropout


def lower_activations(model: PreTrainedModel) -> None:
    """Let the embeddings of an encoder come in the precision of autocast on a CPU, and so all that is made of them."""
    embeddings = getattr(model.base_model, "embeddings", None)  # those of decoders are single tables of other names
    if embeddings is not None:
        embeddings.register_forward_hook(_lowered)


def _lowered(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
    if output.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        return output.to(torch.get_autocast_dtype("cpu"))
    return output
