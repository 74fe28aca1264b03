"""Export: the graph says what the model says, runs without PyTorch, and is refused where it would lose identifiers."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.export import Agreement, agreement, export_onnx
from deidlab.models import Backbone
from deidlab.systems import checkpoint as checkpoints
from deidlab.systems import onnx as exported
from deidlab.types import ConfigError, Document, Span

for needed in ("onnx", "onnxruntime", "onnxscript"):
    pytest.importorskip(needed, reason=f"exporting needs {needed}: pip install -e '.[export]'")

LONG = Document("long", "Mr Smith aged 54 was seen by Dr Jones . " * 30)


def save_run(folder: Path, backbone: Path, labels, **settings) -> Path:
    """An untrained run: its random head finds spans at random, which an export must find again."""
    described = Backbone(str(backbone), max_length=48, stride=8, **settings)
    source = described.locate()
    model = described.model(source, labels)
    model.classifier.weight.data *= 40  # so that its choices are clear
    Checkpoint(model, described.encoder(source), Decoder(labels)).save(folder / "checkpoint")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory, tiny_backbones, tiny_labels, obvious_notes):
    """A run told of word shapes, and its export; RoBERTa counts positions by the padding id."""
    root = tmp_path_factory.mktemp("export")
    run = save_run(root / "run", tiny_backbones["roberta"], tiny_labels, word_shapes=True)
    told = export_onnx(run, root / "onnx", obvious_notes(4))
    return run, root / "onnx", told


def test_an_export_finds_what_its_run_finds(folders, obvious_notes):
    run, folder, told = folders
    notes = [*obvious_notes(12, seed=1), Document("empty", ""), Document("blank", " \n"), LONG]
    ours, theirs = checkpoints.load(run, precision="fp32"), exported.load(folder)
    assert [p.spans for p in theirs.predict(notes)] == [p.spans for p in ours.predict(notes)]
    assert [p.fingerprint for p in theirs.predict(notes)] == [note.fingerprint for note in notes]
    assert sum(len(p.spans) for p in ours.predict(notes)) > 20
    assert told.same_spans == told.spans > 0 and told.extra_spans == 0 and told.same_notes == told.notes == 4


def test_scores_are_those_of_the_model_whatever_the_batch(folders, obvious_notes):
    run, folder, _ = folders
    from deidlab.inference import score
    from deidlab.stitching import score_documents

    ours, theirs = checkpoints.load(run, precision="fp32"), exported.load(folder)
    notes = [*obvious_notes(5), LONG]
    expected = list(score(ours.checkpoint.model, ours.checkpoint.encoder, notes, precision="fp32"))
    for batch_tokens in (1, 512):
        found = score_documents(notes, theirs.encoder, theirs.forward, len(theirs.labels.tags), batch_tokens)
        for a, b in zip(expected, found, strict=True):
            assert (a.unit_spans == b.unit_spans).all()
            assert np.allclose(a.log_probs, b.log_probs, atol=1e-3)


def test_the_exported_folder_holds_no_text_and_no_path(folders):
    run, folder, _ = folders
    assert sorted(file.name for file in folder.iterdir()) == ["deidlab.json", "model.onnx", "tokenizer.json"]
    stored = (folder / "deidlab.json").read_text()
    assert "Smith" not in stored and str(run.parent) not in stored
    assert str(run.parent).encode() not in (folder / "model.onnx").read_bytes()
    assert json.loads(stored)["agreement"]["notes"] == 4


def test_an_export_runs_where_torch_and_transformers_cannot_be_imported(folders):
    run, folder, _ = folders
    script = """
import json, sys
for name in ("torch", "transformers", "datasets", "accelerate", "peft", "hydra"):
    sys.modules[name] = None  # importing it raises ImportError
from deidlab.systems.onnx import load
from deidlab.types import Document
(one,) = load(sys.argv[1]).predict([Document("d", sys.argv[2])])
print(json.dumps([[s.start, s.end, s.label] for s in one.spans]))
"""
    source = Path(exported.__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder), LONG.text],
        capture_output=True, text=True, env={"PYTHONPATH": str(source), "PATH": ""},
    )  # fmt: skip
    assert not ended.returncode, ended.stderr
    (expected,) = checkpoints.load(run, precision="fp32").predict([LONG])
    assert json.loads(ended.stdout) == [[s.start, s.end, s.label] for s in expected.spans]


def test_8_bits_are_measured_and_refused_with_the_figure(folders, tmp_path, obvious_notes):
    run, _, _ = folders
    notes = [replace(note, spans=()) for note in obvious_notes(4)]
    with pytest.raises(ConfigError, match="--notes"):
        export_onnx(run, tmp_path / "unmeasured", int8=True)
    told = export_onnx(run, tmp_path / "int8", notes, int8=True, loss_allowed=1.0)
    assert not told.gold and told.f1_run == 1.0 and told.spans > 0
    assert (tmp_path / "int8" / "model.onnx").stat().st_size > 0
    with pytest.raises(ConfigError, match=r"loses -?\d+\.\d\d points of strict F1, -200\.00 are allowed"):
        export_onnx(run, tmp_path / "refused", notes, int8=True, loss_allowed=-2.0)
    assert not list(tmp_path.glob("*refused*")), "nothing is left of a refused export"


def test_agreement_against_gold_counts_what_each_finds(folders, obvious_notes):
    run, folder, _ = folders
    ours, theirs = checkpoints.load(run, precision="fp32"), exported.load(folder)
    notes = [replace(n, spans=p.spans) for n, p in zip(obvious_notes(4), ours.predict(obvious_notes(4)), strict=True)]
    told = agreement(ours, theirs, notes)
    assert told.gold and told.f1_run == told.f1_export == 1.0 and told.loss == 0
    deaf = exported.load(folder, decoding={"outside_bias": -1e6})
    told = agreement(ours, deaf, notes)
    assert told.same_spans == 0 and told.f1_export == 0.0 and told.loss == 1.0
    assert isinstance(told, Agreement) and "0 of" in str(told)


def test_gold_that_the_run_does_not_find_does_not_hide_what_8_bits_lose(folders, obvious_notes):
    run, folder, _ = folders
    ours, deaf = checkpoints.load(run, precision="fp32"), exported.load(folder, decoding={"outside_bias": -1e6})
    notes = [replace(note, spans=(Span(0, 1, ours.labels.types[0]),)) for note in obvious_notes(4)]
    told = agreement(ours, deaf, notes)
    assert not told.gold and told.f1_run == 1.0 and told.loss == 1.0


@pytest.mark.parametrize(
    ("family", "settings", "said"), [("bert", {"head": "crf"}, "CRF"), ("longformer", {}, "Longf")]
)
def test_what_has_no_faithful_graph_is_refused(tmp_path, tiny_backbones, tiny_labels, family, settings, said):
    run = save_run(tmp_path / "run", tiny_backbones[family], tiny_labels, **settings)
    with pytest.raises(ConfigError, match=said):
        export_onnx(run, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()


def test_wrong_folders_are_told(folders, tmp_path):
    run, folder, _ = folders
    with pytest.raises(ConfigError, match="exists already"):
        export_onnx(run, folder)
    with pytest.raises(ConfigError, match=r"model\.onnx"):
        exported.load(tmp_path)
