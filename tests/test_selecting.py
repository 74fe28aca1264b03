"""Choosing notes: whole patients, those in doubt first, or far from each other and from what is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.checkpoints import Checkpoint
from deidlab.corpora.splits import named, read_ids
from deidlab.decoding import Decoder
from deidlab.flagging import Flagging
from deidlab.models import Backbone
from deidlab.selecting import Pool, chosen, embeddings, furthest_first, worth_of_review, write_ids
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.types import ConfigError, DataError, Document

STRATEGIES = ("random", "uncertainty", "diversity", "uncertain_and_diverse")
NONE = np.empty((0, 1))


def pool(worth, places, patients=None, known=NONE) -> Pool:
    names = patients or [f"p{i}" for i in range(len(worth))]
    return Pool(names, np.array(worth, float), np.array(places, float).reshape(len(worth), -1), known)


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), count=st.integers(1, 20), data=st.data())
def test_whole_patients_are_chosen_once_and_no_more_than_needed(strategy, seed, count, data):
    rng = np.random.default_rng(seed)
    patients = [f"p{i}" for i in rng.integers(0, 8, count)]
    wanted = data.draw(st.integers(1, count))
    picked = chosen(pool(rng.random(count), rng.random((count, 2)), patients, np.empty((0, 2))), wanted, strategy, seed)
    owners = [patients[i] for i in picked]
    assert len(picked) == len(set(picked)) >= wanted
    assert all(owners.count(name) == patients.count(name) for name in set(owners))
    assert len(picked) - patients.count(owners[-1]) < wanted, "the last patient was still needed"


def test_the_most_doubtful_come_first():
    assert chosen(pool([0.1, 0.9, 0.5], [0, 0, 0]), 2, "uncertainty") == [1, 2]


def test_the_furthest_from_each_other_and_from_what_is_known_come_first():
    assert list(furthest_first(np.array([[0.0], [1.0], [10.0], [4.0]]), NONE, 0)) == [0, 2, 3, 1]
    assert next(furthest_first(np.array([[0.0], [1.0], [10.0], [4.0]]), np.array([[9.0]]), 0)) == 0
    assert chosen(pool([5, 1, 1, 1], [0, 1, 10, 4]), 2, "diversity") == [0, 2]


def test_among_the_doubtful_the_different_ones_are_taken():
    worth, places = [9, 8, 7, 0.1], [0, 0.1, 5, 99]
    assert chosen(pool(worth, places), 1, "uncertain_and_diverse") == [0]
    assert chosen(pool(worth, places, known=np.array([[0.0]])), 1, "uncertain_and_diverse") == [2]


def test_chance_hangs_on_the_seed_alone():
    some = pool(np.zeros(30), np.zeros(30))
    assert chosen(some, 9, "random", 1) == chosen(some, 9, "random", 1) != chosen(some, 9, "random", 2)


@pytest.mark.parametrize(
    ("wanted", "strategy", "told"), [(4, "random", "n=4"), (0, "random", "n=0"), (1, "best", "one of")]
)
def test_what_cannot_be_chosen_is_said(wanted, strategy, told):
    with pytest.raises(ConfigError, match=told):
        chosen(pool([1, 2, 3], [0, 0, 0]), wanted, strategy)


def test_ids_choose_the_notes_that_train(tmp_path):
    documents = [Document(f"n{i}", "text") for i in range(4)]
    write_ids(tmp_path / "ids.json", ["n2", "n0"], "random")
    assert read_ids(tmp_path / "ids.json") == ["n2", "n0"]
    assert [d.id for d in named(documents, str(tmp_path / "ids.json"))] == ["n0", "n2"]
    assert named(iter(documents), None) == documents
    with pytest.raises(ConfigError, match="1 of its 2 ids"):
        named(documents[:1], str(tmp_path / "ids.json"))
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(DataError, match="select_notes"):
        read_ids(tmp_path / "other.json")


def test_a_model_embeds_notes_and_doubts_them(tiny_backbones, tiny_labels, obvious_notes):
    backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16)
    source = backbone.locate()
    model = Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))
    system = CheckpointSystem(model, precision="fp32")
    notes = [*obvious_notes(3), Document("empty", "")]
    vectors = embeddings(system, notes)
    assert vectors.shape == (4, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0])
    assert np.allclose(vectors[:1], embeddings(system, notes[:1]), atol=1e-5), "whatever it is batched with"
    assert worth_of_review(system, notes, Flagging())[3] == 0
