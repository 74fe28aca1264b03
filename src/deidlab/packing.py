"""A model that only reads, on a processor with bf16: its weights in bf16, laid out once as its products want them.

Under autocast they are cast at every forward pass, and oneDNN lays them out anew for every product: with AMX that takes
as long as the products themselves.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

from deidlab.adapters import is_adapted
from deidlab.hardware import Resolved

ROWS = 1024  # of the products that the layout is chosen for; others are right too


class PackedLinear(nn.Module):
    """What `linear` computes, in bf16; its weight stays beside the one laid out for those who save or count it."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight.requires_grad_(False), linear.bias
        # Of opaque layout, so no parameter: it could not be saved, nor moved to another device.
        self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach().contiguous(), ROWS)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(inputs.bfloat16(), self.packed, self.bias, "none", [], "")


def pack(model: PreTrainedModel, precision: Resolved) -> None:
    """Turn a model that will not be trained to bf16 in place, where that is the precision of its processor.

    Adapters are left alone, their products are not plain ones; a CRF keeps fp32, which it computes in.
    """
    if precision != "bf16" or model.device.type != "cpu" or not can_pack() or is_adapted(model):
        return
    for name, parameter in model.named_parameters():
        if not name.startswith("crf."):  # nor are buffers touched: angles of positions would lose what they tell apart
            parameter.data = parameter.data.bfloat16()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:  # others may be more than a product
                setattr(module, name, PackedLinear(child))


def can_pack() -> bool:
    """Whether this PyTorch has the products that `torch.compile` uses too."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
