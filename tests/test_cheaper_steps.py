"""A table of the subwords that occur, dropout masks from fewer random numbers, activations that stay in bf16."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification

from deidlab.cheaper_steps import (
    Dropout,
    SeenSubwords,
    kept,
    learn_all_subwords,
    learn_seen_subwords,
    lower_activations,
    quicken_dropout,
)

SEEN = np.array([5, 2, 9, 5, 0, 3])
FAMILIES = ["bert", "roberta", "longformer", "deberta", "llama"]


def loaded(folder: Path):
    torch.manual_seed(0)  # of the head
    return AutoModelForTokenClassification.from_pretrained(folder).eval()


def stepped(model: torch.nn.Module, decay: float) -> torch.nn.Module:
    """The model after three steps on subwords that are all among those seen."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01, weight_decay=decay)
    for ids in ([[5, 2, 9]], [[2, 3, 0]], [[9, 9, 5]]):
        model(input_ids=torch.tensor(ids)).logits.square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_seen_subwords_learn_to_the_bit_what_they_learn_in_the_whole_table(family: str, tiny_backbones):
    whole, seen = loaded(tiny_backbones[family]), loaded(tiny_backbones[family])
    before = whole.get_input_embeddings().weight.detach().clone()
    assert learn_seen_subwords(seen, SEEN) == 5
    stepped(whole, decay=0.0), stepped(seen, decay=0.0)
    meanwhile = seen.state_dict()
    learn_all_subwords(seen)
    for state in (meanwhile, seen.state_dict()):
        assert state.keys() == whole.state_dict().keys()
        assert all(torch.equal(value, state[name]) for name, value in whole.state_dict().items())
    after = seen.get_input_embeddings().weight
    assert (after != before).any(dim=1).nonzero()[:, 0].tolist() in ([0, 2, 3, 5, 9], [2, 3, 5, 9])  # padding may stay


def test_other_subwords_are_looked_up_and_do_not_shrink(tiny_backbones):
    model = loaded(tiny_backbones["bert"])
    ids = torch.arange(20)[None]
    before, table = model(input_ids=ids).logits, model.get_input_embeddings().weight.detach().clone()
    learn_seen_subwords(model, SEEN)
    assert torch.equal(model(input_ids=ids).logits, before)
    stepped(model, decay=0.5)
    learn_all_subwords(model)
    others = [i for i in range(len(table)) if i not in SEEN]
    assert torch.equal(model.get_input_embeddings().weight[others], table[others])
    assert not torch.equal(model.get_input_embeddings().weight[SEEN], table[SEEN])


def test_a_saved_state_is_that_of_the_whole_table_and_can_be_loaded(tiny_backbones, tmp_path: Path):
    model, again = loaded(tiny_backbones["bert"]), loaded(tiny_backbones["bert"])
    learn_seen_subwords(model, SEEN)
    stepped(model, decay=0.01)
    model.save_pretrained(tmp_path)
    learn_seen_subwords(again, SEEN)
    again.load_state_dict(model.state_dict())
    ids = torch.arange(20)[None]
    expected = model(input_ids=ids).logits
    assert torch.equal(again(input_ids=ids).logits, expected)
    assert torch.equal(loaded(tmp_path)(input_ids=ids).logits, expected)


def test_a_table_moves_and_changes_precision_as_one(tiny_backbones):
    model = loaded(tiny_backbones["bert"])
    learn_seen_subwords(model, SEEN)
    model.to(torch.float64)
    assert model(input_ids=torch.arange(20)[None]).logits.dtype == torch.float64
    assert model.get_input_embeddings().seen.dtype == torch.int64


def test_what_a_training_left_behind_is_taken_up(tiny_backbones):
    model = loaded(tiny_backbones["bert"])
    learn_seen_subwords(model, SEEN)
    stepped(model, decay=0.0)
    expected = model.state_dict()
    assert learn_seen_subwords(model, np.array([7])) == 1
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


def test_tables_that_do_not_learn_or_are_more_are_left_alone(tiny_backbones):
    frozen, bound = loaded(tiny_backbones["bert"]), loaded(tiny_backbones["bert"])
    frozen.get_input_embeddings().weight.requires_grad_(False)
    bound.get_input_embeddings().max_norm = 1.0
    for model in (frozen, bound):
        assert learn_seen_subwords(model, SEEN) == 0
        assert not isinstance(model.get_input_embeddings(), SeenSubwords)


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
