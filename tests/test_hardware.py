"""What a machine lacks is said with the setting that mends it: memory, precisions, a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from deidlab.hardware import check_compiler, enough_memory, pick_device, pick_precision
from deidlab.types import ConfigError

ROOT = Path(__file__).parents[1]
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")

# A limit on the address space comes after everything is loaded, so that it is training or scoring that meets it.
STARVED = """
import resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path[:0] = {paths!r}
from conftest import make_obvious_notes
from deidlab.decoding import Decoder
from deidlab.labels import LabelSet
from deidlab.checkpoints import Checkpoint
from deidlab.random_backbones import RandomBackbone
from deidlab.runs import mendable_errors
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.training import train
from deidlab.types import Losses

labels = LabelSet("tiny", ("PATIENT", "DOCTOR", "AGE", "DATE"), "BIO")
shape = {{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256}}
backbone = RandomBackbone("bert", 128, shape, stride=16)
checkpoint = Checkpoint(backbone.model("", labels, 0), backbone.encoder(""), Decoder(labels))
notes = make_obvious_notes(1500)
settings = {{"epochs": 1, "learning_rate": 1e-3, "device": "cpu", "precision": "fp32", "losses": Losses()}}
train(checkpoint, notes[:8], (), folder=Path(sys.argv[2]) / "warm" / "checkpoint", batch_tokens=512, **settings)
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 40_000_000, held + 40_000_000))
with mendable_errors():
    if sys.argv[1] == "training":
        train(checkpoint, notes, (), folder=Path(sys.argv[2]) / "run" / "checkpoint", batch_tokens=150_000, **settings)
    else:
        list(CheckpointSystem(checkpoint, batch_tokens=150_000).predict(notes))
"""


@pytest.mark.parametrize("what", ["training", "scoring"])
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_running_out_of_memory_names_the_settings_that_need_less(what, tmp_path):
    program = STARVED.format(paths=[str(ROOT / "src"), str(ROOT / "tests")])
    ended = subprocess.run(
        [sys.executable, "-c", program, what, str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    (message,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "out of memory: main memory is full" in message and "batch_tokens" in message and "max_length" in message
    assert "Traceback" not in ended.stderr and ("gradient_checkpointing=true" in message) == (what == "training")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0"), "the GPU is full .*2.50 GiB"),
        (MemoryError(), "main memory is full: lower x"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 40 bytes."), "40 bytes"),
        (RuntimeError("std::bad_alloc"), "main memory"),
    ],
)
def test_every_wording_of_no_memory_is_known(error, told):
    with pytest.raises(ConfigError, match=told), enough_memory("lower x"):
        raise error


def test_any_other_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match="shapes do not match"), enough_memory("lower x"):
        raise RuntimeError("shapes do not match")


@NO_GPU
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"device=cuda.*set device=auto or device=cpu"):
        pick_device("cuda")


@NO_GPU
def test_half_precision_without_a_gpu_is_refused():
    with pytest.raises(ConfigError, match=r"fp16 needs a GPU.*precision=auto"):
        pick_precision("fp16", torch.device("cpu"))


def test_compiling_without_a_compiler_is_refused_at_once(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match=r"compile=true needs a C\+\+ compiler, and no-such-compiler is not there"):
        check_compiler(torch.device("cpu"))


def test_a_device_or_precision_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match=r"device is 'cpuu'.*auto, cpu, cuda"):
        pick_device("cpuu")
    with pytest.raises(ConfigError, match="precision is 'int8'"):
        pick_precision("int8", torch.device("cpu"))
