"""What is changed of pretrained weights before they are fine-tuned: their head, and their table of token types."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel

from deidlab.adapters import HEADS
from deidlab.crf import LinearChainCRF
from deidlab.extending import origins
from deidlab.labels import LabelSet
from deidlab.types import ConfigError
from deidlab.word_shapes import SHAPES

SHAPE_TABLE = "token_type_embeddings"
SIDECAR = "deidlab.json"  # beside the weights of a checkpoint that was trained here
log = logging.getLogger(__name__)


def stated(source: str) -> dict[str, Any] | None:
    """What the weights in a folder say of their use (`Checkpoint.settings`), None where they were not trained here."""
    sidecar = Path(source) / SIDECAR
    return json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.is_file() else None


def labels_of(source: str) -> LabelSet | None:
    """The label set of the weights in a folder, None where they were not trained here."""
    told = stated(source)
    return LabelSet(**told["labels"]) if told else None


def inherited_bias(source: str) -> dict[str, Any]:
    """How far decoding of the run in a folder leans towards identifiers; nothing where the weights are of no run.

    Its calibration and its promises were made for other weights and are not handed on.
    """
    decoding = (stated(source) or {}).get("decoding", {})
    return {"outside_bias": decoding["outside_bias"]} if "outside_bias" in decoding else {}


def check_shapes(source: str, word_shapes: bool) -> None:
    """Raise `ConfigError` where a run learnt from word shapes that it would not be told any more."""
    told = stated(source)
    if told and told["encoding"].get("word_shapes") and not word_shapes:
        raise ConfigError(
            "model.pretrained is a run that was told casing and line ends (word shapes), which these settings do not "
            "tell it: choose the model= that it was trained with, or set model.word_shapes=true"
        )


def reset_head(model: PreTrainedModel) -> None:
    """Draw the classifier's weights anew: rows kept from other labels of the same number would be wrong."""
    for name in HEADS:
        head = getattr(model, name, None)
        if isinstance(head, torch.nn.Linear):
            head.weight.data.normal_(mean=0.0, std=getattr(model.config, "initializer_range", 0.02))
            if head.bias is not None:
                head.bias.data.zero_()


def inherit_head(model: PreTrainedModel, earlier: LabelSet, labels: LabelSet) -> None:
    """Exchange the head for one of `labels`, in place: each row starts from those of `earlier` that mean the same.

    A row of one origin is that row to the bit, a row of several their mean; a row of none is drawn anew.
    """
    rows = origins(earlier, labels)
    (name,) = (name for name in HEADS if isinstance(getattr(model, name, None), torch.nn.Linear))
    old = getattr(model, name)
    new = torch.nn.Linear(old.in_features, len(rows), bias=old.bias is not None, dtype=old.weight.dtype)
    setattr(model, name, new)
    reset_head(model)
    for number, row in enumerate(rows):
        if row:
            new.weight.data[number] = mean_of(old.weight.data, row)
            if old.bias is not None:
                new.bias.data[number] = mean_of(old.bias.data, row)
    model.num_labels = len(rows)  # type: ignore[assignment]  # of a module, PyTorch says, all is a tensor or a module
    model.config.id2label, model.config.label2id = dict(enumerate(labels.tags)), labels.tag_ids
    log.info("%s", told(earlier, labels, rows))


def inherit_transitions(crf: LinearChainCRF, source: str, labels: LabelSet) -> None:
    """Let a CRF start from that of the run in a folder, where it has one, as far as both know the tags."""
    if (stated(source) or {}).get("head") != "crf":
        return
    with safe_open(Path(source) / "model.safetensors", "pt") as weights:
        old = weights.get_tensor("crf.transitions").float()
    rows = origins(labels_of(source), labels)  # type: ignore[arg-type]
    share = torch.zeros(len(rows), len(old))  # of each old tag in a new one; a tag of no origin has none
    for number, row in enumerate(rows):
        share[number, list(row)] = 1 / max(len(row), 1)
    crf.transitions.data = share @ old @ share.T


def mean_of(values: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    return values[rows[0]] if len(rows) == 1 else values[list(rows)].mean(dim=0)


def told(earlier: LabelSet, labels: LabelSet, rows: Sequence[Sequence[int]]) -> str:
    """What became of the head, in a line."""
    first = {tag.partition("-")[2]: row for tag, row in zip(labels.tags, rows, strict=True)}
    kept = [kind for kind in labels.types if kind in earlier.types]
    mapped = [kind for kind in labels.types if first[kind] and kind not in kept]
    new = [kind for kind in labels.types if not first[kind]]
    dropped = set(earlier.types) - set(kept)
    parts = [f"{len(kept)} types of {earlier.name} kept"]
    if mapped:
        parts.append(f"{len(mapped)} started from types that mean the same there")
    if new:
        parts.append(f"{len(new)} new ({', '.join(new)})")
    if dropped and not mapped:
        parts.append(f"{len(dropped)} left out")
    return f"the head of label set {labels.name}: {', '.join(parts)}"


def tell_shapes(model: PreTrainedModel) -> None:
    """Make a row of the table of token types for each shape of a word, in place; all are at first what type 0 is.

    So the model starts as it was pretrained. Raises `ConfigError` for an architecture without such a table.
    """
    owners = [module for module in model.modules() if hasattr(module, SHAPE_TABLE)]
    if not owners or not model.config.type_vocab_size:
        raise ConfigError(
            f"model.word_shapes: {model.config.model_type} has no token types to learn them with (BERT, RoBERTa and "
            "Longformer have): set model.word_shapes=false"
        )
    if model.config.type_vocab_size == SHAPES:  # weights that were trained here
        return
    for module in owners:
        before: Any = module.token_type_embeddings
        table = torch.nn.Embedding(SHAPES, before.embedding_dim)
        table.weight.data[:] = before.weight.data[0]
        module.token_type_embeddings = table
    model.config.type_vocab_size = SHAPES
