"""The last layer of an encoder, where it is asked: of a word only the first subword is labelled and decoded.

Every position is a key and a value to those that are asked; their queries, what comes after attention in the last layer
(together five sixths of its products) and the head are computed of these alone, to the same values.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bert.modeling_bert import BertLayer, eager_attention_forward
from transformers.models.roberta.modeling_roberta import RobertaLayer
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaLayer

from deidlab.adapters import is_adapted

# Sizes that differ from batch to batch cost oneDNN a kernel each, and memory that the next batch has no use for.
MULTIPLE = 64
QUERIES = 16  # likewise, of a row
# Attention of fewer queries than keys, with a mask of both; `deidlab_itself` has none, flash attention another mask.
APART = frozenset(("eager", "sdpa", "deidlab_short", "deidlab_uniform"))


class _Asked:
    """A layer whose call may say where it is `asked`, (rows, positions) bool: (asked and some more, width) for all."""

    def forward(
        self: Any, hidden_states: torch.Tensor, attention_mask: Any = None, *args: Any, asked: Any = None, **rest: Any
    ) -> torch.Tensor:
        if asked is None:
            return super().forward(hidden_states, attention_mask, *args, **rest)  # type: ignore[misc]
        states = hidden_states.flatten(0, 1)
        at, slots = places(asked)
        attended = _attended(self.attention.self, hidden_states, states.index_select(0, at), attention_mask, **rest)
        attended, states = attended.index_select(0, slots), states.index_select(0, at[slots])
        return self.feed_forward_chunk(self.attention.output(attended, states))


def places(asked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where queries stand among all positions, as many in each row; and which of these were asked, and some more.

    Of `asked`, (rows, positions) bool: (rows x queries) and (asked, rounded up); both in the order of the positions.
    """
    number = asked.sum(dim=1)
    queries = max(-(-int(number.max()) // QUERIES), 1) * QUERIES
    first = asked.byte().argsort(dim=1, descending=True, stable=True)[:, :queries]  # those asked, then others
    of_row = torch.arange(len(asked), device=asked.device)[:, None] * asked.shape[1]
    slots = (torch.arange(first.shape[1], device=asked.device) < number[:, None]).flatten().nonzero()[:, 0]
    slots = torch.nn.functional.pad(slots, (0, -len(slots) % MULTIPLE))  # the first query again, and again
    return (first + of_row).flatten(), slots


def _attended(own: Any, states: torch.Tensor, asking: torch.Tensor, mask: torch.Tensor | None, **rest: Any) -> Any:
    """What self-attention of BERT's kind gives to those `asking`, (rows x queries, width)."""

    def heads(given: torch.Tensor) -> torch.Tensor:
        return given.view(len(states), -1, own.num_attention_heads, own.attention_head_size).transpose(1, 2)

    query, key, value = heads(own.query(asking)), heads(own.key(states)), heads(own.value(states))
    if mask is not None:  # in an encoder each position sees the same
        mask = mask[:, :, :1].expand(-1, -1, query.shape[2], -1)
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(own.config._attn_implementation, eager_attention_forward)
    dropout = own.dropout.p if own.training else 0.0
    attended, _ = attend(own, query, key, value, mask, dropout=dropout, scaling=own.scaling, **rest)
    return attended.flatten(2).flatten(0, 1)


class AskedBertLayer(_Asked, BertLayer):
    pass


class AskedRobertaLayer(_Asked, RobertaLayer):
    pass


class AskedXLMRobertaLayer(_Asked, XLMRobertaLayer):
    pass


ASKED: dict[type, type] = {
    BertLayer: AskedBertLayer,
    RobertaLayer: AskedRobertaLayer,
    XLMRobertaLayer: AskedXLMRobertaLayer,
}


def can_be_asked(model: PreTrainedModel) -> bool:
    """Whether calls may say `asked=`, for logits whose first rows are those (asked, tags); from now on, they may.

    A CRF looks at the words around, too; other architectures, attention of other kinds, and adapters compute all.
    """
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not layers or hasattr(model, "crf") or is_adapted(model):
        return False
    if model.config._attn_implementation not in APART or getattr(model.config, "is_decoder", False):
        return False
    last = layers[-1]
    if type(last) in ASKED:
        last.__class__ = ASKED[type(last)]  # its weights, their names and what else it does stay as they are
    return isinstance(last, _Asked)
