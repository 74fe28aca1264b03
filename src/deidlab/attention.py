"""Which tokens a model may look at: both sides in a decoder, everything from a Longformer's first token, or no choice.

`uniform` and `itself` take self-attention away, for ablations: every token gets the mean of all values, or its own.
In bf16 on a CPU the attention of short windows is computed by plain products, a multiple faster than PyTorch's kernel.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PretrainedConfig, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from deidlab.types import ConfigError

# `native` is what the architecture was pretrained with.
Attention = Literal["native", "causal", "bidirectional", "global_first", "uniform", "itself"]

# Decoder-only families whose masks follow `config.is_causal`.
DECODERS = frozenset(("llama", "qwen2", "qwen3", "phi3", "mistral"))
# Where an ablated checkpoint keeps its choice: without it the plain classes of transformers would attend again.
ABLATED = "attention_ablation"
ABLATIONS = ("uniform", "itself")
# Above so many keys PyTorch's own kernel is faster again, and needs far less memory.
SHORT = 512


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
        case "uniform" | "itself" if kind not in DECODERS:
            return  # whether the architecture takes it is known when there is a model
        case "uniform" | "itself":
            raise ConfigError(
                f"model.attention={attention} is for encoders, {kind} is a decoder: set model.attention=native"
            )
        case "causal" | "bidirectional":
            raise ConfigError(
                f"model.attention={attention} is for decoders ({', '.join(sorted(DECODERS))}); {kind} looks both ways "
                "already: set model.attention=native"
            )
        case "global_first":
            raise ConfigError(f"model.attention=global_first is for longformer, not {kind}: set model.attention=native")
        case _:
            raise ConfigError(
                f"model.attention is {attention!r}; expected native, causal, bidirectional, global_first, uniform or "
                "itself"
            )


def set_attention(model: PreTrainedModel, attention: Attention) -> None:
    """Make a decoder causal or bidirectional, or take an encoder's attention away, in place.

    The config keeps the choice in the model's checkpoint. Raises `ConfigError` for an encoder whose attention is its
    own and cannot be exchanged.
    """
    if attention in ("causal", "bidirectional"):
        model.config.is_causal = attention == "causal"
    elif attention in ABLATIONS:
        setattr(model.config, ABLATED, attention)
    apply_attention(model)


def apply_attention(model: PreTrainedModel) -> None:
    """Carry what the config of a loaded model says of attention to its layers.

    Masks follow `config.is_causal`, but a batch without padding has no mask, and then each layer's own flag decides.
    """
    causal = getattr(model.config, "is_causal", None)
    if causal is not None and model.config.model_type in DECODERS:
        for module in model.modules():
            if hasattr(module, "is_causal"):
                module.is_causal = causal
    if ablation := getattr(model.config, ABLATED, None):
        if not model._can_set_attn_implementation():
            raise ConfigError(
                f"model.attention={ablation}: the attention of {model.config.model_type} cannot be exchanged (that of "
                "BERT, RoBERTa and ModernBERT can): set model.attention=native"
            )
        model.set_attn_implementation(f"deidlab_{ablation}")
    elif model.config._attn_implementation == "sdpa" and not causal and model._can_set_attn_implementation():
        model.set_attn_implementation("deidlab_short")


def short(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Softmax attention; shapes as in `uniform`.

    PyTorch's fused kernel for CPUs is slow in bf16 where heads are narrow and windows short: its backward pass took a
    third of a training step of MiniLM, five times what the products and the softmax written out take. It serves in
    every other case: other devices and precisions, dropout, long windows, and where a processor with AMX only reads.
    """
    causal = settings.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    fast = query.device.type == "cpu" and query.dtype == torch.bfloat16 and key.shape[2] <= SHORT and not dropout
    fast = fast and (torch.is_grad_enabled() or not torch.cpu._is_amx_tile_supported())
    # Without a mask it is the kernel that keeps a decoder from looking ahead; shared keys and biases are its own too.
    plain = (attention_mask is not None or not causal) and query.shape[1] == key.shape[1]
    if not fast or not plain or settings.get("position_bias") is not None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **settings
        )
    scores = (query * (scaling or query.shape[-1] ** -0.5)) @ key.transpose(2, 3)
    if attention_mask is not None:
        # A sum of small and large, where `masked_fill` takes as long as the softmax, and as long again on its way back.
        scores += torch.where(attention_mask, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)
    return (scores.softmax(dim=-1) @ value).transpose(1, 2).contiguous(), None


def uniform(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Every token gets the mean of the values it may look at.

    `value` is (batch, heads, keys, width), `attention_mask` (batch, 1, queries, keys) and true where there is a token;
    the result is (batch, queries, heads, width).
    """
    if attention_mask is None:
        mean = value.mean(dim=2, keepdim=True).expand(*value.shape[:2], query.shape[2], value.shape[3])
    else:
        seen = attention_mask.to(value.dtype)
        mean = (seen / seen.sum(dim=-1, keepdim=True).clamp(min=1)) @ value
    return mean.transpose(1, 2).contiguous(), None


def itself(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Every token gets its own value: no token knows of another. Shapes as in `uniform`."""
    return value.transpose(1, 2).contiguous(), None


for _name, _attend in (("short", short), ("uniform", uniform), ("itself", itself)):
    AttentionInterface.register(f"deidlab_{_name}", _attend)
    AttentionMaskInterface.register(f"deidlab_{_name}", sdpa_mask)
