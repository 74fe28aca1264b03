"""Weights laid out for reading: the same scores up to rounding, whatever the architecture."""

import pytest
import torch
from torch import nn

from deidlab.adapters import Lora
from deidlab.hardware import has_fast_bf16
from deidlab.inference import score
from deidlab.models import Backbone
from deidlab.packing import PackedLinear, can_pack, pack
from deidlab.types import Document

pytestmark = pytest.mark.skipif(
    not (has_fast_bf16(torch.device("cpu")) and can_pack()), reason="no bf16 arithmetic on this processor"
)
FAMILIES = ("bert", "roberta", "longformer", "deberta", "llama")


def loaded(tiny_backbones, tiny_labels, family="bert", **settings):
    backbone = Backbone(str(tiny_backbones[family]), max_length=48, stride=8, **settings)
    source = backbone.locate()
    return backbone.model(source, tiny_labels).eval(), backbone.encoder(source)


def scored(model, encoder, notes, precision):
    return [one.log_probs for one in score(model, encoder, notes, precision=precision)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_packed_model_says_what_it_said_up_to_rounding(tiny_backbones, tiny_labels, obvious_notes, family):
    model, encoder = loaded(tiny_backbones, tiny_labels, family)
    notes = [*obvious_notes(4), Document("short", "Mr Smith"), Document("empty", "")]
    exact, cast = (scored(model, encoder, notes, precision) for precision in ("fp32", "bf16"))
    pack(model, "bf16")
    assert any(isinstance(module, PackedLinear) for module in model.modules())
    packed = scored(model, encoder, notes, "bf16")
    off = max(abs(a - b).max(initial=0) for a, b in zip(exact, packed, strict=True))
    assert off <= 2 * max(abs(a - b).max(initial=0) for a, b in zip(exact, cast, strict=True)) + 0.01
    again = scored(model, encoder, notes, "bf16")
    assert all((a == b).all() for a, b in zip(packed, again, strict=True))


def test_a_packed_product_is_that_of_its_weights_for_any_number_of_rows():
    torch.manual_seed(0)
    linear = nn.Linear(40, 24).bfloat16()
    packed = PackedLinear(linear)
    for shape in ((1, 40), (3, 7, 40), (1500, 40)):
        inputs = torch.randn(shape)
        assert torch.allclose(packed(inputs), linear(inputs.bfloat16()), atol=0.02)
    assert not packed.weight.requires_grad  # what is laid out would not follow


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_other_precisions_stay_as_they_are(tiny_backbones, tiny_labels, precision):
    model, _ = loaded(tiny_backbones, tiny_labels)
    pack(model, precision)
    assert model.dtype == torch.float32 and not any(isinstance(m, PackedLinear) for m in model.modules())


def test_adapters_and_a_crf_keep_their_precision(tiny_backbones, tiny_labels, obvious_notes):
    adapted, _ = loaded(tiny_backbones, tiny_labels, lora=Lora(rank=2))
    pack(adapted, "bf16")
    assert not any(isinstance(module, PackedLinear) for module in adapted.modules())
    model, encoder = loaded(tiny_backbones, tiny_labels, head="crf")
    exact = scored(model, encoder, obvious_notes(2), "fp32")
    pack(model, "bf16")
    assert model.crf.transitions.dtype == torch.float32
    packed = scored(model, encoder, obvious_notes(2), "bf16")
    assert all(abs(a - b).max() < 0.1 for a, b in zip(exact, packed, strict=True))
