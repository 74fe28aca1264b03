"""A checkpoint in plain transformers: it loads without deidlab, finds typed spans, and says what it lacks there."""

from pathlib import Path

import pytest

from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.models import Backbone
from deidlab.word_shapes import SHAPES

NOTE = "the patient Mr Smith aged 54 was seen on 03/04/2012 by Dr Jones"


def stored(folder: Path, backbone: Path, labels, **settings) -> Path:
    """An untrained checkpoint: its random head finds spans at random."""
    described = Backbone(str(backbone), max_length=48, stride=8, **settings)
    source = described.locate()
    model = described.model(source, labels)
    model.classifier.weight.data *= 40  # so that its choices are clear
    Checkpoint(model, described.encoder(source), Decoder(labels)).save(folder)
    return folder


@pytest.mark.parametrize("word_shapes", [False, True])
def test_the_pipeline_loads_a_checkpoint_and_finds_typed_spans(tmp_path, tiny_backbones, tiny_labels, word_shapes):
    from transformers import pipeline

    folder = stored(tmp_path / "checkpoint", tiny_backbones["bert"], tiny_labels, word_shapes=word_shapes)
    tagger = pipeline("token-classification", str(folder), aggregation_strategy="first", device="cpu")
    found = tagger(NOTE)
    assert found and {one["entity_group"] for one in found} <= set(tiny_labels.types)
    for one in found:
        assert NOTE[one["start"] : one["end"]].strip(), "offsets are into the text"
    if word_shapes:
        assert tagger.model.config.type_vocab_size == SHAPES, "the table of shapes is in the weights, unused"


def test_the_pipeline_reads_a_long_note_to_its_end_only_with_a_stride(tmp_path, tiny_backbones, tiny_labels):
    from transformers import AutoTokenizer, pipeline

    folder = stored(tmp_path / "checkpoint", tiny_backbones["bert"], tiny_labels)
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=48)
    note = " ".join([NOTE] * 8)

    def reach(**settings) -> int:
        tagger = pipeline("token-classification", str(folder), tokenizer=tokenizer, device="cpu",
                          aggregation_strategy="first", **settings)  # fmt: skip
        return max(one["end"] for one in tagger(note))

    assert reach() < len(note) // 2, "cut without a word"
    assert reach(stride=8) > len(note) * 3 // 4
