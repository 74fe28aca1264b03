"""From a run to a guarantee and a queue, through the doors: train, calibrate, evaluate, select, de-identify."""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deidlab.corpora import jsonl
from deidlab.review.queue import Queue
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[1]


def call(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, cwd=ROOT
    )


def in_doubt(note: Document, number: int, split: str) -> Document:
    """The note of a patient who has two, ending on a word that is a name in one and none in the other: nothing tells
    them apart, so that no model can be sure."""
    text = note.text + " . Hope"
    name = (Span(len(text) - 4, len(text), "PATIENT"),) if number % 2 else ()
    return replace(note, text=text, spans=(*note.spans, *name), meta={"patient": f"{split}{number // 2}"})


@pytest.fixture(scope="module")
def place(tiny_backbones, obvious_notes, tmp_path_factory):
    """A calibrated run on notes of two a patient, its report, and where it learnt."""
    folder = tmp_path_factory.mktemp("calibrated")
    for split, seed, count in (("train", 0, 60), ("validation", 1, 40), ("test", 2, 24)):
        notes = [in_doubt(note, i, split) for i, note in enumerate(obvious_notes(count, seed, split))]
        (folder / "notes").mkdir(exist_ok=True)
        jsonl.write(notes, folder / "notes" / f"{split}.jsonl")
    done = call(
        "train.py", "data=jsonl", f"data.path={folder}/notes", "data.split_by=patient", "model=minilm",
        f"model.pretrained={tiny_backbones['bert']}", "model.package=null", "model.revision=null",
        "model.max_length=64",
        "model.stride=16", "model.dropout=0", "training.epochs=4", "training.learning_rate=5e-3",
        "training.batch_tokens=256", "training.device=cpu", "training.precision=fp32", "evaluation.replicates=0",
        "report.figures=false", f"output_dir={folder}/run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    done = call(
        "scripts/calibrate.py", f"run={folder}/run", "judge=test", "alphas=[0.1,0.01]", f"output_dir={folder}/cal"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_a_calibration_says_what_it_did_and_keeps_it(place):
    content = json.loads((place / "cal" / "calibration.json").read_text())
    assert content["notes"] == 40 and content["patients"] == 20 and content["chosen_on_these_notes"]
    assert {line["alpha"] for line in content["prices"] if "why" not in line} == {0.1}
    assert "reliability-spans.svg" in {f.name for f in (place / "cal" / "figures").iterdir()}
    settings = json.loads((place / "run" / "checkpoint" / "deidlab.json").read_text())["decoding"]
    assert settings["calibration"]["method"] == "temperature" and settings["curve"]["patients"] == 20
    everything = "".join(f.read_text("utf-8") for f in (place / "cal").rglob("*") if f.is_file())
    assert "Smith" not in everything and not re.search(r"\b2012\b", everything)


def test_an_evaluation_asks_for_a_risk_and_for_one_that_cannot_be_had(place):
    judge = ("scripts/evaluate.py", f"system.path={place}/run", "data=jsonl", f"data.path={place}/notes",
             "evaluation.replicates=0", "report.figures=false", "decoding=recall_target")  # fmt: skip
    done = call(*judge, "decoding.alpha=0.1", f"output_dir={place}/judged")
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads((place / "judged" / "report.json").read_text())["rows"]
    leak = next(
        r["value"] for r in rows if r["metric"] == "char_leak" and r["label"] == "micro" and r["slice"] == "all"
    )
    assert leak <= 0.1
    done = call(*judge, "decoding.alpha=0.005", f"output_dir={place}/refused")
    assert done.returncode == 2 and "199 patients" in done.stderr and "calibrated on 20" in done.stderr


def test_notes_that_trained_are_refused(place):
    done = call("scripts/calibrate.py", f"run={place}/run", "split=train", f"output_dir={place}/never")
    assert done.returncode == 2 and "was trained on these notes" in done.stderr


def test_a_job_sets_notes_aside_for_review_best_first_and_private(place):
    job = ("-m", "deidlab", "deidentify", place / "notes" / "test.jsonl", "-m", place / "run")
    done = call(*job, "-o", place / "out.jsonl", "--review", place / "queue.jsonl", "--recall-target", "0.1")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((place / "queue.jsonl").stat().st_mode) == 0o600
    queue = Queue(place / "queue.jsonl")
    values = [entry.value for entry in queue.entries]
    assert len(values) == 24 and values == sorted(values, reverse=True)  # every note has a doubt
    assert all(note.questions and note.document.meta["patient"] for note in queue)
    done = call(*job, "-o", place / "again.jsonl", "--review", place / "queue.jsonl", "--overwrite")
    assert done.returncode == 2 and "decisions may belong to it" in done.stderr
    done = call("-m", "deidlab", "deidentify", place / "notes" / "test.jsonl", "--rules-only", "-o", place / "r.jsonl",
                "--review", place / "q2.jsonl")  # fmt: skip
    assert done.returncode == 2 and "rules have none" in done.stderr


def test_sources_of_uncertainty_are_compared(place):
    done = call("scripts/uncertainty.py", f"run={place}/run", "passes=2", f"ensemble=[{place}/run]",
                "window={max_length: 20, stride: 4}", f"output_dir={place}/doubt")  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    content = json.loads((place / "doubt" / "uncertainty.json").read_text())
    assert len(content["sources"]) == 10 and content["calibrated"]
    assert {"risk-coverage.svg", "workload.svg"} == {f.name for f in (place / "doubt" / "figures").iterdir()}


def test_notes_are_chosen_and_train(place):
    done = call(
        "scripts/select_notes.py", f"run={place}/run", "n=10", f"out={place}/first.json", f"queue={place}/q.jsonl"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    done = call("scripts/select_notes.py", f"run={place}/run", "n=6", f"have={place}/first.json",
                f"out={place}/next.json", "strategy=diversity")  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    first, both = (json.loads((place / name).read_text())["ids"] for name in ("first.json", "next.json"))
    assert len(first) == 10 and both[:10] == first and len(set(both)) == 16
    assert {entry.id for entry in Queue(place / "q.jsonl").entries} == set(first)
