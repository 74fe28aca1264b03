"""LoRA: what is trained comes back on reload, merging changes nothing, and a decoder can be made to look both ways."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification

from deidlab.adapters import Lora, merged, target_modules
from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.decoding import Decoder
from deidlab.models import Backbone
from deidlab.random_backbones import RandomBackbone
from deidlab.types import ConfigError

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
DECODERS = ("llama", "qwen2", "phi3")
FULL = torch.arange(4, 24)[None]


def bare(family: str, attention: str = "native") -> RandomBackbone:
    return RandomBackbone(family, max_length=64, shape=SMALL, stride=8, attention=attention)


def scores(model, ids: torch.Tensor) -> torch.Tensor:
    return model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.detach()


def sees_the_next_token(model) -> bool:
    """Whether the scores of token 9 change with token 10; no row is padded, so no mask speaks for the layers."""
    other = FULL.clone()
    other[0, 10] += 50
    return not torch.allclose(scores(model, FULL)[0, 9], scores(model, other)[0, 9], atol=1e-6)


@pytest.fixture(params=DECODERS)
def base(request, tmp_path, tiny_labels) -> Path:
    """A decoder with random weights in a folder, as a hub would hand it out: no head for our labels."""
    plain = bare(request.param)
    plain.model("", tiny_labels).model.save_pretrained(tmp_path / "base")
    plain.encoder("").tokenizer.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def adapted(base: Path, labels, attention="bidirectional", dtype="fp32", **lora) -> Checkpoint:
    """A LoRA checkpoint whose adapters and head are no longer what they were at first."""
    backbone = Backbone(str(base), 64, stride=8, attention=attention, lora=Lora(rank=4, **lora), dtype=dtype)
    source = backbone.locate()
    checkpoint = Checkpoint(backbone.model(source, labels), backbone.encoder(source), Decoder(labels))
    torch.manual_seed(1)
    for parameter in checkpoint.model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    return checkpoint


@pytest.mark.parametrize("family", DECODERS)
def test_a_token_depends_on_the_next_one_only_when_bidirectional(family, tiny_labels):
    assert not sees_the_next_token(bare(family).model("", tiny_labels))
    assert not sees_the_next_token(bare(family, "causal").model("", tiny_labels))
    assert sees_the_next_token(bare(family, "bidirectional").model("", tiny_labels))


@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
def test_the_direction_of_attention_survives_saving_merging_and_reload(base, attention, tiny_labels, tmp_path):
    both_ways = attention == "bidirectional"
    trained = adapted(base, tiny_labels, attention)
    trained.save(tmp_path / "adapters")
    assert sees_the_next_token(load_checkpoint(tmp_path / "adapters").model) == both_ways
    plain = Checkpoint(merged(trained.model, tmp_path / "adapters"), trained.encoder, trained.decoder)
    assert sees_the_next_token(plain.model) == both_ways
    plain.save(tmp_path / "plain")
    assert sees_the_next_token(load_checkpoint(tmp_path / "plain").model) == both_ways


def test_adapters_and_head_come_back_on_reload(base, tiny_labels, tmp_path):
    trained = adapted(base, tiny_labels)
    before = scores(trained.model, FULL)
    trained.save(tmp_path / "c")
    assert not (tmp_path / "c" / "model.safetensors").exists(), "the frozen weights are not copied"
    assert torch.allclose(scores(load_checkpoint(tmp_path / "c").model, FULL), before, atol=1e-6)


def test_adapters_without_their_base_name_what_is_missing_and_find_it_where_they_are_told(base, tiny_labels, tmp_path):
    trained = adapted(base, tiny_labels)
    before = scores(trained.model, FULL)
    trained.save(tmp_path / "c")
    base.rename(moved := tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=r"c holds adapters alone.*base, is not here.*model.lora.merge=true"):
        load_checkpoint(tmp_path / "c")
    settings = json.loads((tmp_path / "c" / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = str(moved)
    (tmp_path / "c" / "adapter_config.json").write_text(json.dumps(settings))
    assert torch.allclose(scores(load_checkpoint(tmp_path / "c").model, FULL), before, atol=1e-6)


def test_a_merged_checkpoint_is_a_plain_model_with_the_same_scores(base, tiny_labels, tmp_path):
    trained = adapted(base, tiny_labels)
    before = scores(trained.model, FULL)
    trained.save(tmp_path / "adapters")
    plain = Checkpoint(merged(trained.model, tmp_path / "adapters"), trained.encoder, trained.decoder)
    plain.save(tmp_path / "plain")
    names = {file.name for file in (tmp_path / "plain").iterdir()}
    assert "model.safetensors" in names and not any(name.startswith("adapter") for name in names)
    _, report = AutoModelForTokenClassification.from_pretrained(tmp_path / "plain", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert torch.allclose(scores(load_checkpoint(tmp_path / "plain").model, FULL), before, atol=1e-5)


def test_merging_into_weights_in_bf16_rounds_them_and_no_more(base, tiny_labels, tmp_path):
    trained = adapted(base, tiny_labels, dtype="bf16")
    before = scores(trained.model, FULL).float()
    trained.save(tmp_path / "adapters")
    after = scores(merged(trained.model, tmp_path / "adapters"), FULL).float()
    assert torch.allclose(after, before, atol=0.1) and (after - before).abs().mean() < 0.02


def test_merging_takes_the_adapters_of_the_folder_not_those_trained_since(base, tiny_labels, tmp_path):
    trained = adapted(base, tiny_labels)
    before = scores(trained.model, FULL)
    trained.save(tmp_path / "best")
    for parameter in trained.model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(1.0)
    assert torch.allclose(scores(merged(trained.model, tmp_path / "best"), FULL), before, atol=1e-5)


def test_only_adapters_and_head_are_trained(base, tiny_labels):
    names = [name for name, p in adapted(base, tiny_labels).model.named_parameters() if p.requires_grad]
    assert any("score" in name for name in names)
    assert all("lora_" in name or "score" in name for name in names)


def test_encoders_have_targets_too(tiny_backbones, tiny_labels):
    for family in ("bert", "roberta", "longformer", "deberta"):
        backbone = Backbone(str(tiny_backbones[family]), 64, stride=8, lora=Lora(rank=2))
        names = [n for n, p in backbone.model(backbone.locate(), tiny_labels).named_parameters() if p.requires_grad]
        assert any("lora_A" in n for n in names) and any("classifier" in n for n in names), family


@pytest.mark.parametrize("merge", [True, False])
def test_adapters_go_on_from_a_run_that_knows_word_shapes(tiny_backbones, tiny_labels, tmp_path, merge):
    shaped = Backbone(str(tiny_backbones["bert"]), 64, stride=8, word_shapes=True)
    first = Checkpoint(
        shaped.model(shaped.locate(), tiny_labels), shaped.encoder(shaped.locate()), Decoder(tiny_labels)
    )
    first.save(tmp_path / "run" / "checkpoint")
    lora = Backbone(str(tmp_path / "run"), 64, stride=8, word_shapes=True, lora=Lora(rank=4, merge=merge))
    checkpoint = Checkpoint(lora.model(lora.locate(), tiny_labels), lora.encoder(lora.locate()), Decoder(tiny_labels))
    learnt = {name for name, p in checkpoint.model.named_parameters() if p.requires_grad}
    assert any("token_type_embeddings" in name for name in learnt), "shapes are learnt beside the adapters"
    assert not any("word_embeddings" in name for name in learnt)
    torch.manual_seed(1)
    for parameter in checkpoint.model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    types = torch.arange(20)[None] % 3
    given = {"input_ids": FULL, "attention_mask": torch.ones_like(FULL), "token_type_ids": types}
    before = checkpoint.model.eval()(**given).logits.detach()
    checkpoint.save(tmp_path / "adapters")
    if merge:
        plain = merged(checkpoint.model, tmp_path / "adapters")
        Checkpoint(plain, checkpoint.encoder, checkpoint.decoder).save(tmp_path / "plain")
    again = load_checkpoint(tmp_path / ("plain" if merge else "adapters"))
    assert torch.allclose(again.model(**given).logits, before, atol=1e-5)


def test_a_target_that_does_not_exist_is_an_error_that_lists_those_that_do(tiny_labels):
    model = bare("phi3").model("", tiny_labels)
    assert target_modules(model, None)  # the known ones do exist
    with pytest.raises(ConfigError, match=r"\['q_proj'\].*phi3 does not have; it has \['down_proj', 'gate_up_proj'"):
        target_modules(model, ["q_proj"])


def test_attention_that_the_architecture_does_not_have_is_refused(tiny_labels):
    with pytest.raises(ConfigError, match="bert looks both ways"):
        RandomBackbone("bert", 64, {**SMALL}, attention="bidirectional").model("", tiny_labels)
    with pytest.raises(ConfigError, match="global_first is for longformer, not llama"):
        bare("llama", "global_first").model("", tiny_labels)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_four_bits_without_a_gpu_say_what_to_set(base, tiny_labels):
    backbone = Backbone(str(base), 64, stride=8, lora=Lora(), four_bit=True)
    with pytest.raises(ConfigError, match=r"four_bit=true needs a GPU.*set model.four_bit=false"):
        backbone.model(backbone.locate(), tiny_labels)


def test_settings_that_contradict_each_other_are_refused(base):
    with pytest.raises(ConfigError, match="frozen weights"):
        Backbone(str(base), 64, four_bit=True)
    with pytest.raises(ConfigError, match="do not go together"):
        Backbone(str(base), 64, head="crf", lora=Lora())


def test_global_attention_of_a_longformer_reaches_across_its_window(tiny_backbones, tiny_labels, tmp_path):
    """With the first token global, a token further than any window away changes the scores, also after a reload."""
    far = {}
    for attention in ("native", "global_first"):
        backbone = Backbone(str(tiny_backbones["longformer"]), 256, stride=8, attention=attention)
        source = backbone.locate()
        one = Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))
        one.save(tmp_path / attention)
        for again in (one, load_checkpoint(tmp_path / attention)):
            far.setdefault(attention, set()).add(reaches(again))
    assert far == {"native": {False}, "global_first": {True}}


def reaches(checkpoint: Checkpoint) -> bool:
    import numpy as np

    from deidlab.inference import pad
    from deidlab.types import Window

    def score(last: int) -> torch.Tensor:
        ids = np.full(200, 9, dtype=np.int32)
        ids[-1] = last
        with torch.inference_mode():
            return checkpoint.model.eval()(**pad([Window("d", 0, 0, 200, ids)], checkpoint.encoder)).logits[0, 5]

    return not torch.equal(score(9), score(30))
