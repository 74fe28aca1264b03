"""A last layer that is asked at some positions says there what it says when all are computed."""

import copy
import pickle

import numpy as np
import pytest
import torch

from deidlab.checkpoints import Checkpoint
from deidlab.inference import score
from deidlab.labels import IGNORED
from deidlab.last_layer import APART, MULTIPLE, QUERIES, can_be_asked, places
from deidlab.models import Backbone
from deidlab.objectives import Objective
from deidlab.types import Window

FAMILIES = ("bert", "roberta")


def inputs(seed: int = 0, length: int = 9) -> dict[str, torch.Tensor]:
    """Three rows, the last two padded."""
    torch.manual_seed(seed)
    mask = torch.arange(length)[None] < torch.tensor([length, 6, 2])[:, None]
    return {"input_ids": torch.randint(5, 60, (3, length)), "attention_mask": mask.long()}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("attention", sorted(APART))
@pytest.mark.parametrize(
    "asked_at", [[(0, 0), (0, 8), (1, 5), (2, 1)], [(0, i) for i in range(1, 39, 2)], [(1, 2)], []]
)
def test_logits_and_gradients_are_those_of_the_whole(untrained, family, attention, asked_at):
    model = untrained(family).model.eval()
    model.set_attn_implementation(attention)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    given = inputs(length=9 if len(asked_at) < 9 else 40)
    asked = torch.zeros(given["input_ids"].shape, dtype=torch.bool)
    for place in asked_at:
        asked[place] = True
    whole = model(**given).logits[asked]
    whole.pow(2).sum().backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    assert can_be_asked(model) and can_be_asked(model)
    part = model(**given, asked=asked).logits
    assert len(part) % MULTIPLE == 0 and part.shape[1] == model.config.num_labels
    part = part[: len(asked_at)]
    torch.testing.assert_close(part, whole)
    part.pow(2).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients.get(name), msg=name)
    torch.testing.assert_close(model(**given).logits[asked], whole)
    assert list(model.state_dict()) == list(weights)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(again(**given, asked=asked).logits[: len(asked_at)], whole)


def test_queries_are_as_many_in_each_row_and_the_asked_ones_come_first():
    asked = torch.zeros(2, 40, dtype=torch.bool)
    asked[0, [3, 30]] = asked[1, 7] = True
    at, slots = places(asked)
    assert len(at) == 2 * QUERIES and at[slots][:3].tolist() == [3, 30, 47]
    assert len(at.unique()) == len(at) and (at[:QUERIES] < 40).all() and (at[QUERIES:] >= 40).all()


def test_architectures_that_cannot_be_asked_compute_all(untrained, tiny_backbones, tiny_labels):
    for family in ("deberta", "longformer"):
        assert not can_be_asked(untrained(family).model)
    model = untrained().model
    model.set_attn_implementation("deidlab_itself")
    assert not can_be_asked(model)
    crf = Backbone(str(tiny_backbones["bert"]), 64, stride=16, head="crf")
    assert not can_be_asked(crf.model(crf.locate(), tiny_labels))


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_long_notes_are_scored_as_in_a_whole_pass(untrained, obvious_notes, monkeypatch, family):
    checkpoint: Checkpoint = untrained(family)
    notes = obvious_notes(6)
    notes[0] = type(notes[0])("long", " ".join(note.text for note in notes))
    found = list(score(checkpoint.model, checkpoint.encoder, notes, precision="fp32"))
    monkeypatch.setattr("deidlab.inference.can_be_asked", lambda model: False)
    whole = list(score(checkpoint.model, checkpoint.encoder, notes, precision="fp32"))
    for one, other, note in zip(found, whole, notes, strict=True):
        np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-5)
        assert checkpoint.decoder.prediction(note, one).spans == checkpoint.decoder.prediction(note, other).spans


def test_the_loss_of_what_is_labelled_is_that_of_all(untrained):
    model = untrained().model.eval()
    labels = torch.full((3, 9), IGNORED)
    labels[0, 3], labels[1, 1], labels[2, 0] = 1, 0, 2
    windows = [Window("n", 0, 0, 9, np.zeros(9), row.numpy()) for row in labels]
    loss = Objective("inverse_frequency", focal_gamma=1.0).loss(windows, model.config.num_labels)
    whole = loss(model(**inputs()).logits, labels)
    assert can_be_asked(model)
    part = loss(model(**inputs(), asked=labels != IGNORED).logits[:3], labels[labels != IGNORED])
    torch.testing.assert_close(part, whole)
