"""The last layer of an encoder, where it is asked: of a word only the first subword is labelled and decoded.

Every position is a key and a value to those that are asked; what comes after attention in the last layer (three
quarters of its products) and the head are computed of these alone, to the same values.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.models.bert.modeling_bert import BertLayer
from transformers.models.roberta.modeling_roberta import RobertaLayer
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaLayer

from deidlab.adapters import is_adapted

# Sizes that differ from batch to batch cost oneDNN a kernel each, and memory that the next batch has no use for.
MULTIPLE = 64


class _Asked:
    """A layer whose call may say where it is `asked`, (rows, positions) bool: (asked and some more, width) for all."""

    def forward(
        self: Any, hidden_states: torch.Tensor, attention_mask: Any = None, *args: Any, asked: Any = None, **rest: Any
    ) -> torch.Tensor:
        if asked is None:
            return super().forward(hidden_states, attention_mask, *args, **rest)  # type: ignore[misc]
        at = asked.flatten().nonzero()[:, 0]
        at = torch.nn.functional.pad(at, (0, -len(at) % MULTIPLE))  # the first position again, and again
        attended, _ = self.attention.self(hidden_states, attention_mask=attention_mask, **rest)
        attended, hidden_states = (states.flatten(0, 1).index_select(0, at) for states in (attended, hidden_states))
        return self.feed_forward_chunk(self.attention.output(attended, hidden_states))


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

    A CRF looks at the words around, too; other architectures, and those with adapters, compute all.
    """
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not layers or hasattr(model, "crf") or is_adapted(model):
        return False
    last = layers[-1]
    if type(last) in ASKED:
        last.__class__ = ASKED[type(last)]  # its weights, their names and what else it does stay as they are
    return isinstance(last, _Asked)
