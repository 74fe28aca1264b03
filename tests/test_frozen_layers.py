"""Frozen layers: what lies above them sees what it would have seen, they stay, and what cannot work is said."""

import pytest
import torch

from deidlab.batching import blanked, encode_training
from deidlab.checkpoints import load_checkpoint
from deidlab.frozen_layers import RaisedWindow, check_layers, inputs_of, raised, upper_layers
from deidlab.hardware import autocast
from deidlab.inference import pad
from deidlab.models import Backbone
from deidlab.training import train
from deidlab.types import ConfigError, Losses

QUICK = {"epochs": 2, "learning_rate": 1e-3, "batch_tokens": 256, "precision": "fp32", "device": "cpu"}
CPU = torch.device("cpu")


def lifted(checkpoint, notes, number=1, precision="fp32"):
    windows = encode_training(checkpoint, notes, Losses())
    return raised(
        windows, checkpoint.model, number, checkpoint.encoder, 128, lambda: autocast(CPU, precision), quiet=True
    )


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_upper_layers_say_of_states_what_the_whole_model_says_of_ids(family, untrained, obvious_notes):
    checkpoint = untrained(family)
    windows = lifted(checkpoint, obvious_notes(9))
    upper = upper_layers(checkpoint.model, 1).eval()
    assert len(upper.base_model.encoder.layer) == 1 and len(checkpoint.model.base_model.encoder.layer) == 2
    inputs, states = pad(windows, checkpoint.encoder), inputs_of(windows, checkpoint.encoder)
    assert len({len(window.input_ids) for window in windows}) > 1, "some are padded"
    labels = inputs.pop("labels")
    assert torch.equal(states.pop("labels"), labels) and "input_ids" not in states
    with torch.no_grad():
        whole, above = checkpoint.model.eval()(**inputs).logits, upper(**states).logits
    seen = inputs["attention_mask"].bool()
    assert torch.allclose(whole[seen], above[seen], atol=1e-5)


def test_frozen_layers_stay_and_the_others_learn(untrained, obvious_notes, tmp_path):
    before = {name: value.clone() for name, value in untrained().model.state_dict().items()}
    settings = {**QUICK, "freeze_layers": 1}
    result = train(
        untrained(), obvious_notes(20), obvious_notes(4, 9), folder=tmp_path / "checkpoint", losses=Losses(), **settings
    )
    moved = {
        name for name, value in result.checkpoint.model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved and all(".layer.1." in name or name.startswith("classifier.") for name in moved)
    assert all(row["validation_strict_f1"] is not None for row in result.history)
    kept = load_checkpoint(tmp_path)
    assert kept.model.config.num_hidden_layers == len(kept.model.base_model.encoder.layer) == 2


def test_the_first_step_is_that_of_a_whole_model_without_dropout(untrained, obvious_notes, tmp_path):
    """The gradients of the upper layers are what they are where lower ones compute along."""
    found = []
    for number in (0, 1):
        checkpoint = untrained()
        for module in checkpoint.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        settings = {**QUICK, "max_steps": 1, "clip": 1e9, "weight_decay": 0.0, "freeze_layers": number}
        folder = tmp_path / str(number) / "checkpoint"
        result = train(checkpoint, obvious_notes(6), (), folder=folder, losses=Losses(), **settings)
        found.append((result.history[0]["loss"], result.checkpoint.model.classifier.weight.detach().clone()))
    (loss, head), (frozen_loss, frozen_head) = found
    assert frozen_loss == pytest.approx(loss, rel=1e-6)
    assert torch.allclose(head, frozen_head, atol=1e-6)


def test_windows_written_anew_each_epoch_are_computed_anew(untrained, obvious_notes, tmp_path):
    settings = {**QUICK, "freeze_layers": 1, "augmentation": {"share": 1.0, "noise": {"upper": 0.5}}}
    result = train(untrained(), obvious_notes(8), (), folder=tmp_path / "checkpoint", losses=Losses(), **settings)
    assert len(result.history) == 2


def test_blanked_and_unlabelled_windows_keep_their_states(untrained, obvious_notes):
    window = lifted(untrained(), obvious_notes(1))[0]
    assert isinstance(window, RaisedWindow) and blanked(window).states is window.states


@pytest.mark.parametrize(
    ("family", "number", "said"),
    [("bert", 2, "expected 0 to 1"), ("bert", -1, "expected 0 to 1"), ("deberta", 1, "is for bert, roberta")],
)
def test_what_cannot_be_frozen_is_refused(family, number, said, untrained, obvious_notes, tmp_path):
    with pytest.raises(ConfigError, match=said):
        train(
            untrained(family), obvious_notes(6), (), folder=tmp_path / "checkpoint", losses=Losses(),
            **{**QUICK, "freeze_layers": number},
        )  # fmt: skip


def test_more_states_than_memory_holds_are_refused(untrained, obvious_notes, monkeypatch):
    monkeypatch.setattr("deidlab.frozen_layers.SPARE", 1e-12)
    with pytest.raises(ConfigError, match=r"training\.freeze_layers keeps"):
        lifted(untrained(), obvious_notes(2))


def test_word_shapes_that_cannot_be_learnt_are_spoken_of(tiny_backbones, tiny_labels, obvious_notes, tmp_path, caplog):
    told = "what model.word_shapes tells is not learnt"
    backbone = Backbone(str(tiny_backbones["bert"]), max_length=64, stride=16, word_shapes=True)
    source = backbone.locate()
    model = backbone.model(source, tiny_labels, 0)
    check_layers(model, 1, sharded=False)
    assert told in caplog.text
    caplog.clear()
    with torch.no_grad():
        model.base_model.embeddings.token_type_embeddings.weight[1] += 1
    check_layers(model, 1, sharded=False)
    check_layers(Backbone(source, max_length=64).model(source, tiny_labels, 0), 1, sharded=False)
    assert told not in caplog.text
