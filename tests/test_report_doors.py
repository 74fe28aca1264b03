"""What a user gets from `scripts/evaluate.py` and `scripts/compare.py`: pages, comparisons, and errors to mend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deidlab.corpora import jsonl
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[1]
NAME = "Zyxomma"


def door(script, *overrides):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(ROOT / script), *overrides]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def predictions(file, notes, found):
    """Each note's prediction: the first `found` of its spans."""
    lines = [
        {
            "id": d.id,
            "fingerprint": d.fingerprint,
            "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in d.spans[:found]],
        }
        for d in notes
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Six notes, and two systems judged on them: one finds names, the other dates too."""
    folder = tmp_path_factory.mktemp("place")
    text = f"{NAME} was seen on 03/04/2012."
    notes = [
        Document(f"n{i}", text, (Span(0, 7, "PATIENT"), Span(20, 30, "DATE")), {"ward": "ab"[i % 2]}) for i in range(6)
    ]
    jsonl.write(notes, folder / "notes" / "test.jsonl")
    for name, found in (("names", 1), ("both", 2)):
        file = predictions(folder / f"{name}.jsonl", notes, found)
        more = ("report.show_text=true",) if name == "names" else ()
        done = evaluate(folder, file, name, "evaluation.replicates=50", "evaluation.slices=[ward]", *more)
        assert done.returncode == 0, done.stderr
    return folder


def evaluate(folder, file, name, *more):
    return door(
        "scripts/evaluate.py", "system=predictions", f"system.path={file}", "data=jsonl", f"data.path={folder}/notes",
        "data.split=all", f"output_dir={folder}/{name}", *more,
    )  # fmt: skip


def test_a_report_has_all_its_views_and_no_text(place):
    run = place / "both"
    assert {"report.json", "report.md", "report.html", "report.tex", "report.csv", "figures"} <= {
        f.name for f in run.iterdir()
    }
    assert {"types.svg", "slice-ward.svg"} <= {f.name for f in (run / "figures").iterdir()}
    for file in run.rglob("*"):
        assert file.is_dir() or NAME not in file.read_text("utf-8"), file.name


def test_text_is_shown_where_it_was_asked_for_and_the_report_says_so(place):
    run = place / "names"
    page = (run / "report.html").read_text("utf-8")
    assert f"{NAME} was seen on <mark>03/04/2012</mark>." in page
    assert json.loads((run / "provenance.json").read_text())["show_text"] is True
    assert "show_text" not in json.loads((place / "both" / "provenance.json").read_text())
    for file in run.rglob("*"):
        assert file.is_dir() or file.name == "report.html" or NAME not in file.read_text("utf-8"), file.name


def test_two_runs_side_by_side(place):
    done = door("scripts/compare.py", f"runs=[{place}/names,{place}/both]", f"output_dir={place}/compared")
    assert done.returncode == 0, done.stderr
    content = json.loads((place / "compared" / "comparison.json").read_text())
    (row,) = [
        r
        for r in content["rows"]
        if (r["measure"], r["label"], r["slice"]) == ("recall", "micro", "all") and r["metric"] == "strict"
    ]
    assert (content["systems"], row["values"], row["differences"]) == (["names", "both"], [0.5, 1.0], [None, 0.5])
    assert row["p_values"][1] < 0.1
    for file in (place / "compared").rglob("*"):
        assert file.is_dir() or NAME not in file.read_text("utf-8"), file.name


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("evaluation.slices=[hospital]",), "no document has hospital; there are length_bin, rare_name, ward"),
        (("evaluation.slices=[rare_name]",), "rare_name needs the names of a train split"),
        (("report.formats=[docx]",), "report.formats has docx; expected some of md, html, tex, csv"),
    ],
)
def test_mistakes_say_how_to_mend_them(place, tmp_path, overrides, message):
    done = evaluate(place, place / "both.jsonl", tmp_path / "run", *overrides)
    assert done.returncode == 2
    assert message in done.stderr and NAME not in done.stderr


def test_runs_on_other_text_are_not_compared(place, tmp_path):
    lines = [json.loads(line) for line in (place / "both" / "predictions.jsonl").read_text().splitlines()]
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text((place / "both" / "config.yaml").read_text())
    other = [{**line, "fingerprint": "0" * 16} for line in lines]
    (run / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in other))
    done = door("scripts/compare.py", f"runs=[{place}/names,{run}]", f"output_dir={tmp_path}/compared")
    assert done.returncode == 2
    assert "n0: the prediction was made for another text (fingerprint differs) (on_error=count" in done.stderr
