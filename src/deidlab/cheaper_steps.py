"""Cheaper training steps: a table of the subwords that occur, fewer random numbers, activations that stay in bf16.

Half the weights of a small model are vectors of subwords, most of which no training note holds: no gradient reaches
them, yet clearing, norm, clipping and AdamW go over all of them at every step. On a CPU, PyTorch draws one random
number for each value of a dropout mask, one after the other, which took a sixth of a training step of MiniLM in bf16
with AMX; here a drawn number of 64 bits decides for four values. And autocast lowers products alone: where embeddings
come in fp32, so does every sum and norm above them, and each product casts its input again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
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
    # PyTorch's generator seeds one that is twice as fast: masks follow from its state as ever.
    seed = int(torch.empty((), dtype=torch.int64).random_())
    drawn = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-size // 4)).view(np.int16))
    mask = torch.empty(like.shape, dtype=like.dtype)
    torch.ge(drawn[:size].view(like.shape), round(p * CHOICES) - CHOICES // 2, out=mask)
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


class SeenSubwords(torch.nn.Module):
    """Stands for a table of embeddings of which only the rows `seen`, ids in ascending order, learn.

    Rows of other ids are looked up where they are. Its state is that of the whole table.
    """

    def __init__(self, table: torch.nn.Embedding, seen: torch.Tensor) -> None:
        super().__init__()
        self.padding = table.padding_idx
        self.seen, self.table = seen.to(table.weight.device), table.weight.detach()  # no buffers: processes share none
        self.at = torch.full(self.table.shape[:1], -1, device=self.table.device)
        self.at[self.seen] = torch.arange(len(seen), device=self.table.device)
        self.weight = torch.nn.Parameter(self.table[self.seen])
        # The vector of padding learns nothing; where it was not seen it is not here.
        self.fixed = int(self.at[self.padding]) if self.padding in set(seen.tolist()) else None

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        at = self.at[ids]
        learnt = torch.nn.functional.embedding(at.clamp(min=0), self.weight, self.fixed)
        return torch.where((at >= 0)[..., None], learnt, torch.nn.functional.embedding(ids, self.table))

    def whole(self) -> torch.Tensor:
        return self.table.index_copy(0, self.seen, self.weight.detach())

    def back(self) -> torch.nn.Embedding:
        return torch.nn.Embedding.from_pretrained(self.whole(), freeze=False, padding_idx=self.padding)

    def _apply(self, fn: Any, recurse: bool = True) -> SeenSubwords:
        super()._apply(fn, recurse)
        self.seen, self.table, self.at = fn(self.seen), fn(self.table), fn(self.at)
        return self

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        destination[f"{prefix}weight"] = self.whole()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        whole = state_dict[f"{prefix}weight"].to(self.table.device)
        super()._load_from_state_dict({f"{prefix}weight": whole[self.seen]}, prefix, *rest)


def learn_seen_subwords(model: PreTrainedModel, ids: np.ndarray) -> int:
    """Of the vectors of subwords let those of `ids` learn, in place; says how many, 0 where all do as before.

    That is so where the table is more than a table, or does not learn at all. `learn_all_subwords` ends it.
    """
    learn_all_subwords(model)  # a training that was broken off may have left it
    table: Any = model.get_input_embeddings()
    if type(table) is not torch.nn.Embedding or not table.weight.requires_grad or table.max_norm is not None:
        return 0
    seen = torch.from_numpy(np.unique(ids)).long()
    model.set_input_embeddings(SeenSubwords(table, seen))
    return len(seen)


def learn_all_subwords(model: PreTrainedModel) -> None:
    """Give a model its whole table back, with what was learnt."""
    seen = model.get_input_embeddings()
    if isinstance(seen, SeenSubwords):
        model.set_input_embeddings(seen.back())
