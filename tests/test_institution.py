"""The report of an adaptation: six answers from runs that stand by themselves, and what was not run is said."""

import json
from pathlib import Path

import pytest

from deidlab import institution
from deidlab.grids import CURVE, EVALUATE, TRAIN
from deidlab.institution import Adaptation
from deidlab.pricing import PriceSheet
from deidlab.types import ConfigError
from deidlab.views.markdown import render

OURS = ("experiment=institution", "data=brat", "data.path=notes", "notes.test=9", "data@replay.data=old")
SHEET = PriceSheet("EUR", {"machine": {"per_hour": 3.6, "source": "a list", "date": "2026-11"}})


def row(metric: str, where: str = "all", **values: float) -> dict:
    return {"metric": metric, "label": "micro", "slice": where, "support": 100, **values}


def report(folder: Path, f1: float, leak: tuple[float, float, float], *more: dict, patients: int = 99) -> None:
    folder.mkdir(parents=True)
    value, low, high = leak
    rows = [row(m, precision=f1, recall=f1, f1=f1) for m in ("strict", "binary_token")]
    rows += [row("char_leak", value=value, value_low=low, value_high=high), row("document_clean", value=0.5), *more]
    content = {"rows": rows, "provenance": {}, "intervals": {"clusters": patients}}
    (folder / "report.json").write_text(json.dumps(content))


def test_the_runs_are_the_model_its_source_the_folds_and_the_curve():
    plan = Adaptation("run", OURS, forget=("data=synthetic",), folds=2, curve=("sizes=[0,5]",)).cells(Path("o"))
    assert [(cell.name, cell.door) for cell in plan] == [
        ("the model", TRAIN), ("the model, timed", EVALUATE), ("the source here", EVALUATE),
        ("the source at home", EVALUATE), ("the model at the source's home", EVALUATE),
        ("fold 1", TRAIN), ("fold 2", TRAIN), ("learning curve", CURVE),
    ]  # fmt: skip
    by = {cell.name: cell.overrides for cell in plan}
    assert by["the model"] == (*OURS, "model.pretrained=run")
    assert by["fold 2"][-1] == "data.fold={of:2,test:1}"
    assert by["the source here"] == (
        "system=checkpoint", "system.path=run", "data=brat", "data.path=notes", "notes.test=9",
    )  # fmt: skip
    assert by["the model at the source's home"] == ("system=checkpoint", "system.path=o/model", "data=synthetic")
    assert len(Adaptation(None, OURS).cells(Path("o"))) == 2, "a backbone has no home to forget"


@pytest.mark.parametrize(
    ("leak", "answer"), [((0.005, 0.001, 0.009), "yes"), ((0.03, 0.02, 0.04), "no"), ((0.01, 0.005, 0.02), "not known")]
)
def test_good_enough_is_what_the_whole_interval_says(tmp_path, leak, answer):
    report(tmp_path / "model", 0.9, leak)
    content = institution.collect(tmp_path, 0.01, None)
    assert content["leak"]["answer"] == answer
    page = render("t", institution.sections(content))
    for title in (
        "Is it good enough?",
        "How many more notes",
        "What did it forget?",
        "At which threshold",
        "What will it cost?",
    ):
        assert title in page
    assert "Not judged" in page and "Not calibrated" in page and "Not timed" in page


def test_few_patients_who_leak_nothing_are_no_yes(tmp_path):
    report(tmp_path / "model", 0.9, (0.0, 0.0, 0.0), patients=98)
    content = institution.collect(tmp_path, 0.01, None)
    assert content["leak"]["answer"] == "not known"
    page = render("t", institution.sections(content))
    assert "98 patients are too few for a target of 0.01, which takes 99 or more" in page
    assert institution.collect(tmp_path, 0.02, None)["leak"]["answer"] == "yes"


def test_every_answer_is_in_the_report(tmp_path):
    report(tmp_path / "model", 0.9, (0.005, 0.001, 0.009), row("char_leak", "ward=icu", value=0.07))
    report(tmp_path / "source-here", 0.4, (0.3, 0.2, 0.4))
    report(tmp_path / "source-on-source", 0.97, (0.01, 0.0, 0.02))
    report(tmp_path / "model-on-source", 0.95, (0.02, 0.0, 0.03))
    (tmp_path / "timed").mkdir()
    speed = {"notes": 10, "words": 1000, "seconds": 10, "words_per_second": 100, "notes_per_second": 1.0, "usage": None}
    (tmp_path / "timed" / "speed.json").write_text(json.dumps(speed))
    (tmp_path / "calibration").mkdir()
    lines = [
        {"risk": "missed_characters", "alpha": 0.05, "confidence": None, "threshold": 0.2, "precision": 0.8,
         "review_minutes_per_1000_notes": 30.2},
        {"risk": "missed_characters", "alpha": 0.001, "confidence": 0.95, "why": "too few patients"},
    ]  # fmt: skip
    (tmp_path / "calibration" / "calibration.json").write_text(
        json.dumps({"notes": 20, "patients": 9, "prices": lines})
    )
    content = institution.collect(tmp_path, 0.01, SHEET)
    (f1,) = [line for line in content["forgotten"] if line["measure"] == "strict F1"]
    assert (f1["before"], f1["after"], round(f1["change"], 4)) == (0.97, 0.95, -0.02)
    assert content["cost"]["per_million_notes"] == 1000.0, "a second a note, at a thousandth a second"
    page = render("t", institution.sections(content))
    for said in (
        "| ward=icu | 0.0700 | 100 |", "| strict F1 | 0.9700 | 0.9500 | -0.0200 |", "1,000.00 EUR (a list, 2026-11)",
        "| missed characters at most 0.05 | on average | 0.2 | 0.8000 | 30 |", "20 notes of 9 patients", "0.4000",
    ):  # fmt: skip
        assert said in page, said


def test_folds_are_judged_as_one_where_there_are_some(tmp_path):
    report(tmp_path / "model", 0.9, (0.1, 0.1, 0.1))
    report(tmp_path / "folds", 0.8, (0.2, 0.2, 0.2))
    content = institution.collect(tmp_path, 0.01, None)
    assert content["leak"]["value"] == 0.2 and content["judged_on"] == "every note, held out in its fold"
    for number in (1, 2):
        (tmp_path / f"fold-{number}").mkdir()
        (tmp_path / f"fold-{number}" / "predictions.jsonl").write_text(f"{number}\n")
    institution.join_folds(tmp_path, 2)
    assert (tmp_path / "folds.jsonl").read_text() == "1\n2\n"


def test_folds_hold_out_nothing_from_a_source_that_learnt_from_these_notes(tmp_path):
    for name, fingerprint in (("source", "abc"), ("model", "abc"), ("other", "xyz")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "provenance.json").write_text(json.dumps({"data_fingerprint": fingerprint}))
    institution.check_folds(tmp_path / "other", tmp_path / "model")
    institution.check_folds(tmp_path / "nothing", tmp_path / "model")
    with pytest.raises(ConfigError, match="has learnt from these very notes"):
        institution.check_folds(tmp_path / "source", tmp_path / "model")


def test_of_folds_every_note_is_judged_and_what_reads_them_waits_for_them():
    plan = Adaptation("run", OURS, folds=2)
    by = {cell.name: cell for cell in plan.cells(Path("o"))}
    assert by["fold 1"].overrides[-2:] == ("notes.test=null", "data.fold={of:2,test:0}")
    assert "notes.test=null" in plan.pooled(Path("o")).overrides
    assert plan.pooled(Path("o")).needs == (Path("o/fold-1"), Path("o/fold-2"))
    assert by["the model, timed"].needs == plan.threshold(Path("o")).needs == (Path("o/model"),)
