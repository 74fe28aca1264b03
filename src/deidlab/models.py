"""Token-classification models to fine-tune: where their weights come from, and what the settings make of them."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from deidlab.adapters import Lora, add_lora, four_bit
from deidlab.attention import Attention, check_attention, set_attention
from deidlab.crf import LinearChainCRF
from deidlab.encoding import Encoder
from deidlab.hardware import has_fast_bf16, pick_device
from deidlab.hub import quiet_transformers, readable_weights, require_hub, verify_sha256
from deidlab.labels import LabelSet
from deidlab.surgery import (
    SHAPE_TABLE,
    check_shapes,
    inherit_head,
    inherit_transitions,
    labels_of,
    reset_head,
    tell_shapes,
)
from deidlab.types import ConfigError

log = logging.getLogger(__name__)

# These families count positions from padding_idx + 1, so that many of their positions are never used.
OFFSET_POSITIONS = {
    "roberta",
    "longformer",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "mpnet",
    "roberta-prelayernorm",
}


@dataclass(frozen=True)
class Backbone:
    """Pretrained weights and how notes are fed to them (`conf/model/*.yaml`).

    `pretrained` is a hub id or a local folder (a previous run's checkpoint too). `package` names a Python package that
    carries the same weights in its folder `model`, verified against `sha256` before they are read. `dropout` and
    `attention_dropout` replace the model's own; the latter takes SDPA off its fast path (facts 4). `learning_rate` and
    `batch_tokens` are how these weights are best fine-tuned; training follows them. `attention` lets a decoder
    look both ways, or all of a Longformer look at its first token. With `lora` the weights are frozen and adapters
    trained beside them; `four_bit` holds the frozen weights in 4 bits; `dtype` is that of the frozen weights ("auto":
    bf16 where hardware has it), what is trained is always fp32. `head="crf"` learns which tags follow which. With
    `word_shapes` a BERT-like model learns what casing and line ends mean, which an uncased tokenizer hides from it.
    `random_weights` keeps only the architecture and the tokenizer, to see what pretraining is worth.
    """

    pretrained: str
    max_length: int
    stride: int = 64
    unit: str = "word"
    revision: str | None = None
    licence: str = "unknown"
    package: str | None = None
    sha256: str | None = None
    dropout: float | None = 0.0
    attention_dropout: float | None = 0.0
    learning_rate: float = 5e-5
    batch_tokens: int = 4096
    attention: Attention = "native"
    head: Literal["linear", "crf"] = "linear"
    lora: Lora | None = None
    four_bit: bool = False
    dtype: Literal["auto", "fp32", "bf16"] = "auto"
    word_shapes: bool = False
    random_weights: bool = False

    def __post_init__(self) -> None:
        for name, share in (("dropout", self.dropout), ("attention_dropout", self.attention_dropout)):
            if share is not None and not 0 <= share < 1:
                raise ConfigError(
                    f"model.{name} is {share}; expected a share from 0 to below 1, or null for the model's own"
                )
        if self.head not in ("linear", "crf"):
            raise ConfigError(f"model.head is {self.head!r}; expected linear or crf")
        if self.dtype not in ("auto", "fp32", "bf16"):
            raise ConfigError(f"model.dtype is {self.dtype!r}; expected auto, fp32 or bf16")
        if self.lora is None and (self.four_bit or self.dtype == "bf16"):
            raise ConfigError("model.four_bit and model.dtype=bf16 are for frozen weights: set model.lora too")
        if self.word_shapes and self.dtype == "bf16":
            raise ConfigError(
                "model.word_shapes is learnt in fp32, beside frozen weights of the same: set model.dtype=fp32"
            )
        if self.lora is not None and self.head == "crf":
            raise ConfigError("model.head=crf and model.lora do not go together: choose one")
        if self.lora is not None and self.random_weights:
            raise ConfigError("model.random_weights and model.lora do not go together: adapters need weights to adapt")

    def locate(self) -> str:
        """The local folder or hub id to load from. Raises `ConfigError` at once when nothing is there."""
        folder = Path(self.pretrained).expanduser()
        if (folder / "checkpoint" / "config.json").is_file():  # a run's output folder
            return str(folder / "checkpoint")
        if (folder / "config.json").is_file():
            return str(folder)
        if folder.is_dir():
            raise ConfigError(f"model.pretrained={self.pretrained} holds no config.json: is it a model's folder?")
        if self.package and (spec := importlib.util.find_spec(self.package)) and spec.origin:
            packaged = Path(spec.origin).parent / "model"
            verify_sha256(packaged / "model.safetensors", self.sha256)
            return str(packaged)
        require_hub(self.pretrained, self.revision, self.package)
        return self.pretrained

    def provenance(self, source: str) -> dict[str, str | None]:
        """What a report says of the weights found at `source`, with a warning where they may change.

        Of a local folder the name alone: where it lies is nobody's business.
        """
        unpinned = "main: not pinned, the weights may change; set model.revision"
        revision = self.revision if self.revision or Path(source).is_dir() else unpinned
        model = self.pretrained
        if Path(model).expanduser().is_dir():
            folder = Path(source).resolve()
            model = (folder.parent if folder.name == "checkpoint" else folder).name
        return {"model": model, "revision": revision, "licence": self.licence}

    def tokenizer(self, source: str) -> PreTrainedTokenizerBase:
        # RoBERTa-like byte-level BPE must treat the first word of a window like any other.
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
            extra = {"add_prefix_space": True} if config.model_type in OFFSET_POSITIONS else {}
            tokenizer = AutoTokenizer.from_pretrained(
                source, revision=self.revision, use_fast=True, trust_remote_code=False, **extra
            )
        if tokenizer.pad_token is None:  # decoder LLMs
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def encoder(self, source: str) -> Encoder:
        """The encoder for these weights; raises `ConfigError` where they were not made for these settings."""
        check_shapes(source, self.word_shapes)
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
        if (limit := position_limit(config)) and self.max_length > limit:
            raise ConfigError(
                f"model.max_length={self.max_length} is beyond {self.pretrained}, which has {limit} positions: set "
                f"model.max_length={limit} or less; longer notes are cut into overlapping windows, nothing is lost"
            )
        return Encoder(
            self.tokenizer(source),
            self.max_length,
            self.stride,
            self.unit,  # type: ignore[arg-type]
            global_first=self.attention == "global_first",
            word_shapes=self.word_shapes,
        )

    def model(self, source: str, labels: LabelSet, seed: int = 42) -> PreTrainedModel:
        """The model with a head for `labels`: of a run's head it keeps what these have in common with the run's.

        Rows of the same types stay as they are, those of types that the maps of `labels` know by another name start
        from these, others are drawn by `seed`. Raises `ConfigError` when the weights cannot be read, or cannot be used
        as the settings ask.
        """
        tags = labels.tags
        torch.manual_seed(seed)
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
            check_attention(self.attention, config)
            earlier = tuple((config.id2label or {}).values())
            inherited = labels_of(source) if earlier != tags else None
            same_head = earlier == tags or inherited is not None
            settings = self._overrides(config)
            if inherited is None:
                settings |= {"num_labels": len(tags), "id2label": dict(enumerate(tags)), "label2id": labels.tag_ids}
            with readable_weights(self.pretrained):
                model = AutoModelForTokenClassification.from_pretrained(
                    source, revision=self.revision, trust_remote_code=False, use_safetensors=True, dtype=self._dtype(),
                    ignore_mismatched_sizes=not same_head, **settings,
                )  # fmt: skip
        if inherited is not None:
            inherit_head(model, inherited, labels)
        elif not same_head:
            trained_for = " (the weights come with one for other labels)" if "O" in earlier else ""
            log.info("a new head for the %d tags of label set %s%s", len(tags), labels.name, trained_for)
            reset_head(model)
        if self.random_weights:
            torch.manual_seed(seed)
            model = type(model)(model.config)
        return self._prepared(model, source, labels)

    def _overrides(self, config: PretrainedConfig) -> dict[str, Any]:
        """What the settings have in place of the weights' own: dropout, precision of what is frozen."""
        settings: dict[str, Any] = {}
        if self.dropout is not None:
            settings |= {k: self.dropout for k in DROPOUTS if hasattr(config, k)}
        if self.attention_dropout is not None:
            settings |= {k: self.attention_dropout for k in ATTENTION_DROPOUTS if hasattr(config, k)}
        if self.four_bit:
            settings["quantization_config"] = four_bit()
        return settings

    def _prepared(self, model: PreTrainedModel, source: str, labels: LabelSet) -> PreTrainedModel:
        """The loaded model with the attention, head and adapters of the settings."""
        set_attention(model, self.attention)
        if self.dropout is not None:  # decoders have one before the head, of .1, that their configs do not speak of
            for module in model.children():
                if isinstance(module, torch.nn.Dropout):
                    module.p = self.dropout
        if self.word_shapes:
            tell_shapes(model)
        if self.head == "crf":
            model.crf = LinearChainCRF(len(labels.tags))
            inherit_transitions(model.crf, source, labels)
        if self.lora is None:
            return model
        if self.four_bit:
            from peft import prepare_model_for_kbit_training

            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        learnt = (SHAPE_TABLE,) if self.word_shapes else ()
        return add_lora(model, self.lora, source, self.revision, learnt)

    def _dtype(self) -> torch.dtype:
        # The table of word shapes is learnt in fp32, and a layer norm takes both or neither in bf16.
        fast = self.lora is not None and not self.word_shapes and has_fast_bf16(pick_device())
        return torch.bfloat16 if self.dtype == "bf16" or (self.dtype == "auto" and fast) else torch.float32


DROPOUTS = ("hidden_dropout_prob", "mlp_dropout", "embedding_dropout")
ATTENTION_DROPOUTS = ("attention_probs_dropout_prob", "attention_dropout")


def position_limit(config: PretrainedConfig) -> int | None:
    """Number of positions a model can tell apart, special tokens included; None when it sets no limit."""
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or limit <= 0:
        return None
    return limit - (config.pad_token_id + 1) if config.model_type in OFFSET_POSITIONS else limit
