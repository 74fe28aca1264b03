"""How fast a system is and what it takes: words and notes per second, latency, memory, energy, what an API counts."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.energy import EnergyMeter
from deidlab.evaluation import System
from deidlab.systems.metering import Usage
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import Document

STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class SystemSpeed:
    """What it took to predict some notes, as the system batches them, and one after the other (`latency_*`, seconds).

    Memory is that of the whole process: the interpreter, libraries, the notes and the system. `usage` is what a metered
    service counted, None for a system that runs here.
    """

    notes: int
    words: int
    characters: int
    seconds: float
    words_per_second: float
    notes_per_second: float
    latency_notes: int
    latency_p50: float | None
    latency_p95: float | None
    peak_memory_bytes: int
    peak_gpu_bytes: int | None
    joules: float | None
    energy_source: str
    usage: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measurable(system: System) -> bool:
    """Whether time says anything: answers made elsewhere do not tell what they took."""
    return not isinstance(system, PredictionsSystem)


def measure(system: System, documents: Sequence[Document], one_by_one: int = 50) -> SystemSpeed:
    """Predict the first `one_by_one` notes one at a time, then all of them as the system likes; time both.

    The first pass also warms up what the second is timed on. The system counts what it loses while it is measured as
    ever. Documents must not be empty.
    """
    latencies = [timed(system, [document])[0] for document in documents[:one_by_one]]
    before = usage_of(system)
    with EnergyMeter() as energy:
        seconds, predicted = timed(system, documents)
    assert predicted == len(documents), "a system answers every note it is asked"
    words = sum(len(document.text.split()) for document in documents)
    median, tail = np.percentile(latencies, (50, 95)).tolist() if latencies else (None, None)
    return SystemSpeed(
        notes=len(documents),
        words=words,
        characters=sum(len(document.text) for document in documents),
        seconds=seconds,
        words_per_second=words / seconds,
        notes_per_second=len(documents) / seconds,
        latency_notes=len(latencies),
        latency_p50=median,
        latency_p95=tail,
        peak_memory_bytes=peak_memory(),
        peak_gpu_bytes=peak_gpu(),
        joules=energy.joules,
        energy_source=energy.source,
        usage=None if (after := usage_of(system)) is None else after.since(before).to_dict(),
    )


def usage_of(system: System) -> Usage | None:
    """What a metered system has taken until now."""
    usage = getattr(system, "usage", None)
    return None if usage is None else usage.copy()


def timed(system: System, documents: Sequence[Document]) -> tuple[float, int]:
    """Seconds to predict all documents, and how many predictions came."""
    began = time.perf_counter()
    predicted = sum(1 for _ in system.predict(documents))
    return time.perf_counter() - began, predicted


def peak_memory() -> int:
    """Bytes of main memory that this process held at most.

    The kernel's high-water mark where it can be read: `getrusage` also counts what the process was started from.
    """
    if STATUS.is_file():
        for line in STATUS.read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def peak_gpu() -> int | None:
    """Bytes of GPU memory that PyTorch held at most; None where it does not compute on a GPU."""
    torch = sys.modules.get("torch")  # importing it here would be counted as the memory of a system without it
    return torch.cuda.max_memory_allocated() if torch is not None and torch.cuda.is_initialized() else None
