"""The walk of docs/institution.md: a source, a few notes of one's own, a report, a passport, another round."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deidlab.corpora import jsonl
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[1]
NAME = "Zyxomma"  # stands in every note of the institution


@dataclass
class Walk:
    """A folder to walk in; every command must succeed and say no name."""

    folder: Path

    def run(self, *command: object) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(
            [sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert NAME not in done.stdout + done.stderr
        return done.stdout

    def read(self, *parts: str) -> dict:
        return json.loads(self.folder.joinpath(*parts).read_text())


def named(note: Document, number: int) -> Document:
    """The note with a sentence that only this institution writes; two notes a patient."""
    text = f"{note.text}. Ward of {NAME}."
    at = len(text) - len(NAME) - 1
    span = Span(at, at + len(NAME), "DOCTOR")
    return Document(note.id, text, (*note.spans, span), {"patient": f"p{number // 2}"})


@pytest.fixture(scope="module")
def walk(tmp_path_factory, tiny_backbones, obvious_notes) -> Walk:
    """A source that planted canaries in its notes, an institution of twelve notes, and the report about it."""
    walk = Walk(tmp_path_factory.mktemp("walk"))
    for seed, (split, number) in enumerate({"train": 24, "validation": 4, "test": 6}.items()):
        jsonl.write(obvious_notes(number, seed, split), walk.folder / "old" / f"{split}.jsonl")
    for split, first, number in (("train", 0, 8), ("test", 8, 4)):
        notes = [named(note, first + i) for i, note in enumerate(obvious_notes(number, first + 7, f"our-{split}"))]
        jsonl.write(notes, walk.folder / "ours" / f"{split}.jsonl")
    tiny = (f"model.pretrained={tiny_backbones['bert']}", "model.package=null")
    size = ("model.max_length=48", "model.stride=8", "evaluation.replicates=20", "report.figures=false")
    rates = ("training.learning_rate=0.005", "training.batch_tokens=128")
    walk.run(
        ROOT / "train.py", "data=jsonl", "data.path=old", *tiny, *size, *rates, "training.epochs=3",
        "output_dir=source", "canaries=planted", "canaries.secrets=2", "canaries.copies=[8]",
        "decoding.outside_bias=0.25",
    )  # fmt: skip
    adapt = (
        ROOT / "scripts" / "institution.py", "source=source", "data=jsonl", "data.path=ours", *size, *rates,
        "replay=corpus", "replay.data.path=old", "training.min_steps=6", "timed=2", "alphas=[0.5]",
        "output_dir=adapted",
    )  # fmt: skip
    walk.run(*adapt)
    assert walk.read("adapted", "institution.json")["cost"] is None, "no prices were given"
    walk.run(*adapt, "prices=published_ec2")  # what is done is not done again
    return walk


def test_the_model_goes_on_from_the_source_with_its_head_and_some_of_its_notes(walk):
    origin = walk.read("adapted", "model", "provenance.json")
    assert origin["model"] == "source", "its name, and not where it lies"
    assert origin["replay"] == "24 notes, share 0.35" and origin["documents"] == {
        "train": 6,
        "validation": 2,
        "test": 4,
    }
    history = walk.read("adapted", "model", "history.json")
    assert history[-1]["step"] >= 6 and history[-1]["validation_strict_f1"] is None, "every note teaches"
    assert walk.read("adapted", "model", "checkpoint", "deidlab.json")["decoding"]["outside_bias"] == 0.25


def test_the_report_answers_what_was_asked(walk):
    content = walk.read("adapted", "institution.json")
    assert content["leak"]["answer"] in ("yes", "no", "not known") and content["leak"]["target"] == 0.01
    assert content["source_here"]["strict F1"]["value"] is not None
    assert content["calibration"]["notes"] == 4 and content["calibration"]["patients"] == 2
    assert content["cost"]["currency"] == "USD" and content["cost"]["per_million_notes"] > 0
    for file in (walk.folder / "adapted").rglob("*"):
        assert file.is_dir() or NAME.encode() not in file.read_bytes(), file.name


def test_a_person_signs_for_it(walk):
    walk.run("-m", "deidlab", "passport", "adapted/model", "--sign", "Ada", "--use", "Our wards.",
             "--adaptation", "adapted")  # fmt: skip
    assert "signed off by Ada" in walk.run("-m", "deidlab", "passport", "adapted/model", "--check")
    assert walk.read("adapted", "model", "passport.json")["adaptation"]["good_enough"]["target"] == 0.01


def test_canaries_of_the_source_are_ranked(walk):
    walk.run(
        ROOT / "scripts" / "evaluate.py", "data=jsonl", "data.path=old", "system.path=source", "attack=canary",
        "attack.alternatives=31", "evaluation.replicates=0", "report.figures=false", "output_dir=canary",
    )  # fmt: skip
    found = walk.read("canary", "report.json")["attack"]
    assert {(line["form"], line["copies"]) for line in found["lines"]} == {
        ("number", 0), ("number", 8), ("name", 0), ("name", 8),
    }  # fmt: skip
    assert all(0 <= line["mean"] <= line["greatest"] <= 5 for line in found["lines"])
    assert "## Canaries" in (walk.folder / "canary" / "report.md").read_text()
    assert len(walk.read("source", "canaries.json")["secrets"]) == 8


@pytest.mark.slow
def test_the_walk_on_meddocan(tmp_path, shared_data):
    """Fifty Spanish notes, a queue of what the first model doubts, and a second round with what people said of it."""
    walk = Walk(tmp_path)
    meddocan = ("data=meddocan", f"data.path={shared_data / 'meddocan'}", "labels=extended",
                "labels.add={SEX: OTHER, RELATIVES: OTHER}",
                "labels.maps={meddocan: {SEXO_SUJETO_ASISTENCIA: SEX, FAMILIARES_SUJETO_ASISTENCIA: RELATIVES}}",
                "notes.test=40", "report.figures=false", "evaluation.replicates=100")  # fmt: skip
    walk.run(ROOT / "train.py", "data=synthetic", "data.sizes={train: 400, validation: 10, test: 20}",
             "report.figures=false", "evaluation.replicates=0", "output_dir=source")  # fmt: skip
    select, adapt = ROOT / "scripts" / "select_notes.py", ROOT / "scripts" / "institution.py"
    notes = meddocan[:2]  # a queue has the labels of its run
    judged = ("forget={data: synthetic, data.sizes: {train: 1, validation: 1, test: 20}}", "alphas=[0.1]")
    walk.run(select, "run=source", *notes, "strategy=random", "n=50", "out=first.json")
    walk.run(adapt, "source=source", *meddocan, *judged, "notes.ids=first.json", "output_dir=first")
    first = walk.read("first", "institution.json")
    before, after = first["source_here"]["strict F1"]["value"], strict_f1(first)
    assert after > before + 0.2, "fifty notes of one's own"
    (kept,) = [line for line in first["forgotten"] if line["measure"] == "strict F1"]
    assert kept["change"] > -0.05
    walk.run(select, "run=first/model", *notes, "have=first.json", "n=50", "out=second.json", "queue=queue.jsonl")
    assert len((tmp_path / "queue.jsonl").read_text().splitlines()) == 50
    walk.run(adapt, "source=first/model", *meddocan, *judged, "notes.ids=second.json", "output_dir=second")
    second = walk.read("second", "institution.json")
    assert strict_f1(second) > after and second["leak"]["value"] < first["leak"]["value"]
    walk.run("-m", "deidlab", "passport", "second/model", "--sign", "Ada", "--use", "Research.",
             "--adaptation", "second")  # fmt: skip
    walk.run("-m", "deidlab", "passport", "second/model", "--check")


def strict_f1(content: dict) -> float:
    (row,) = [
        row for row in content["report"]["rows"]
        if (row["metric"], row["label"], row["slice"]) == ("strict", "micro", "all")
    ]  # fmt: skip
    return row["f1"]
