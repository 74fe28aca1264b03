"""A trained model as a system: it loads from a run, keeps the order of the notes, and streams."""

import itertools

import pytest
import torch

from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.hardware import pick_precision
from deidlab.models import Backbone
from deidlab.systems import checkpoint
from deidlab.types import ConfigError, Document


@pytest.fixture(scope="module")
def run(tiny_backbones, tiny_labels, tmp_path_factory):
    """A run's folder with an untrained checkpoint: it predicts much, and wrongly."""
    folder = tmp_path_factory.mktemp("run")
    backbone = Backbone(str(tiny_backbones["roberta"]), max_length=32, stride=8)
    source = backbone.locate()
    model = backbone.model(source, tiny_labels)
    Checkpoint(model, backbone.encoder(source), Decoder(tiny_labels)).save(folder / "checkpoint")
    return folder


def test_predictions_come_in_order_with_valid_spans_and_fingerprints(run, obvious_notes, tiny_labels):
    notes = [*obvious_notes(5), Document("empty", ""), Document("blank", " \n"), *obvious_notes(2, 1, "m")]
    system = checkpoint.load(run, precision="fp32")
    predicted = list(system.predict(notes))
    assert [p.document_id for p in predicted] == [note.id for note in notes]
    for prediction, note in zip(predicted, notes, strict=True):
        assert prediction.fingerprint == note.fingerprint
        for span in prediction.spans:
            assert 0 <= span.start < span.end <= len(note.text) and span.label in tiny_labels.types
    assert any(p.spans for p in predicted), "an untrained head is silent: this test claims nothing"


def test_gold_spans_do_not_influence_predictions(run, obvious_notes):
    notes = obvious_notes(4)
    system = checkpoint.load(run, precision="fp32")
    bare = [Document(note.id, note.text) for note in notes]
    assert list(system.predict(notes)) == list(system.predict(bare))


def test_the_decoder_may_be_set_anew_and_null_leaves_it(run, obvious_notes):
    notes = obvious_notes(4)

    def covered(**decoding) -> int:
        predicted = checkpoint.load(run, precision="fp32", decoding=decoding).predict(notes)
        return sum(span.end - span.start for p in predicted for span in p.spans)

    assert covered(outside_bias=20.0) > covered(outside_bias=None) == covered() > covered(outside_bias=-20.0) == 0


def test_documents_are_read_as_they_are_needed(run):
    taken = itertools.count()
    endless = (Document(f"n{next(taken)}", "Mr Smith" + " " * 200_000) for _ in itertools.count())
    stream = checkpoint.load(run, precision="fp32").predict(endless)
    assert [next(stream).document_id for _ in range(3)] == ["n0", "n1", "n2"]
    assert next(taken) < 10


def test_a_missing_checkpoint_and_an_absent_gpu_say_what_to_set(run, tmp_path):
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        checkpoint.load(tmp_path)
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="set device=auto or device=cpu"):
            checkpoint.load(run, device="cuda")


def test_in_bf16_it_finds_the_spans_of_its_weights_every_time_the_same(run, obvious_notes):
    precision = pick_precision("auto", torch.device("cpu"))  # bf16 where this processor has it
    notes = obvious_notes(6)
    found, again = (list(checkpoint.load(run, precision=precision).predict(notes)) for _ in range(2))
    assert found == again
    exact = list(checkpoint.load(run, precision="fp32").predict(notes))
    same = sum(len({s.start for s in a.spans} & {s.start for s in b.spans}) for a, b in zip(found, exact, strict=True))
    assert same >= 0.8 * sum(len(prediction.spans) for prediction in exact) > 0
