"""Killed, interrupted, out of disk: what was saved is whole, and a resumed run ends as an undisturbed one."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deidlab.adapters import Lora
from deidlab.checkpoints import load_checkpoint
from deidlab.resuming import STATE, mend_interrupted, save_atomically
from deidlab.types import ConfigError, DataError, DeidlabError, Losses

ROOT = Path(__file__).parents[1]

# Attempts (folder, what happens at which step, whether to resume), each a process of its own: forked, because importing
# torch anew takes longer than all of them together.
DRIVER = """
import json, os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path[:0] = {paths!r}
from conftest import make_obvious_notes
from deidlab.decoding import Decoder
from deidlab.labels import LabelSet
from deidlab.checkpoints import Checkpoint
from deidlab.random_backbones import RandomBackbone
from deidlab.runs import mendable_errors, write_json
from deidlab.training import train
from deidlab.types import Losses


def attempt(folder, what, at, resume):
    def track(step, values):
        if step != at or "loss" not in values:
            return
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "interrupt":
            raise KeyboardInterrupt
        if what == "fill the disk":
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # no file may grow further

    folder.mkdir(exist_ok=True)
    labels = LabelSet("tiny", ("PATIENT", "DOCTOR", "AGE", "DATE"), "BIO")
    shape = {{"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}}
    backbone = RandomBackbone("bert", 128, shape, stride=16)  # with the dropout of 0.1 that BERT has
    checkpoint = Checkpoint(backbone.model("", labels, 0), backbone.encoder(""), Decoder(labels))
    with mendable_errors():
        result = train(
            checkpoint, make_obvious_notes(24), make_obvious_notes(6, 9, "v"), folder=folder / "checkpoint",
            losses=Losses(), epochs=3, learning_rate=1e-2, batch_tokens=512, validations_per_epoch=2, save_every=1,
            resume=resume, track=track, augmentation={{"share": 0.5}}, device="cpu", precision="fp32",
            freeze_words=True, freeze_layers=1, blend=0.75, protect=10.0, replay=make_obvious_notes(6, 5, "r"),
        )
        write_json(folder / "history.json", result.history)


signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
statuses = []
for folder, *how in json.load(sys.stdin):
    sys.stdout.flush()
    if not (child := os.fork()):
        attempt(Path(folder), *how)
        sys.stdout.flush()
        os._exit(0)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
Path(sys.argv[1]).write_text(json.dumps(statuses))
"""


@pytest.fixture(scope="module")
def attempts(tmp_path_factory):
    """Run attempts in one Python; gives their exit statuses and what was printed on standard error."""
    home = tmp_path_factory.mktemp("driver")
    (home / "driver.py").write_text(DRIVER.format(paths=[str(ROOT / "src"), str(ROOT / "tests")]))

    def go(*tries: tuple[Path, str, int, bool]) -> tuple[list[int], str]:
        done = subprocess.run(
            [sys.executable, str(home / "driver.py"), str(home / "statuses")],
            input=json.dumps([[str(folder), *how] for folder, *how in tries]),
            env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads((home / "statuses").read_text()), done.stderr

    return go


def outcome(folder: Path) -> tuple[dict[str, bytes], list]:
    weights = load_file(folder / "checkpoint" / "model.safetensors")
    return {k: v.numpy().tobytes() for k, v in weights.items()}, json.loads((folder / "history.json").read_text())


def test_whatever_ends_a_run_it_goes_on_and_ends_bit_identical(attempts, tmp_path):
    whole, killed, stopped, full = (tmp_path / name for name in ("whole", "killed", "stopped", "full"))
    statuses, printed = attempts(
        (whole, "", 0, False),
        (killed, "kill", 1, False),  # before anything is saved
        (killed, "kill", 4, True),  # within an epoch
        (killed, "kill", 8, True),
        (killed, "", 0, True),
        (stopped, "interrupt", 5, False),
        (stopped, "", 0, True),
        (full, "fill the disk", 5, False),
        (full, "", 0, True),
        (whole, "", 0, True),  # a finished run changes nothing
    )
    undisturbed = outcome(whole)
    assert undisturbed[1][-1]["step"] > 9, "too few steps to be killed in between"
    assert statuses[:1] + statuses[4::2] + statuses[-1:] == [0] * 5, printed
    assert statuses[1:4] == [-signal.SIGKILL] * 3
    assert statuses[5] != 0 and statuses[7] == 2
    assert "make room" in printed and "resume=true" in printed
    for folder in (killed, stopped, full):
        assert outcome(folder) == undisturbed, folder.name
        assert not list(folder.glob("*.partial"))


@pytest.fixture
def trained(tiny_backbones, tiny_labels, obvious_notes, tmp_path):
    """Train a tiny BERT in this process; every argument may be given."""
    from deidlab.checkpoints import Checkpoint
    from deidlab.decoding import Decoder
    from deidlab.models import Backbone
    from deidlab.training import train

    def go(resume=False, notes=None, labels=tiny_labels, **settings):
        own = {key: settings.pop(key) for key in ("head", "lora") if key in settings}
        backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16, **own)
        source = backbone.locate()
        quick = {"epochs": 2, "learning_rate": 1e-3, "batch_tokens": 128, "device": "cpu", "precision": "fp32"}
        return train(
            Checkpoint(backbone.model(source, labels), backbone.encoder(source), Decoder(labels)),
            notes or obvious_notes(12),
            obvious_notes(4, 9),
            folder=tmp_path / "checkpoint",
            losses=Losses(),
            resume=resume,
            **{**quick, **settings},
        )

    return go


def test_other_settings_notes_or_labels_are_not_resumed(trained, obvious_notes):
    trained()
    with pytest.raises(ConfigError, match=r"learning_rate \(was 0.001, is 0.01\).*Resume with the same"):
        trained(resume=True, learning_rate=0.01)
    with pytest.raises(ConfigError, match="documents"):
        trained(resume=True, notes=obvious_notes(11))


def test_a_state_cut_short_is_an_error_that_says_what_to_do(trained, tmp_path):
    trained()
    state = tmp_path / STATE
    state.write_bytes(state.read_bytes()[:50])
    with pytest.raises(ConfigError, match=r"cannot be read .*overwrite=true"):
        trained(resume=True)


def test_a_loss_that_is_not_finite_names_step_and_documents_and_keeps_the_last_checkpoint(trained, tmp_path):
    with pytest.raises(DataError, match=r"not finite at epoch \d+, step \d+ \(n\d+.*\): lower training.learning_rate"):
        trained(epochs=9, learning_rate=1e25, clip=1e30, warmup=0.0)
    kept = load_checkpoint(tmp_path) if (tmp_path / "checkpoint").exists() else None
    assert kept is None or all(torch.isfinite(v).all() for v in kept.model.state_dict().values())


def test_a_checkpoint_killed_between_its_two_names_is_found_and_put_back(trained, tmp_path):
    kept = trained().checkpoint
    (tmp_path / "checkpoint").rename(tmp_path / "checkpoint.old")  # here the run is killed
    assert load_checkpoint(tmp_path).labels == kept.labels
    assert load_checkpoint(tmp_path / "checkpoint").labels == kept.labels
    mend_interrupted(tmp_path / "checkpoint")
    assert [f.name for f in tmp_path.glob("checkpoint*")] == ["checkpoint"]
    save_atomically(kept, tmp_path / "checkpoint")
    assert [f.name for f in tmp_path.glob("checkpoint*")] == ["checkpoint"]


def test_a_crf_is_resumed_too(trained, tmp_path):
    whole = trained(head="crf", save_every=1)
    transitions = whole.checkpoint.model.crf.transitions
    assert transitions.abs().max() > 0, "it is trained"
    assert torch.equal(trained(head="crf", save_every=1, resume=True).checkpoint.model.crf.transitions, transitions)


def test_a_run_with_adapters_that_had_ended_is_resumed_to_the_same(trained):
    whole = trained(lora=Lora(rank=4)).checkpoint.model.state_dict()
    again = trained(lora=Lora(rank=4), resume=True).checkpoint.model.state_dict()
    assert whole.keys() == again.keys() and all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_disk_error_is_told_with_the_step(tmp_path):
    from deidlab.resuming import writing

    (tmp_path / "x.partial").touch()
    with pytest.raises(DeidlabError, match=r"at step 7 .*make room"), writing(tmp_path, 7):
        raise OSError("no space left on device")
    assert not list(tmp_path.iterdir())
