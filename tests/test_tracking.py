"""Trackers get the figures and the settings, and no text of any note."""

import time
from pathlib import Path

import pytest

from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.models import Backbone
from deidlab.tracking import tensorboard, told, untracked, wandb
from deidlab.training import train
from deidlab.types import Losses

SETTINGS = {"seed": 1, "data": {"path": "/home/someone/Mercy Hospital", "seed": 0}, "training": {"epochs": 1}}


@pytest.fixture
def track_a_run(tiny_backbones, tiny_labels, obvious_notes, tmp_path):
    """Train for a moment under a tracker; gives the folder it wrote to and the notes."""

    def go(tracker, **settings):
        notes, validation = obvious_notes(12), obvious_notes(4, 9)
        backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16)
        source = backbone.locate()
        with tracker(folder=tmp_path, settings=SETTINGS, name="run", **settings) as track:
            train(
                Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels)),
                notes, validation, folder=tmp_path / "checkpoint", losses=Losses(), track=track, epochs=1,
                learning_rate=1e-3, batch_tokens=128, device="cpu", precision="fp32",
            )  # fmt: skip
        return tmp_path, [*notes, *validation]

    return go


def assert_no_text(folder: Path, notes) -> None:
    secrets = {note.text[span.start : span.end] for note in notes for span in note.spans} | {n.text for n in notes}
    secrets = {secret.encode() for secret in secrets if len(secret) >= 4}
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        found = [secret for secret in secrets if secret in content]
        assert not found, f"{len(found)} mentions in {file.name}"
        assert b"Mercy Hospital" not in content, f"a path in {file.name}"


def flushed(run: Path, patience: float = 60) -> bytes:
    """The log of an offline run: another process writes it, and may still do so when the run has finished."""
    end = time.monotonic() + patience
    while True:
        logged = b"".join(file.read_bytes() for file in run.rglob("*.wandb"))
        if b"validation_leak" in logged or time.monotonic() > end:
            return logged
        time.sleep(0.2)


def test_wandb_offline_holds_figures_and_no_text(track_a_run, monkeypatch):
    pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    folder, notes = track_a_run(wandb)
    (run,) = (folder / "wandb").glob("offline-run-*")
    logged = flushed(run)
    assert_no_text(folder / "wandb", notes)
    for figure in (b"loss", b"learning_rate", b"tokens_per_second", b"padding_share", b"memory_bytes",
                   b"validation_strict_f1", b"validation_leak", b"training.epochs"):  # fmt: skip
        assert figure in logged, figure


def test_tensorboard_holds_figures_and_no_text(track_a_run):
    pytest.importorskip("tensorboard", reason='pip install -e ".[tracking]"')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, notes = track_a_run(tensorboard)
    assert_no_text(folder / "tensorboard", notes)
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert {"loss", "learning_rate", "tokens_per_second", "validation_strict_f1"} <= set(events.Tags()["scalars"])


def test_untracked_leaves_nothing(track_a_run):
    folder, _ = track_a_run(untracked)
    assert sorted(p.name for p in folder.iterdir()) == ["checkpoint", "training_state.safetensors"]


def test_settings_are_told_without_paths():
    assert told(SETTINGS) == {"seed": 1, "data.seed": 0, "training.epochs": 1}
