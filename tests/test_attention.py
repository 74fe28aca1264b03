"""Attention taken away: what a token knows of others, with padding and without, and after a reload."""

import pytest
import torch

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.decoding import Decoder
from deidlab.models import Backbone
from deidlab.random_backbones import RandomBackbone
from deidlab.types import ConfigError


def model_of(tiny_backbones, tiny_labels, attention, family="bert"):
    backbone = Backbone(str(tiny_backbones[family]), 48, stride=8, attention=attention)
    return backbone, backbone.model(backbone.locate(), tiny_labels).eval()


def logits(model, ids, mask=None):
    ids = torch.tensor([ids])
    mask = torch.ones_like(ids) if mask is None else torch.tensor([mask])
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=mask).logits[0]


HERE, THERE, SWAPPED = [5, 6, 7, 8], [5, 6, 7, 9], [5, 7, 6, 8]


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_token_that_sees_itself_alone_knows_nothing_of_its_neighbours(tiny_backbones, tiny_labels, family):
    _, native = model_of(tiny_backbones, tiny_labels, "native", family)
    _, alone = model_of(tiny_backbones, tiny_labels, "itself", family)
    assert not torch.allclose(logits(native, HERE)[:3], logits(native, THERE)[:3], atol=1e-5)
    assert torch.equal(logits(alone, HERE)[:3], logits(alone, THERE)[:3])


def test_uniform_attention_knows_what_is_there_and_not_what_matters(tiny_backbones, tiny_labels):
    _, even = model_of(tiny_backbones, tiny_labels, "uniform")
    assert not torch.allclose(logits(even, HERE)[:3], logits(even, THERE)[:3], atol=1e-6)


@pytest.mark.parametrize("attention", ["uniform", "itself"])
def test_padding_is_not_seen(tiny_backbones, tiny_labels, attention):
    _, model = model_of(tiny_backbones, tiny_labels, attention)
    padded = logits(model, [*HERE, 0, 0], [1, 1, 1, 1, 0, 0])[:4]
    assert torch.allclose(padded, logits(model, HERE), atol=1e-6)
    assert torch.allclose(padded, logits(model, [*HERE, 3, 3], [1, 1, 1, 1, 0, 0])[:4], atol=1e-6)


def test_uniform_weights_are_the_mean_of_the_values():
    from deidlab.attention import uniform

    value = torch.arange(12.0).reshape(1, 1, 3, 4)
    query = torch.zeros(1, 1, 3, 4)
    mask = torch.tensor([[[[True, True, False]] * 3]])
    assert torch.equal(uniform(None, query, query, value, None)[0][0, 2, 0], value[0, 0].mean(dim=0))
    assert torch.equal(uniform(None, query, query, value, mask)[0][0, 0, 0], value[0, 0, :2].mean(dim=0))


@pytest.mark.parametrize("attention", ["uniform", "itself"])
def test_the_ablation_survives_a_checkpoint_and_learns(tiny_backbones, tiny_labels, tmp_path, attention):
    backbone, model = model_of(tiny_backbones, tiny_labels, attention)
    Checkpoint(model, backbone.encoder(backbone.locate()), Decoder(tiny_labels)).save(tmp_path / "run")
    again = load_checkpoint(tmp_path / "run").model
    assert torch.equal(logits(again, HERE), logits(model, HERE))
    model.train()
    model(input_ids=torch.tensor([HERE]), labels=torch.tensor([[0, 1, 0, 1]])).loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_what_cannot_be_ablated_is_refused(tiny_backbones, tiny_labels):
    for family in ("longformer", "deberta"):
        with pytest.raises(ConfigError, match=rf"model\.attention=uniform: the attention of {family}"):
            model_of(tiny_backbones, tiny_labels, "uniform", family)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_in_bf16_short_windows_get_the_attention_that_pytorch_computes(tiny_backbones, tiny_labels, family):
    ids = torch.randint(5, 40, (3, 24), generator=torch.Generator().manual_seed(0))
    seen = torch.ones_like(ids)
    seen[1, 20:] = seen[2, 7:] = 0
    logits, gradients = {}, {}
    for implementation in ("sdpa", "deidlab_short"):
        backbone = Backbone(str(tiny_backbones[family]), 64, stride=8)
        model = backbone.model(backbone.locate(), tiny_labels).eval()
        assert model.config._attn_implementation == "deidlab_short"  # what every run gets
        model.set_attn_implementation(implementation)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = model(input_ids=ids, attention_mask=seen).logits.float()
        logits[implementation] = found[seen.bool()]
        (found[seen.bool()] ** 2).sum().backward()
        gradients[implementation] = model.get_input_embeddings().weight.grad
    for ours, pytorchs in (logits.values(), gradients.values()):
        assert (ours - pytorchs).norm() / pytorchs.norm() < 0.02


@pytest.mark.parametrize("attention", ["native", "bidirectional"])
@pytest.mark.parametrize("key_heads", [1, 2])
@pytest.mark.parametrize("amx", [False, True])
def test_a_decoder_in_bf16_looks_where_pytorch_lets_it_look(tiny_labels, attention, key_heads, amx, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)  # with it PyTorch's kernel reads
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
             "num_key_value_heads": key_heads}  # fmt: skip
    model = RandomBackbone("llama", max_length=64, shape=shape, stride=8, attention=attention).model("", tiny_labels)
    model = model.to(torch.bfloat16).eval()  # as frozen weights beside adapters are
    ids = torch.arange(4, 24)[None]
    found = []
    for implementation in (model.config._attn_implementation, "sdpa"):
        model.set_attn_implementation(implementation)
        with torch.inference_mode():
            found.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float())
    assert (found[0] - found[1]).norm() / found[1].norm() < 0.02
