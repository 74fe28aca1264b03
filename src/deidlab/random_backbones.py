"""Architectures with random weights and a byte-level tokenizer: no file is needed, for tests and for timing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from deidlab.adapters import Lora, add_lora
from deidlab.attention import Attention, check_attention, set_attention
from deidlab.encoding import Encoder
from deidlab.hub import quiet_transformers
from deidlab.labels import LabelSet

SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")


@dataclass(frozen=True)
class RandomBackbone:
    """A model of `model_type` whose config is `shape`, with random weights: it costs what a pretrained one costs.

    Every byte is a token. Stands where a `deidlab.models.Backbone` stands.
    """

    model_type: str
    max_length: int
    shape: Mapping[str, Any] = field(default_factory=dict)
    stride: int = 64
    unit: str = "word"
    dropout: float | None = None  # what `shape` says; here so that settings for any model bind
    learning_rate: float = 1e-3
    batch_tokens: int = 4096
    licence: str = "none"
    attention: Attention = "native"
    lora: Lora | None = None
    revision: None = None

    @property
    def pretrained(self) -> str:
        return f"random {self.model_type}"

    def locate(self) -> str:
        """There is nothing to find."""
        return self.pretrained

    def provenance(self, source: str) -> dict[str, str | None]:
        """What a report says of the weights."""
        return {"model": self.pretrained, "revision": None, "licence": self.licence}

    def encoder(self, source: str) -> Encoder:
        """The encoder of every such model."""
        return Encoder(
            byte_tokenizer(),
            self.max_length,
            self.stride,
            self.unit,  # type: ignore[arg-type]
            global_first=self.attention == "global_first",
        )

    def config(self, labels: LabelSet) -> PretrainedConfig:
        """The architecture with an output for every tag. Raises `ConfigError` when it cannot attend as asked."""
        ids = {"vocab_size": 256 + len(SPECIALS), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
        config = AutoConfig.for_model(
            self.model_type,
            **{**ids, "max_position_embeddings": self.max_length + 2, **self.shape},
            num_labels=len(labels.tags),
            id2label=dict(enumerate(labels.tags)),
            label2id=labels.tag_ids,
        )
        check_attention(self.attention, config)
        return config

    def model(self, source: str, labels: LabelSet, seed: int = 42) -> PreTrainedModel:
        """The model; its weights depend on the seed."""
        torch.manual_seed(seed)
        with quiet_transformers():
            model = AutoModelForTokenClassification.from_config(self.config(labels))
        set_attention(model, self.attention)
        return model if self.lora is None else add_lora(model, self.lora, source, None)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of 256 bytes and four special tokens."""
    bytes_and_specials = [*SPECIALS, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {token: number for number, token in enumerate(bytes_and_specials)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    ends = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
