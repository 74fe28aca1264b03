"""What a user gets from `scripts/evaluate.py attack=...`: tables beside the others, no note text, errors to mend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deidlab.corpora import jsonl
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[2]
NAMES = ("Zyxomma", "Quaxolotl")
TEXT = "{} was seen on 03/04/2012. Phone 617-555-0199."


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Twelve notes, and a defender who finds all but every other name."""
    folder = tmp_path_factory.mktemp("place")
    notes, lines = [], []
    for i in range(12):
        text = TEXT.format(name := NAMES[i % 2])
        at = len(name)
        spans = (
            Span(0, at, "PATIENT"),
            Span(at + 13, at + 23, "DATE"),
            Span(len(text) - 13, len(text) - 1, "PHONE"),
        )
        notes.append(Document(f"n{i}", text, spans))
        found = [{"start": s.start, "end": s.end, "label": s.label} for s in spans[i % 2 :]]
        lines.append(json.dumps({"id": f"n{i}", "fingerprint": notes[-1].fingerprint, "spans": found}) + "\n")
    jsonl.write(notes, folder / "notes" / "test.jsonl")
    (folder / "predictions.jsonl").write_text("".join(lines))
    return folder


def evaluate(place, name, *overrides):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    settings = ("data=jsonl", f"data.path={place}/notes", "data.split=all", f"output_dir={place}/{name}")
    command = [sys.executable, str(ROOT / "scripts" / "evaluate.py"), *settings, "report.figures=false", *overrides]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def check_no_text(done, run):
    leaked = [name for name in NAMES if name in done.stdout + done.stderr]
    for file in run.rglob("*"):
        leaked += [file.name for name in NAMES if file.is_file() and name.encode() in file.read_bytes()]
    assert not leaked
    assert not (run / "cache").exists()


def test_a_parrot_attack_stands_in_the_report_and_leaves_nothing_behind(place):
    done = evaluate(
        place, "parrot", "system=predictions", f"system.path={place}/predictions.jsonl", "attack=parrot",
        "model@attack.backbone=tiny", "attack.training.max_steps=2", "evaluation.replicates=20",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((place / "parrot" / "report.json").read_text())
    found = report["attack"]
    assert (found["kind"], found["annotated_notes"], found["attacked_notes"], found["identifiers"]) == (
        "parrot", 6, 6, 18,
    )  # fmt: skip
    assert 1 <= found["leaked"] <= 5 and found["leaked_in_part"] == found["masked"] == 0
    assert {"strict", "parrot", "parrot_in_part"} <= {row["metric"] for row in report["rows"]}
    assert "## Parrot attack" in (place / "parrot" / "report.md").read_text()
    check_no_text(done, place / "parrot")


def test_surrogate_stability_of_rules(place):
    done = evaluate(place, "stable", "system=rules", "attack=resynthesis", "attack.repeats=3", "attack.notes=5")
    assert done.returncode == 0, done.stderr
    found = json.loads((place / "stable" / "report.json").read_text())["attack"]
    assert (found["kind"], found["notes"], found["repeats"]) == ("resynthesis", 5, 3)
    (recall,) = [m for m in found["measures"] if m["measure"] == "recall"]
    assert recall["mean"] >= 0.5  # dates and telephone numbers have a form, whatever the surrogate
    assert "## Surrogate stability" in (place / "stable" / "report.md").read_text()
    check_no_text(done, place / "stable")


def test_predictions_cannot_be_asked_about_other_texts(place):
    done = evaluate(
        place, "none", "system=predictions", f"system.path={place}/predictions.jsonl", "attack=resynthesis",
    )  # fmt: skip
    assert done.returncode == 2 and "error: attack=resynthesis asks the system about new texts" in done.stderr
