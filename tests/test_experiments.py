"""Tables are made from results: editing one by hand fails here."""

import json
from pathlib import Path

import pytest

from deidlab.experiments import gap_lines, interval_lines, record, render, renew
from deidlab.types import ConfigError

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted(ROOT.glob("experiments/*/README.md"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_table_is_what_its_results_say(file):
    assert file.read_text(encoding="utf-8") == render(file), "edited by hand? run python scripts/tables.py"


def test_a_recorded_run_becomes_a_row(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    strict = {
        "metric": "strict",
        "label": "micro",
        "slice": "all",
        "precision": 0.5,
        "recall": None,
        "f1": 0.25,
        "support": 4,
    }
    leak = {"metric": "char_leak", "label": "micro", "slice": "all", "value": 0.125, "support": 40}
    sliced = {**strict, "slice": "culture=us"}
    (run / "report.json").write_text(json.dumps({"rows": [strict, leak, sliced], "provenance": {"seed": 1}}))
    (run / "timings.json").write_text(json.dumps({"training_seconds": 90}))
    record(tmp_path / "results.json", "ours", run, "python train.py")
    kept = json.loads((tmp_path / "results.json").read_text())["runs"]["ours"]
    assert kept["rows"] == [strict, leak] and kept["command"] == "python train.py"
    page = tmp_path / "README.md"
    page.write_text("# x\n<!-- table results.json: strict char_leak -->\nstale\n<!-- end -->\nafter\n")
    lines = render(page).splitlines()
    assert lines[2].startswith("| run | strict P | R | F1 | char_leak | training |")
    assert lines[4].startswith("| ours | 0.5000 | - | 0.2500 | 0.1250 | 1.5 min |")
    assert lines[-1] == "after" and "stale" not in lines


def test_a_run_that_did_not_end_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no report\.json"):
        record(tmp_path / "results.json", "x", tmp_path, "c")


def test_gaps_between_groups_become_a_table():
    gap = {"attribute": "culture", "types": "names", "metric": "strict", "reference": "us"}
    us = {**gap, "group": "us", "recall": 0.75, "difference": None, "relative": None, "p_value": None}
    hindi = {**gap, "group": "hindi", "recall": 0.5, "difference": -0.25, "relative": -1 / 3, "p_value": 0.001}
    assert gap_lines({"ours": {"fairness": [us, hindi]}}, "culture", "names") == [
        "| culture | ours: recall | from us | relative | p |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| us | 0.7500 | - | - | - |",
        "| hindi | 0.5000 | -0.2500 | -33.3% | 0.001 |",
    ]
    other = {**hindi, "group": "polish"}
    with pytest.raises(ConfigError, match="more hold other groups of culture than the first"):
        gap_lines({"ours": {"fairness": [us, hindi]}, "more": {"fairness": [us, other]}}, "culture", "names")
    with pytest.raises(ConfigError, match="ours hold no gaps by gender over names"):
        gap_lines({"ours": {"fairness": [us]}}, "gender", "names")


def test_a_picture_is_drawn_from_the_results_beside_it(tmp_path):
    gap = {"attribute": "gender", "types": "names", "metric": "strict", "reference": "male"}
    lines = [
        {**gap, "group": group, "recall": 0.5, "recall_low": 0.25, "recall_high": 0.75} for group in ("male", "zyx")
    ]
    (tmp_path / "results.json").write_text(json.dumps({"runs": {"ours": {"fairness": lines}}}))
    (tmp_path / "README.md").write_text("![By gender](gaps-gender-names.svg)")
    assert not renew(tmp_path / "README.md")
    assert not renew(tmp_path / "new" / "README.md")  # figures may go to a folder that says nothing of them
    drawn = (tmp_path / "gaps-gender-names.svg").read_text("utf-8")
    assert drawn.startswith("<svg") and "zyx" in drawn and "strict recall of names" in drawn


def test_intervals_stand_beside_the_change_from_the_first_run():
    def run(f1: float) -> dict:
        row = {"metric": "strict", "label": "micro", "precision": 1, "recall": 1, "f1": f1}
        return {"rows": [{**row, "f1_low": f1 - 0.1, "f1_high": f1 + 0.1}], "hardware": "abacus"}

    lines = interval_lines({"all": run(0.8), "less": run(0.65)}, ["strict"])
    assert lines[0] == "| run | strict | change | hardware |"
    assert lines[2] == "| all | 0.8000 (0.7000 to 0.9000) |  | abacus |"
    assert lines[3] == "| less | 0.6500 (0.5500 to 0.7500) | -0.1500 | abacus |"


def test_a_table_whose_results_are_to_come_says_so(tmp_path):
    page = tmp_path / "README.md"
    for what in ("curve local", "strict char_leak", "intervals strict"):
        page.write_text(f"<!-- table results.json: {what} -->\n<!-- end -->\n")
        (tmp_path / "results.json").unlink(missing_ok=True)
        assert "Not measured yet." in render(page)
        (tmp_path / "results.json").write_text('{"schema": 1, "runs": {}}')
        assert "Not measured yet." in render(page)


def test_learning_curves_stand_side_by_side(tmp_path):
    def curve(values, on):
        means = [{"notes": n, "on": on, "measure": m, "value": v, "low": v, "high": v + 0.1}
                 for n, v in values.items() for m in ("strict F1", "character leak")]  # fmt: skip
        return {"command": "c", "hardware": "h", "curve": {"means": means}}

    runs = {
        "ours": curve({0: 0.2, 10: 0.5}, "local"),
        "none": curve({10: 0.1}, "local"),
        "home": curve({0: 1}, "source"),
    }
    (tmp_path / "results.json").write_text(json.dumps({"schema": 1, "runs": runs}))
    page = tmp_path / "README.md"
    page.write_text("<!-- table results.json: curve local -->\n<!-- end -->\n")
    told = render(page)
    assert "| 10 | 0.5000 (0.5000 to 0.6000) |" in told and told.count("\n| ") >= 3
    assert "none: strict F1" in told and "home" not in told
