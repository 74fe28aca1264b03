"""Energy comes from counters that are there and readable, wraps round, and is said to be unreadable otherwise."""

import os
import time

import pytest

from deidlab.energy import EnergyMeter


def zone(powercap, name, energy, most=1_000_000):
    folder = powercap / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


@pytest.fixture
def no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_the_packages_are_added_up_and_their_parts_are_not(tmp_path, no_gpu):
    first, second = zone(tmp_path, "intel-rapl:0", 100), zone(tmp_path, "intel-rapl:1", 5_000)
    part = zone(tmp_path, "intel-rapl:0:0", 0)
    with EnergyMeter(tmp_path) as energy:
        first.write_text("2000100\n")
        second.write_text("505000\n")
        part.write_text("900000\n")
    assert energy.joules == pytest.approx(2.5) and energy.source == "RAPL"


def test_a_counter_that_began_anew_is_read_on(tmp_path, no_gpu):
    counter = zone(tmp_path, "intel-rapl:0", 900_000)
    with EnergyMeter(tmp_path) as energy:
        counter.write_text("400000\n")
    assert energy.joules == pytest.approx(0.5)


def test_what_cannot_be_read_is_not_zero(tmp_path, no_gpu):
    with EnergyMeter(tmp_path) as energy:
        pass
    assert energy.joules is None and energy.source == "not readable"
    counter = zone(tmp_path, "intel-rapl:0", 100)
    with EnergyMeter(tmp_path) as energy:
        counter.unlink()  # as if access went away meanwhile
    assert energy.joules is None


def test_the_power_of_a_gpu_is_summed_over_time(tmp_path, monkeypatch):
    told = tmp_path / "bin" / "nvidia-smi"
    told.parent.mkdir()
    told.write_text("#!/bin/sh\necho 100.0\necho 50.0\n")
    told.chmod(0o755)
    monkeypatch.setenv("PATH", f"{told.parent}{os.pathsep}{os.environ['PATH']}")
    began = time.perf_counter()
    with EnergyMeter(tmp_path / "none") as energy:
        time.sleep(0.2)
    assert energy.source == "nvidia-smi"
    assert 150 * 0.15 < energy.joules < 150 * (time.perf_counter() - began)
