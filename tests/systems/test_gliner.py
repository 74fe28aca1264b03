"""A GLiNER of random weights, saved as one from the hub is: windows cover the note, offsets are the note's."""

import pytest

from deidlab.labels import LabelSet
from deidlab.systems import gliner
from deidlab.types import ConfigError, DataError, Document

pytest.importorskip("gliner", reason="needs the extra: pip install -e .[gliner]")
LABELS = LabelSet("i2b2_2014", ("PATIENT", "DATE"))
ASKED = {"name": "PATIENT", "date": "DATE"}
SENTENCE = "the patient Mr Smith was seen "


def saved(encoder, folder, safe=True):
    import torch
    from gliner import GLiNER

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "max_len": 40, "max_width": 4, "fine_tune": True, "num_rnn_layers": 0}
    model = GLiNER.from_config({"model_name": str(encoder), **shape})
    model.save_pretrained(folder, safe_serialization=safe)
    return str(folder)


@pytest.fixture(scope="module")
def model(tiny_backbones, tmp_path_factory):
    return saved(tiny_backbones["bert"], tmp_path_factory.mktemp("gliner"))


def test_all_of_a_long_note_is_read_and_each_place_is_answered_for_once(model):
    system = gliner.load(model, LABELS, ASKED, words=24, stride=6, threshold=0.3)
    (long,) = system.predict([Document("a", SENTENCE * 60)])
    starts = [span.start // len(SENTENCE) for span in long.spans]
    assert set(starts) == set(range(60))
    assert all(one.end <= two.start for one, two in zip(long.spans, long.spans[1:], strict=False))
    assert {span.label for span in long.spans} <= set(LABELS.types)


def test_an_empty_note_has_no_spans(model):
    (empty,) = gliner.load(model, LABELS, ASKED, words=24, stride=6).predict([Document("a", "")])
    assert empty.spans == ()


def test_pickled_weights_are_refused(tiny_backbones, tmp_path):
    pickled = saved(tiny_backbones["bert"], tmp_path, safe=False)
    with pytest.raises(ConfigError, match="safetensors"):
        gliner.load(pickled, LABELS, ASKED, words=24, stride=6)


def test_a_window_that_its_tokenizer_would_cut_is_an_error_that_quotes_nothing(model):
    system = gliner.load(model, LABELS, ASKED, words=40, stride=6)
    with pytest.raises(DataError, match=r"lower system\.words") as error:
        list(system.predict([Document("a", "seenpatient " * 40)]))
    assert "seenpatient" not in str(error.value)


@pytest.mark.parametrize(("words", "stride"), [(41, 6), (6, 6)])
def test_windows_that_cannot_be(model, words, stride):
    with pytest.raises(ConfigError, match=f"words={words}"):
        gliner.load(model, LABELS, ASKED, words=words, stride=stride)


def test_labels_without_a_place_are_listed(model):
    with pytest.raises(DataError, match="JUNK"):
        gliner.load(model, LABELS, {"name": "JUNK"}, words=24, stride=6)
