"""LoRA: a few small matrices are trained beside frozen weights, and merged into them at the end.

The new head is trained whole and saved with the adapters (`modules_to_save`); a head left out is lost on reload.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from deidlab.hub import require_hub
from deidlab.types import ConfigError

HEADS = ("classifier", "score")

_GATED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# The linear layers of a block, by `config.model_type`.
TARGETS = {
    "bert": ("query", "key", "value", "dense"),
    "roberta": ("query", "key", "value", "dense"),
    "longformer": ("query", "key", "value", "query_global", "key_global", "value_global", "dense"),
    "deberta-v2": ("query_proj", "key_proj", "value_proj", "dense"),
    "modernbert": ("Wqkv", "Wi", "Wo"),
    "llama": _GATED,
    "mistral": _GATED,
    "qwen2": _GATED,
    "qwen3": _GATED,
    "phi3": ("qkv_proj", "o_proj", "gate_up_proj", "down_proj"),
}


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters on the linear layers named in `targets` (null: those known for the family).

    `merge` folds them into the weights when training ends, so that the checkpoint is a plain model; without it the
    checkpoint holds the adapters and the head alone, and needs its base model to load.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: Sequence[str] | None = None
    merge: bool = True


def add_lora(model: PreTrainedModel, lora: Lora, base: str, revision: str | None, learnt: Sequence[str] = ()) -> Any:
    """The model with trainable adapters and head, everything else frozen; `base` is what a reload starts from.

    Modules named in `learnt` are trained whole and saved with the adapters, as the head is.

    Raises `ConfigError` for a target that the model does not have, listing those that it has.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    model.config._name_or_path = base
    heads = [name for name in HEADS if hasattr(model, name)]
    settings = LoraConfig(
        task_type=TaskType.TOKEN_CLS,
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # a scale, which need not be whole
        lora_dropout=lora.dropout,
        target_modules=target_modules(model, lora.targets),
        modules_to_save=[*heads, *learnt],
        revision=revision,
    )
    adapted: Any = get_peft_model(model, settings)
    adapted.merge_when_done = lora.merge
    return adapted


def target_modules(model: PreTrainedModel, targets: Sequence[str] | None) -> list[str]:
    """Full names of the linear layers that `targets` name, head excluded. Raises `ConfigError` with the choices."""
    family = model.config.model_type
    layers = {
        name: name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name.split(".")[0] not in HEADS
    }
    known = sorted(set(layers.values()))
    wanted = tuple(targets or TARGETS.get(family, ()))
    if not wanted:
        raise ConfigError(f"no LoRA targets are known for {family}: set model.lora.targets to some of {known}")
    if missing := [name for name in wanted if name not in known and targets]:
        raise ConfigError(f"model.lora.targets names {missing}, which {family} does not have; it has {known}")
    return [name for name, short in layers.items() if short in wanted]


def is_adapted(model: Any) -> bool:
    """Whether a model carries unmerged adapters."""
    return hasattr(model, "peft_config")


def merged(model: Any, adapters: Path) -> PreTrainedModel:
    """The plain model with the adapters and the head of the folder `adapters` folded in; `model` is used up."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(adapters / "adapter_model.safetensors"))
    plain = model.merge_and_unload()
    plain.requires_grad_(True)
    return plain


def base_of_adapters(folder: Path) -> tuple[str, str | None]:
    """The model that the adapters in `folder` were trained beside: a local folder or a hub id, and its revision.

    Raises `ConfigError` that names it when it is neither here nor to be had.
    """
    stated = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    base, revision = stated["base_model_name_or_path"], stated.get("revision")
    if not (Path(base) / "config.json").is_file():
        try:
            require_hub(base, revision, None)
        except ConfigError as error:
            raise ConfigError(
                f"{folder} holds adapters alone, and the model they were trained beside, {base}, is not here: copy it "
                "here and write its folder as base_model_name_or_path into adapter_config.json; or train with "
                f"model.lora.merge=true, which leaves a checkpoint that needs no other ({error})"
            ) from error
    return base, revision


def load_adapters(model: PreTrainedModel, folder: Path) -> Any:
    """The model with the adapters and the head that lie in `folder`."""
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder), is_trainable=False)


def four_bit() -> Any:
    """Settings that load frozen weights in 4 bits (NF4, computed in bf16); `ConfigError` where that cannot be."""
    if not torch.cuda.is_available():
        raise ConfigError("model.four_bit=true needs a GPU, and PyTorch sees none: set model.four_bit=false")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError('model.four_bit=true needs bitsandbytes: pip install -e ".[gpu]"')
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
    )
