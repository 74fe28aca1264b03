"""Scoring: every subword once, the same scores however notes are batched, in memory that does not grow."""

import gc
import itertools
import tracemalloc
import weakref

import numpy as np
import pytest
import torch

from deidlab.encoding import Encoder
from deidlab.inference import pad, score
from deidlab.models import Backbone
from deidlab.stitching import CHUNK_CHARACTERS, chunks, length_batches
from deidlab.types import ConfigError, Document

FAMILIES = ("bert", "roberta", "longformer", "deberta")
LONG = "Mr Smith aged 54 was seen by Dr Jones . " * 2200  # 20,000 subwords or more, whatever the tokenizer


@pytest.fixture(scope="module")
def models(tiny_backbones, tiny_labels):
    loaded = {}
    for family in FAMILIES:
        backbone = Backbone(str(tiny_backbones[family]), max_length=64, stride=16)
        source = backbone.locate()
        loaded[family] = (backbone.model(source, tiny_labels), backbone.encoder(source))
    return loaded


@pytest.fixture(params=FAMILIES)
def model(request, models):
    return models[request.param]


def scored(model, documents, **settings):
    return list(score(*model, documents, precision="fp32", **settings))


def test_scores_do_not_depend_on_the_batch_or_on_the_other_notes(model, obvious_notes):
    notes = [*obvious_notes(6), Document("empty", ""), Document("long", LONG[:1500]), *obvious_notes(3, 1, "m")]
    together = scored(model, notes, batch_tokens=1024)
    assert [one.document_id for one in together] == [note.id for note in notes]
    for other in (scored(model, notes, batch_tokens=1), [scored(model, [note])[0] for note in notes]):
        for a, b in zip(together, other, strict=True):
            assert np.allclose(a.log_probs, b.log_probs, atol=1e-4)
            assert (a.unit_spans == b.unit_spans).all()


def test_scores_are_log_probabilities_of_every_tag(model, obvious_notes, tiny_labels):
    for one in scored(model, obvious_notes(4)):
        assert one.log_probs.shape == (len(one.unit_spans), len(tiny_labels.tags))
        assert np.allclose(np.exp(one.log_probs).sum(axis=1), 1, atol=1e-5)


def test_a_unit_is_scored_at_its_first_subword_and_blanks_are_silent(model):
    network, encoder = model
    note = Document("n", " Mr Smithson\n\naged 54 ")
    (encoded,) = encoder.encode([note])
    with torch.no_grad():
        logits = network(**pad(encoder.windows(encoded), encoder)).logits[0, len(encoder.frame[0]) :]
    expected = logits.log_softmax(-1)[torch.from_numpy(encoded.unit_firsts)]
    (one,) = scored(model, [note])
    assert np.allclose(one.log_probs, expected.numpy(), atol=1e-5) and len(one.log_probs) == 4
    assert len(encoded.input_ids) > 4


def test_a_note_of_20_000_subwords_is_scored_to_its_end(model):
    (one,) = scored(model, [Document("long", LONG)])
    assert len(one.unit_spans) >= 20_000
    # A unit without a score would be left as allocated: its probabilities would not add up to one.
    assert np.allclose(np.exp(one.log_probs).sum(axis=1), 1, atol=1e-4)
    assert one.unit_spans[-1].tolist() == [len(LONG) - 2, len(LONG) - 1]


def test_notes_without_a_subword_have_no_scores(models):
    notes = [Document("empty", ""), Document("blank", " \n\t "), Document("empty again", "")]
    for one, note in zip(scored(models["bert"], notes), notes, strict=True):
        assert one.document_id == note.id and one.log_probs.shape[0] == 0
    assert scored(models["bert"], []) == []


def test_a_batch_keeps_to_its_budget_and_every_window_is_in_one(models, obvious_notes):
    _, encoder = models["bert"]
    windows = [
        w for one in encoder.encode([*obvious_notes(20), Document("long", LONG[:2000])]) for w in encoder.windows(one)
    ]
    batches = list(length_batches(windows, 128))
    assert sorted(i for batch in batches for i in batch) == list(range(len(windows)))
    for batch in batches:
        assert len(batch) == 1 or max(len(windows[i].input_ids) for i in batch) * len(batch) <= 128


def test_padding_is_masked_and_special_tokens_frame_every_window(models):
    _, encoder = models["bert"]
    windows = [
        w
        for one in encoder.encode([Document("a", "Smith"), Document("b", "Smith was seen")])
        for w in encoder.windows(one)
    ]
    inputs = pad(windows, encoder)
    lengths = [len(w.input_ids) + encoder.specials for w in windows]
    assert inputs["attention_mask"].sum(dim=1).tolist() == lengths
    assert "labels" not in inputs
    tokenizer = encoder.tokenizer
    assert set(inputs["input_ids"][:, 0].tolist()) == {tokenizer.cls_token_id}
    assert inputs["input_ids"][0, lengths[0] - 1] == tokenizer.sep_token_id
    assert (inputs["input_ids"][0, lengths[0] :] == tokenizer.pad_token_id).all()


def test_notes_are_read_a_chunk_at_a_time(models):
    """Notes in flight are bounded in characters, so a corpus of any size may stream through."""
    size = CHUNK_CHARACTERS // 4
    taken = itertools.count()
    notes = (Document(f"n{next(taken)}", "Smith" + " " * size) for _ in range(40))
    stream = score(*models["bert"], notes, precision="fp32")
    next(stream)
    assert next(taken) <= 4 + 1
    assert [len(chunk) for chunk in chunks(Document("d", "x" * size) for _ in range(9))] == [4, 4, 1]


def test_scores_of_earlier_notes_are_not_kept(models, obvious_notes):
    notes = (Document(f"n{i}", note.text + " " * CHUNK_CHARACTERS) for i, note in enumerate(obvious_notes(4)))
    seen = []
    for one in score(*models["bert"], notes, precision="fp32"):
        seen.append(weakref.ref(one.log_probs))
        del one
        gc.collect()
        assert sum(ref() is not None for ref in seen) <= 1


def test_peak_memory_does_not_grow_with_the_number_of_notes(models):
    def peak(number: int) -> int:
        notes = (Document(f"n{i}", LONG[:400] + " " * (CHUNK_CHARACTERS // 4)) for i in range(number))
        tracemalloc.start()
        for _ in score(*models["bert"], notes, precision="fp32"):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    peak(4)  # caches of the libraries
    assert peak(24) < 1.2 * peak(8)


def test_a_precision_that_the_machine_lacks_is_refused(models):
    if models["bert"][0].device.type == "cpu":
        with pytest.raises(ConfigError, match="precision=fp16 needs a GPU"):
            list(score(*models["bert"], [Document("a", "x")], precision="fp16"))
    with pytest.raises(ConfigError, match="expected auto, fp32, bf16 or fp16"):
        list(score(*models["bert"], [Document("a", "x")], precision="half"))


def test_windows_overlap_only_as_context(models):
    """With another stride a subword may see other context, but still has one score."""
    network, encoder = models["deberta"]
    text = LONG[:2000]
    for stride in (0, 8, 40):
        other = Encoder(encoder.tokenizer, encoder.max_length, stride)
        (one,) = score(network, other, [Document("d", text)], precision="fp32")
        assert np.allclose(np.exp(one.log_probs).sum(axis=1), 1, atol=1e-4)
