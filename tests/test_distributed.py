"""Processes under `accelerate launch` learn what one does with the same global batch, and write each file once.

On one machine, on two (both are this one), and with the model cut into shards.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deidlab.corpora import jsonl

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, obvious_notes) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (split, number) in enumerate({"train": 22, "validation": 5, "test": 5}.items()):
        jsonl.write(obvious_notes(number, seed, split), folder / f"{split}.jsonl")
    return folder


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


# Accelerate cuts a model into shards on accelerators alone; PyTorch does it over gloo as well, which is tried here.
SHARDING = """
import runpy, sys
from accelerate.state import PartialState
from accelerate.utils import DistributedType
begin = PartialState.__init__
def told(self, *args, **settings):
    begin(self, *args, **settings)
    if self._shared_state["distributed_type"] == DistributedType.MULTI_CPU:
        self._shared_state["distributed_type"] = DistributedType.MULTI_GPU
PartialState.__init__ = told
sys.argv = sys.argv[1:]
sys.path[0] = {root!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TINY = ("model=tiny", "model.max_length=64", "model.stride=8")


def started(corpus: Path, folder: Path, *settings: str, launcher: Sequence[str] = ()) -> subprocess.Popen:
    common = [
        "data=jsonl", f"data.path={corpus}", "training.epochs=2", "training.batch_tokens=128",
        "training.learning_rate=1e-3", "training.device=cpu", "training.precision=fp32", f"output_dir={folder}",
        "report.figures=false",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, *launcher, str(ROOT / "train.py"), *common, *settings],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder.parent,
    )  # fmt: skip


def ended(process: subprocess.Popen) -> str:
    printed, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, printed
    return printed


def launcher(config: str, port: int, *more: str) -> list[str]:
    file = str(ROOT / "conf" / "accelerate" / config)
    return ["-m", "accelerate.commands.launch", "--config_file", file, "--main_process_port", str(port), *more]


def same_learning(one: Path, two: Path, printed: str) -> None:
    assert printed.count("report.json, predictions.jsonl") == 1, "reported once"
    assert sorted(p.name for p in two.iterdir()) == sorted(p.name for p in one.iterdir()), "each file once"
    alone, together = (json.loads((folder / "history.json").read_text()) for folder in (one, two))
    assert [row["step"] for row in together] == [row["step"] for row in alone]
    for a, b in zip(alone, together, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-4)
        assert b["validation_leak"] == pytest.approx(a["validation_leak"], abs=0.02)
    first, second = (load_file(folder / "checkpoint" / "model.safetensors") for folder in (one, two))
    assert first.keys() == second.keys()
    assert all(torch.allclose(value, second[name], atol=1e-4) for name, value in first.items())


@pytest.fixture(scope="module")
def alone(corpus, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("alone") / "one"
    ended(started(corpus, folder, *TINY, "training.accumulation=2"))
    return folder


def test_two_processes_equal_one_with_the_same_global_batch(alone, corpus, tmp_path):
    two = tmp_path / "two"
    same_learning(alone, two, ended(started(corpus, two, *TINY, launcher=launcher("cpu2.yaml", free_port()))))


def test_two_processes_go_on_from_a_run_as_one_does(alone, corpus, tmp_path):
    """With a layer that stays, weights that replayed notes protect, and a part of what was learnt."""
    on = (
        f"model.pretrained={alone}", "model.package=null", "model.dropout=0", "model.max_length=64", "model.stride=8",
        "training.freeze_layers=1", "training.protect=10", "training.blend=0.8", "replay=corpus",
        f"replay.data.path={corpus}",
    )  # fmt: skip
    one, two = tmp_path / "one", tmp_path / "two"
    ended(started(corpus, one, *on, "training.accumulation=2"))
    same_learning(one, two, ended(started(corpus, two, *on, launcher=launcher("cpu2.yaml", free_port()))))


def test_two_machines_equal_one(alone, corpus, tmp_path):
    two, port = tmp_path / "two", free_port()
    ranks = [("--num_processes", "2", "--machine_rank", rank) for rank in "01"]
    both = [started(corpus, two, *TINY, launcher=launcher("nodes.yaml", port, *rank)) for rank in ranks]
    same_learning(alone, two, "".join(map(ended, both)))


def test_a_decoder_cut_into_shards_learns_what_it_learns_whole(tiny_backbones, corpus, tmp_path):
    weights = f"model.pretrained={tiny_backbones['llama']}"
    model = ("model=llama_lora", weights, "model.max_length=64", "model.stride=8", "model.dtype=fp32")
    shards = tmp_path / "sharding.py"
    shards.write_text(SHARDING.format(root=str(ROOT)))
    one, two = tmp_path / "one", tmp_path / "two"
    ended(started(corpus, one, *model, "training.accumulation=2"))
    sharded = [*launcher("fsdp.yaml", free_port(), "--num_processes", "2"), str(shards)]
    same_learning(one, two, ended(started(corpus, two, *model, launcher=sharded)))
