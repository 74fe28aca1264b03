"""How much energy this machine used over a stretch of time, where its counters can be read."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
PERIOD = 0.5  # seconds between two looks at a GPU's power


@dataclass
class EnergyMeter:
    """Measures between entering and leaving; `joules` is None where nothing can be read, and `source` says why.

    Processors: the counters of Intel's and AMD's RAPL, packages only. GPUs: the power that `nvidia-smi` tells, twice a
    second. Both count the whole machine, whoever else works on it.
    """

    powercap: Path = POWERCAP
    joules: float | None = None
    source: str = "not readable"
    _began: dict[Path, int] = field(default_factory=dict)
    _watch: PowerWatch | None = None

    def __enter__(self) -> EnergyMeter:
        self._began = {counter: value for counter in packages(self.powercap) if (value := read(counter)) is not None}
        if shutil.which("nvidia-smi") and gpu_power() is not None:
            self._watch = PowerWatch()
            self._watch.start()
        return self

    def __exit__(self, *raised: Any) -> None:
        parts: dict[str, float] = {}
        used = [joules_since(counter, before) for counter, before in self._began.items()]
        if used and None not in used:
            parts["RAPL"] = sum(filter(None, used))
        if self._watch is not None:
            parts["nvidia-smi"] = self._watch.stop()
        if parts:
            self.joules, self.source = sum(parts.values()), " and ".join(parts)


def packages(powercap: Path) -> list[Path]:
    """The energy counters of whole processors: zones `intel-rapl:N`, whose parts are counted in them."""
    return sorted(zone / "energy_uj" for zone in powercap.glob("intel-rapl:*") if zone.name.count(":") == 1)


def read(file: Path) -> int | None:
    """The number in a file; None when only the administrator may read it, or when it is not there."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def joules_since(counter: Path, before: int) -> float | None:
    """Joules since the counter stood at `before` microjoules; it starts again from 0 at its range."""
    now = read(counter)
    if now is None:
        return None
    if now < before:
        now += read(counter.with_name("max_energy_range_uj")) or 0
    return max(now - before, 0) / 1e6


def gpu_power() -> float | None:
    """Watts that all GPUs draw now; None when they do not tell."""
    command = ["nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        return sum(float(line) for line in told.splitlines() if line.strip())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


class PowerWatch(threading.Thread):
    """Adds up power over time until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.joules = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        then, power = time.perf_counter(), gpu_power() or 0.0
        while not self._ended.wait(PERIOD):
            then, power = self._add(then, power)
        self._add(then, power)

    def _add(self, then: float, power: float) -> tuple[float, float]:
        now, present = time.perf_counter(), gpu_power()
        present = power if present is None else present
        self.joules += (now - then) * (power + present) / 2
        return now, present

    def stop(self) -> float:
        """Joules since the start."""
        self._ended.set()
        self.join()
        return self.joules
