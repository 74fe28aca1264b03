"""Which tokens a model may look at: both sides in a decoder, and everything from a Longformer's first token."""

from __future__ import annotations

from typing import Literal

from transformers import PretrainedConfig, PreTrainedModel

from deidlab.types import ConfigError

# `native` is what the architecture was pretrained with.
Attention = Literal["native", "causal", "bidirectional", "global_first"]

# Decoder-only families whose masks follow `config.is_causal`.
DECODERS = frozenset(("llama", "qwen2", "qwen3", "phi3", "mistral"))


def check_attention(attention: Attention, config: PretrainedConfig) -> None:
    """Raise `ConfigError` when the architecture cannot attend as asked."""
    kind = config.model_type
    match attention:
        case "native":
            return
        case "causal" | "bidirectional" if kind in DECODERS:
            return
        case "global_first" if kind == "longformer":
            return
        case "causal" | "bidirectional":
            raise ConfigError(
                f"model.attention={attention} is for decoders ({', '.join(sorted(DECODERS))}); {kind} looks both ways "
                "already: set model.attention=native"
            )
        case "global_first":
            raise ConfigError(f"model.attention=global_first is for longformer, not {kind}: set model.attention=native")
        case _:
            raise ConfigError(
                f"model.attention is {attention!r}; expected native, causal, bidirectional or global_first"
            )


def set_attention(model: PreTrainedModel, attention: Attention) -> None:
    """Make a decoder causal or bidirectional, in place; `config.is_causal` keeps the choice in its checkpoint."""
    if attention in ("causal", "bidirectional"):
        model.config.is_causal = attention == "causal"
    apply_attention(model)


def apply_attention(model: PreTrainedModel) -> None:
    """Carry `config.is_causal` of a loaded model to its layers.

    The masks follow the config, but a batch without padding has no mask, and then each layer's own flag decides.
    """
    causal = getattr(model.config, "is_causal", None)
    if causal is not None and model.config.model_type in DECODERS:
        for module in model.modules():
            if hasattr(module, "is_causal"):
                module.is_causal = causal
