"""Systems side by side: entries, prices before runs, and the page that their results make."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deidlab import standings
from deidlab.corpora import jsonl
from deidlab.pricing import PriceSheet
from deidlab.types import ConfigError, Document, Span
from deidlab.views.elements import Section
from deidlab.views.markdown import render

ROOT = Path(__file__).parents[1]
SHEET = PriceSheet("USD", {"machine": {"per_hour": 1.8, "source": "a list", "date": "2026-01"}})
SPANS = (Span(0, 3, "PATIENT"), Span(12, 20, "DATE"))
SYSTEMS = {"slow one": {"system": "checkpoint", "system.path": "a"}, "files": {"system": "predictions"}}


def test_entries_are_checked_with_an_example_to_follow():
    assert standings.entries(SYSTEMS) == SYSTEMS
    for wrong in (None, [], {}, "rules"):
        with pytest.raises(ConfigError, match=r"systems=\{rules: \{system: rules\}"):
            standings.entries(wrong)
    with pytest.raises(ConfigError, match=r"systems\.mine needs the system it is"):
        standings.entries({"mine": {"system.path": "x"}})
    with pytest.raises(ConfigError, match="differ in more than punctuation"):
        standings.entries({"a b": {"system": "rules"}, "a-b": {"system": "rules"}})


def test_a_cell_is_an_evaluation_with_the_entrys_settings_and_without_its_price():
    (cell,) = standings.cells({"x": {"system": "rules", "price": "cheap"}}, Path("o"), ("data=meddocan",), 20, 5)
    assert cell.door == "scripts/evaluate.py" and cell.folder == Path("o/x")
    assert cell.overrides == ("data=meddocan", "speed.notes=20", "speed.one_by_one=5", "system=rules")


def test_prices_are_missed_before_anything_runs():
    assert standings.prices_of(SYSTEMS, None) == {}
    assert standings.prices_of(SYSTEMS, SHEET)["slow one"].name == "machine"
    with pytest.raises(ConfigError, match="has no gold"):
        standings.prices_of({"x": {"system": "rules", "price": "gold"}}, SHEET)


@pytest.fixture
def ran(tmp_path):
    def row(metric, **values):
        return {"metric": metric, "label": "micro", "slice": "all", "support": 9, **values}

    rows = [
        row("strict", precision=0.9, recall=0.8, f1=0.85, recall_low=0.7, recall_high=0.9),
        row("binary_token", precision=0.9, recall=0.95, f1=0.92),
        row("char_leak", value=0.03),
    ]
    for name in ("slow-one", "files"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps({"rows": rows}))
    speed = {"notes": 10, "words": 2000, "seconds": 20.0, "words_per_second": 100.0, "notes_per_second": 0.5,
             "latency_notes": 5, "latency_p50": 0.25, "latency_p95": 0.5, "peak_memory_bytes": 2**20 * 300,
             "peak_gpu_bytes": None, "joules": None, "energy_source": "not readable", "usage": None,
             "hardware": "a box"}  # fmt: skip
    (tmp_path / "slow-one" / "speed.json").write_text(json.dumps(speed))
    return tmp_path


def test_the_page_says_quality_speed_and_cost(ran):
    content = standings.collect(SYSTEMS, ran, standings.prices_of(SYSTEMS, SHEET), SHEET)
    page = render("t", standings.sections(content))
    assert "| slow one | 0.9000 | 0.8000 (0.7000 to 0.9000) | 0.8500 | 0.9500 | 0.0300 |" in page
    assert "| slow one | 100 | 0.50 | 250.0 | 500.0 | 300 | not readable |" in page
    # 2 s a note at 0.0005 USD a second
    assert "| slow one | 1,000.00 USD | 200 | machine: per hour 1.8 | a list, 2026-01 |" in page
    assert "10 notes of 200 words" in page and "On a box." in page
    assert page.count("| files |") == 1  # answers made elsewhere have a quality, and no speed
    table = render("t", [Section("", "", standings.summary(content["systems"]))])
    row = "| 0.9000 | 0.8000 | 0.8500 | 0.9500 | 0.0300 |"
    assert f"| slow one {row} 100 | 0.50 | 250.0 | 500.0 | 300 | 1,000.00 USD |" in table
    assert f"| files {row} - | - | - | - | - | - |" in table
    (drawn,) = standings.figures(content).values()
    assert "slow one" in drawn and "files" not in drawn


@pytest.fixture
def stub_llm():
    """The address of the stub of a chat endpoint that the tree comes with."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "scripts" / "stub_llm.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def test_the_door_measures_each_system_in_a_process_of_its_own(tmp_path, stub_llm):
    notes = [
        Document(f"n{i}", "Ann came on 3/4/2012.", (Span(0, 3, "PATIENT"), Span(12, 20, "DATE"))) for i in range(5)
    ]
    jsonl.write(notes, tmp_path / "notes" / "test.jsonl")
    lines = [{"id": d.id, "spans": [{"start": 0, "end": 3, "label": "PATIENT"}]} for d in notes]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def door(*more):
        llm = f"{{system: llm, system.base_url: '{stub_llm}', system.model: stub, system.send_phi: true}}"
        files = f"{{system: predictions, system.path: {tmp_path}/p.jsonl}}"
        systems = f"systems={{files: {files}, rules: {{system: rules}}, stub LLM: {llm}}}"
        command = [
            sys.executable, str(ROOT / "scripts" / "benchmark.py"), "systems", systems, "data=jsonl",
            f"data.path={tmp_path}/notes", "data.split=all", "labels=i2b2_2014", "evaluation.replicates=0",
            "report.figures=false", "speed.notes=4", "notes.test=5", f"output_dir={tmp_path}/out",
            *more,
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)

    refused = door("prices=example")
    assert refused.returncode == 2
    assert "prices.prices.machine.per_hour is not filled in" in refused.stderr
    assert not (tmp_path / "out").exists()
    done = door("prices=published_ec2")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "systems.json").read_text())["systems"]
    files, rules, llm = told["files"], told["rules"], told["stub LLM"]
    assert files["quality"]["strict.recall"]["value"] == 0.5 and "speed" not in files
    assert rules["quality"]["strict.recall"] == llm["quality"]["strict.recall"] and rules["cost"]["currency"] == "USD"
    assert rules["speed"]["usage"] is None and llm["speed"]["usage"]["requests"] == 4
    assert llm["speed"]["usage"]["unmetered"] == 0 and llm["speed"]["usage"]["input_tokens"] > 0
    assert (tmp_path / "out" / "systems.md").is_file()
    (answered,) = (tmp_path / "out").glob("rules*/predictions.jsonl")
    assert len(answered.read_text().splitlines()) == 5, "notes that were timed are judged once"
    unpriced = door()  # what is measured is not measured again
    assert unpriced.returncode == 0, unpriced.stderr
    assert "cost" not in json.loads((tmp_path / "out" / "systems.json").read_text())["systems"]["rules"]
