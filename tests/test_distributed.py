"""Two processes under `accelerate launch` learn what one does with the same global batch, and write each file once."""

import json
import os
import socket
import subprocess
import sys
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


def launched(corpus: Path, folder: Path, processes: int) -> str:
    launcher = [] if processes == 1 else [
        "-m", "accelerate.commands.launch", "--config_file", str(ROOT / "conf" / "accelerate" / "cpu2.yaml"),
        "--main_process_port", str(free_port()),
    ]  # fmt: skip
    settings = [
        "data=jsonl", f"data.path={corpus}", "model=tiny", "model.max_length=64", "model.stride=8", "training.epochs=2",
        "training.batch_tokens=128", "training.learning_rate=1e-3", "training.device=cpu", "training.precision=fp32",
        f"training.accumulation={2 // processes}", f"output_dir={folder}", "report.figures=false",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *launcher, str(ROOT / "train.py"), *settings],
        env=environment, capture_output=True, text=True, timeout=1200, cwd=folder.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_two_processes_equal_one_with_the_same_global_batch(corpus, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    launched(corpus, one, 1)
    printed = launched(corpus, two, 2)
    assert printed.count("report.json, predictions.jsonl") == 1, "reported once"
    assert sorted(p.name for p in two.iterdir()) == sorted(p.name for p in one.iterdir()), "each file once"
    alone, together = (json.loads((folder / "history.json").read_text()) for folder in (one, two))
    assert [row["step"] for row in together] == [row["step"] for row in alone]
    for a, b in zip(alone, together, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-4)
        assert b["validation_leak"] == pytest.approx(a["validation_leak"], abs=0.02)
    first, second = (load_file(folder / "checkpoint" / "model.safetensors") for folder in (one, two))
    assert all(torch.allclose(value, second[name], atol=1e-4) for name, value in first.items())
