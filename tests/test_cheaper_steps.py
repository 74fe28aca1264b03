"""Dropout masks from fewer random numbers, activations that stay in bf16."""

import pytest
import torch
from transformers import AutoModelForTokenClassification

from deidlab.cheaper_steps import Dropout, kept, lower_activations, quicken_dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_mask_drops_the_share_and_keeps_the_mean(dtype: torch.dtype, p: float):
    torch.manual_seed(0)
    mask = kept(torch.zeros(401, 503, dtype=dtype), p)
    assert mask.dtype == dtype
    assert (mask == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert mask[mask > 0].unique().float().tolist() == pytest.approx([1 / (1 - p)], rel=0.01)


def test_values_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (kept(torch.zeros(40_000), 0.5) == 0).float()
    for apart in (1, 2, 3, 4, 8):  # four neighbours come from one random number
        both = (dropped[:-apart] * dropped[apart:]).mean().item()
        assert both == pytest.approx(0.25, abs=0.01)


def test_gradients_are_dropped_where_values_are():
    layer = Dropout(0.3)
    x = torch.ones(64, 64, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())
    assert 0 < (y == 0).float().mean() < 1


def test_the_same_seed_gives_the_same_mask():
    layer = Dropout(0.1)
    first, second = ((torch.manual_seed(seed), layer(torch.ones(7, 5)))[1] for seed in (3, 3))
    assert torch.equal(first, second)
    torch.manual_seed(4)
    assert not torch.equal(first, layer(torch.ones(7, 5)))


def test_in_use_nothing_is_dropped():
    x = torch.randn(3, 4)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(Dropout(1.0)(x), torch.zeros_like(x))


def test_a_model_keeps_its_layers_and_their_shares():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.2), torch.nn.Dropout(0.0))
    before = list(model.state_dict())
    quicken_dropout(model)
    assert [type(module).__module__ for module in model[1:]] == ["deidlab.cheaper_steps"] * 2
    assert [module.p for module in model[1:]] == [0.2, 0.0]
    assert list(model.state_dict()) == before


@pytest.mark.parametrize("family", ["bert", "roberta", "longformer", "deberta"])
def test_hidden_states_come_in_bf16_under_autocast_alone(family: str, tiny_backbones):
    model = AutoModelForTokenClassification.from_pretrained(tiny_backbones[family]).eval()
    tokens = torch.ones(1, 4, dtype=torch.long)
    before = model(input_ids=tokens).logits
    lower_activations(model)
    assert torch.equal(model(input_ids=tokens).logits, before)
    with torch.autocast("cpu", torch.bfloat16):
        told = model(input_ids=tokens, output_hidden_states=True)
    assert {states.dtype for states in told.hidden_states[:-1]} == {torch.bfloat16}
    assert torch.allclose(told.logits.float(), before, atol=0.05)


def test_a_decoder_is_left_as_it_is(tiny_backbones):
    model = AutoModelForTokenClassification.from_pretrained(tiny_backbones["llama"])
    lower_activations(model)
    assert not any(module._forward_hooks for module in model.modules())
