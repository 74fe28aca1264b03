"""Training the upper layers of an encoder alone: what the lower ones make of a window is computed once.

Lower layers that stay need no gradients, and what they make of a window is the same in every epoch: it is kept in
memory, and a step starts from it (Liu et al., AutoFreeze: Automatically Freezing Model Blocks to Accelerate
Fine-tuning, 2021). In them dropout is off.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from deidlab.adapters import is_adapted
from deidlab.encoding import Encoder
from deidlab.inference import pad
from deidlab.progress import progress_bar
from deidlab.stitching import length_batches
from deidlab.surgery import SHAPE_TABLE
from deidlab.types import ConfigError, Window
from deidlab.word_shapes import SHAPES

log = logging.getLogger(__name__)

# Whose layers all see the same mask and nothing but the states below them, one list with no weights in between.
KINDS = frozenset(("bert", "roberta", "xlm-roberta"))
SPARE = 0.5  # of the machine's memory may go to what the lower layers make of all windows


@dataclass(frozen=True, slots=True)
class RaisedWindow(Window):
    """A window with what the frozen layers make of it: (subwords and special tokens, width)."""

    states: torch.Tensor | None = None


def check_layers(model: PreTrainedModel, number: int, sharded: bool) -> None:
    """Raise `ConfigError` where so many layers cannot stay as they are."""
    if not number:
        return
    layers = model.config.num_hidden_layers
    if not 0 <= number < layers:
        raise ConfigError(
            f"training.freeze_layers is {number}; expected 0 to {layers - 1} of the model's {layers} layers"
        )
    if model.config.model_type not in KINDS:
        raise ConfigError(
            f"training.freeze_layers is for {', '.join(sorted(KINDS))}, this is {model.config.model_type}: set it to 0"
        )
    if is_adapted(model):
        raise ConfigError(
            "training.freeze_layers and LoRA do not go together, whose adapters lie in all layers: set it to 0"
        )
    if sharded:
        raise ConfigError("training.freeze_layers needs the whole model in each process: set it to 0 with FSDP")
    shapes = getattr(model.base_model.embeddings, SHAPE_TABLE).weight
    if len(shapes) == SHAPES and torch.equal(shapes, shapes[:1].expand_as(shapes)):
        log.warning(
            "training.freeze_layers: what model.word_shapes tells is not learnt, embeddings stay as they are; go on "
            "from a run that has learnt it (model.pretrained=RUN), or set model.word_shapes=false"
        )


def upper_layers(model: PreTrainedModel, number: int) -> PreTrainedModel:
    """The model above its lowest `number` layers, which learn no more: the same weights, states for embeddings.

    It is the model itself where that is none.
    """
    if not number:
        return model
    _lower(model, number).requires_grad_(False)
    return _with_layers(model, slice(number, None), StatesAsEmbeddings())


def raised(
    windows: Sequence[Window],
    model: PreTrainedModel,
    number: int,
    encoder: Encoder,
    batch_tokens: int,
    autocast: Callable[[], AbstractContextManager[None]],
    quiet: bool = False,
) -> list[Window]:
    """The windows with what the lowest `number` layers make of them; the same where that is none.

    Raises `ConfigError` where that would take more than half of the machine's memory.
    """
    if not number or not windows:
        return list(windows)
    lower = _lower(model, number).eval()
    states: dict[int, torch.Tensor] = {}
    with progress_bar(disable=quiet) as progress, torch.no_grad():
        task = progress.add_task("layers", total=len(windows), note=f"the lowest {number}, which stay")
        for batch in length_batches(windows, batch_tokens):
            inputs = {k: v.to(model.device) for k, v in pad([windows[i] for i in batch], encoder).items()}
            inputs.pop("labels", None)
            with autocast():
                found = lower(**inputs).last_hidden_state.cpu()
            if not states:
                check_memory(windows, encoder, found[0, 0].nbytes)
            for i, row in zip(batch, found, strict=True):
                states[i] = row[: len(windows[i].input_ids) + encoder.specials].clone()
            progress.update(task, advance=len(batch))
    return [RaisedWindow(**_values(window), states=states[i]) for i, window in enumerate(windows)]


def check_memory(windows: Sequence[Window], encoder: Encoder, of_a_token: int) -> None:
    size = of_a_token * sum(len(window.input_ids) + encoder.specials for window in windows)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > SPARE * there:
        raise ConfigError(
            f"training.freeze_layers keeps what the frozen layers make of all notes, {size / 2**30:.0f} GiB, and this "
            f"machine has {there / 2**30:.0f} GiB of memory: set it to 0, or train on fewer notes"
        )


def inputs_of(windows: Sequence[Window], encoder: Encoder, length: int | None = None) -> dict[str, torch.Tensor]:
    """Model inputs of some windows, as `deidlab.inference.pad` has them; of raised ones their states, not their ids."""
    inputs = pad(windows, encoder, length)
    states = [window.states for window in windows if isinstance(window, RaisedWindow) and window.states is not None]
    if states:
        ids = inputs.pop("input_ids")
        padded = pad_sequence(states, batch_first=True)
        inputs["inputs_embeds"] = torch.nn.functional.pad(padded, (0, 0, 0, ids.shape[1] - padded.shape[1]))
    return inputs


class StatesAsEmbeddings(torch.nn.Module):
    """Stands where embeddings were, in a model whose lowest layers were run before."""

    def forward(self, *_: Any, inputs_embeds: torch.Tensor, **__: Any) -> torch.Tensor:
        return inputs_embeds


def _lower(model: Any, number: int) -> Any:
    """Embeddings and the lowest layers."""
    return _with_layers(model, slice(number), model.base_model.embeddings).base_model


def _with_layers(model: Any, layers: slice, embeddings: torch.nn.Module) -> PreTrainedModel:
    """A model with some of the layers of another and these embeddings: its own modules above, their weights below."""
    whole, body, stack = (_shell(module) for module in (model, model.base_model, model.base_model.encoder))
    stack._modules["layer"] = torch.nn.ModuleList(list(model.base_model.encoder.layer)[layers])
    body._modules["encoder"], body._modules["embeddings"] = stack, embeddings
    whole._modules[model.base_model_prefix] = body
    return whole


def _shell(module: Any) -> Any:
    """A shallow copy whose children may be exchanged without those of the original."""
    shell = copy.copy(module)
    shell._modules = dict(module._modules)
    return shell


def _values(window: Window) -> dict[str, Any]:
    return {field.name: getattr(window, field.name) for field in fields(Window)}
