"""The folder that a trained model is kept in, with everything needed to use it.

A checkpoint is what plain `AutoModelForTokenClassification.from_pretrained` loads, plus `deidlab.json`: the label set,
how documents are encoded, and how scores are decoded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel

from deidlab.adapters import base_of_adapters, is_adapted, load_adapters
from deidlab.attention import apply_attention
from deidlab.crf import LinearChainCRF
from deidlab.decoding import Decoder
from deidlab.encoding import Encoder
from deidlab.hardware import has_fast_bf16, pick_device
from deidlab.hub import quiet_transformers, readable_weights
from deidlab.labels import LabelSet
from deidlab.surgery import SIDECAR
from deidlab.types import ConfigError


@dataclass(frozen=True)
class Checkpoint:
    """A trained model with everything needed to use it."""

    model: PreTrainedModel
    encoder: Encoder
    decoder: Decoder

    @property
    def labels(self) -> LabelSet:
        return self.decoder.labels

    def save(self, folder: Path, weights: dict[str, torch.Tensor] | None = None) -> None:
        """Write weights (safetensors), tokenizer and `deidlab.json`; no text is kept, and no path.

        Unmerged adapters alone name their base model, which they cannot do without.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with quiet_transformers():
            if is_adapted(self.model):
                self.model.config.save_pretrained(folder)
            else:
                self.model.config._name_or_path = ""
            self.model.save_pretrained(folder, state_dict=weights)
            self.encoder.tokenizer.save_pretrained(folder)
        (folder / SIDECAR).write_text(json.dumps(self.settings(), indent=2) + "\n", encoding="utf-8")

    def settings(self) -> dict[str, Any]:
        """What using the weights takes besides: label set, encoding, head and decoding; no text, and no path."""
        return {
            "labels": self.labels.to_dict(),
            "encoding": {
                "max_length": self.encoder.max_length,
                "stride": self.encoder.stride,
                "unit": self.encoder.unit,
                "global_first": self.encoder.global_first,
                "word_shapes": self.encoder.word_shapes,
            },
            "head": "crf" if hasattr(self.model, "crf") else "linear",
            "decoding": self.decoder.settings(),
        }


def checkpoint_folder(path: Path) -> Path:
    """Where the checkpoint of a run's folder lies, or the folder itself."""
    # A run that was killed while it replaced its checkpoint has the one before under the second name.
    here = (path / "checkpoint", path / "checkpoint.old", path.with_name(path.name + ".old"))
    return next((f for f in here[:2] if f.is_dir()), path if path.exists() or not here[2].is_dir() else here[2])


def store_decoder(path: Path, decoder: Decoder) -> None:
    """Keep a decoder with a run's weights, which stay as they are: the new settings are there whole, or the old ones.

    `path` as for `load_checkpoint`.
    """
    file = checkpoint_folder(path) / SIDECAR
    settings = json.loads(file.read_text(encoding="utf-8")) | {"decoding": decoder.settings()}
    rough = file.with_name(f"{file.name}.rough")
    with rough.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(settings, indent=2) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    rough.replace(file)


def load_checkpoint(path: Path, **decoding: Any) -> Checkpoint:
    """Load a run's folder or its `checkpoint/`; `decoding` overrides the stored settings of the decoder.

    Raises `ConfigError` when there is none, or when its head and its label set disagree.
    """
    folder = checkpoint_folder(path)
    if not (folder / "config.json").is_file():
        raise ConfigError(f"{path} holds no checkpoint (no config.json): give a run's output folder or its checkpoint/")
    if not (folder / SIDECAR).is_file():
        raise ConfigError(f"{path} holds a model but no {SIDECAR}: it was not trained here (use system=hub for it)")
    sidecar: Mapping[str, Any] = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
    labels = LabelSet(**sidecar["labels"])
    with quiet_transformers(), readable_weights(str(path)):
        model = load_model(folder, sidecar.get("head", "linear"))
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    tags: Any = model.config.id2label
    if tuple(tags[i] for i in range(model.config.num_labels)) != labels.tags:
        raise ConfigError(f"{path}: the model's tags are not those of label set {labels.name} in its {SIDECAR}")
    model.eval()
    decoder = Decoder.stored(labels, sidecar["decoding"], **decoding)
    return Checkpoint(model, Encoder(tokenizer, **sidecar["encoding"]), decoder)


def load_model(folder: Path, head: str) -> PreTrainedModel:
    """The model of a checkpoint folder: plain weights, weights with a CRF, or adapters on their base model."""
    plain: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    stored = getattr(config, "dtype", None)
    keeps = stored == torch.bfloat16 and has_fast_bf16(pick_device())
    plain["dtype"] = torch.bfloat16 if keeps else torch.float32
    if (folder / "adapter_config.json").is_file():
        base, revision = base_of_adapters(folder)
        with readable_weights(base):
            model = AutoModelForTokenClassification.from_pretrained(
                base, revision=revision, config=config, ignore_mismatched_sizes=True, **plain
            )
        apply_attention(model)
        return load_adapters(model, folder)
    model = AutoModelForTokenClassification.from_pretrained(folder, **plain)
    apply_attention(model)
    if head == "crf":
        model.crf = LinearChainCRF(config.num_labels)
        with safe_open(folder / "model.safetensors", "pt") as weights:
            model.crf.transitions.data = weights.get_tensor("crf.transitions").float()
    return model
