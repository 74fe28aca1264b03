"""A run's head goes on under another label set: what is known is kept to the bit, what is new is drawn by the seed."""

import logging

import pytest
import torch

from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.extending import extended
from deidlab.labels import LabelSet
from deidlab.models import Backbone
from deidlab.types import ConfigError

LABELS = LabelSet("four", ("PATIENT", "DOCTOR", "AGE", "DATE"), "BIO")


@pytest.fixture(params=["bert", "roberta", "deberta"])
def run(request, tiny_backbones, tmp_path) -> Backbone:
    """A backbone that is a run, with a head of four types."""
    fresh = Backbone(str(tiny_backbones[request.param]), max_length=48, stride=8)
    source = fresh.locate()
    Checkpoint(fresh.model(source, LABELS, seed=1), fresh.encoder(source), Decoder(LABELS)).save(
        tmp_path / "checkpoint"
    )
    return Backbone(str(tmp_path), max_length=48, stride=8)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=torch.arange(5, 25)[None]).logits


def test_added_types_leave_what_is_said_of_the_others_as_it_was_to_the_bit(run, caplog):
    caplog.set_level(logging.INFO, "deidlab")
    before = run.model(run.locate(), LABELS)
    after = run.model(run.locate(), extended(LABELS, {"SEX": "OTHER", "WARD": "LOCATION"}), seed=3)
    assert torch.equal(after.classifier.weight[:9], before.classifier.weight)
    assert torch.equal(after.classifier.bias[:9], before.classifier.bias)
    assert torch.allclose(logits(after)[..., :9], logits(before), atol=1e-6)
    assert "4 types of four kept, 2 new (SEX, WARD)" in caplog.text
    assert after.config.num_labels == after.num_labels == 13 and after.config.id2label[12] == "I-WARD"
    again = run.model(run.locate(), extended(LABELS, {"SEX": "OTHER", "WARD": "LOCATION"}), seed=3)
    assert torch.equal(again.classifier.weight, after.classifier.weight), "new rows are drawn by the seed"


def test_types_of_another_name_start_from_what_they_mean(run, caplog):
    caplog.set_level(logging.INFO, "deidlab")
    maps = {"four": {"PATIENT": "PERSON", "DOCTOR": "PERSON", "AGE": "O", "DATE": "WHEN"}}
    before = run.model(run.locate(), LABELS).classifier.weight
    after = run.model(run.locate(), LabelSet("ours", ("WHEN", "PERSON"), "BIO", maps)).classifier.weight
    assert torch.equal(after[0], before[0]) and torch.equal(after[1], before[LABELS.tag_ids["B-DATE"]])
    assert torch.allclose(after[3], (before[1] + before[3]) / 2)
    assert "2 started from types that mean the same there" in caplog.text


def test_what_was_learnt_under_the_new_labels_comes_back(run, tmp_path):
    grown = extended(LABELS, {"SEX": "OTHER"})
    model = run.model(run.locate(), grown)
    Checkpoint(model, run.encoder(run.locate()), Decoder(grown)).save(tmp_path / "again" / "checkpoint")
    loaded = Backbone(str(tmp_path / "again"), max_length=48, stride=8)
    assert torch.equal(loaded.model(loaded.locate(), grown).classifier.weight, model.classifier.weight)


def test_a_crf_goes_on_from_the_transitions_of_the_run(tiny_backbones, tmp_path):
    fresh = Backbone(str(tiny_backbones["bert"]), max_length=48, stride=8, head="crf")
    first = fresh.model(fresh.locate(), LABELS)
    first.crf.transitions.data = torch.randn(9, 9)
    Checkpoint(first, fresh.encoder(fresh.locate()), Decoder(LABELS)).save(tmp_path / "checkpoint")
    run = Backbone(str(tmp_path), max_length=48, stride=8, head="crf")
    assert torch.equal(run.model(run.locate(), LABELS).crf.transitions, first.crf.transitions)
    grown = run.model(run.locate(), extended(LABELS, {"SEX": "OTHER"})).crf.transitions
    assert torch.equal(grown[:9, :9], first.crf.transitions) and not grown[9:].any() and not grown[:, 9:].any()


def test_a_run_that_was_told_word_shapes_is_told_them_again_or_refused(tiny_backbones, tmp_path):
    shaped = Backbone(str(tiny_backbones["bert"]), max_length=48, stride=8, word_shapes=True)
    source = shaped.locate()
    Checkpoint(shaped.model(source, LABELS), shaped.encoder(source), Decoder(LABELS)).save(tmp_path / "checkpoint")
    blind = Backbone(str(tmp_path), max_length=48, stride=8)
    with pytest.raises(ConfigError, match="choose the model= that it was trained with"):
        blind.encoder(blind.locate())
    again = Backbone(str(tmp_path), max_length=48, stride=8, word_shapes=True)
    assert again.encoder(again.locate()).word_shapes
