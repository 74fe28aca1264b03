"""Grids of runs: which overrides go where, what is skipped, and what the results become."""

import json

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from deidlab import learning_curve, transfer
from deidlab.grids import Cell, check_plan, judging_only, of_experiment, passed_on, root, run_cells, written
from deidlab.types import ConfigError, DeidlabError
from deidlab.views.markdown import render

OVERRIDES = [
    "corpora=[a,b]",
    "model=tiny",
    "+data.keep.institution=[x]",
    "evaluation.replicates=9",
    "output_dir=o",
    "seed=1",
]


def test_a_grid_keeps_its_own_settings_and_hands_on_the_rest():
    assert passed_on(OVERRIDES, ("corpora",)) == (
        "model=tiny",
        "+data.keep.institution=[x]",
        "evaluation.replicates=9",
        "seed=1",
    )


def test_an_evaluation_gets_what_it_understands():
    assert judging_only(OVERRIDES) == ("+data.keep.institution=[x]", "evaluation.replicates=9", "seed=1")
    assert judging_only(OVERRIDES, without=("data",)) == ("evaluation.replicates=9", "seed=1")


@pytest.mark.parametrize("override", ["+data.x=1", "data/reader=y", "data@a.b=c", "~data", "data=z"])
def test_the_group_of_an_override(override):
    assert root(override) == "data"


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "a b",
        "it's",
        "a,b=[c]",
        "back\\slash",
        "ends in one\\",
        "a\\'b",
        "a\\\\'b",
        "año",
        "null",
        "001",
        "/x/y.z",
        ["a", "b c"],
        {"k": [1, "x"]},
        1.5,
        None,
        True,
    ],
)
def test_a_written_value_comes_back_from_hydra(value):
    (override,) = OverridesParser.create().parse_overrides([f"key={written(value)}"])
    assert override.value() == value


def report(folder, f1, leak=0.5):
    """A finished cell: recall and token recall are f1 too."""
    folder.mkdir(parents=True)
    rows = [
        {"metric": m, "label": "micro", "slice": "all", "precision": f1, "recall": f1, "f1": f1, "f1_low": f1 / 2}
        for m in ("strict", "binary_token")
    ]
    rows.append({"metric": "char_leak", "label": "micro", "slice": "all", "value": leak})
    (folder / "report.json").write_text(json.dumps({"rows": rows}))


def cell(folder, name="one", overrides=()):
    return Cell(name, "door.py", tuple(overrides), folder / "cells" / name)


DOOR = """
import json, pathlib, sys
settings = dict(one.split("=", 1) for one in sys.argv[1:])
folder = pathlib.Path(settings["output_dir"].strip("'"))
folder.mkdir(parents=True, exist_ok=True)
(folder / "config.yaml").write_text("x")
if settings.get("fail"):
    sys.exit(3)
(folder / "report.json").write_text(json.dumps(settings))
"""


def test_what_is_done_is_not_done_twice_and_what_was_ended_begins_anew(tmp_path):
    (tmp_path / "door.py").write_text(DOOR)
    folder = tmp_path / "grid"
    cells = [cell(folder, "a"), cell(folder, "b")]
    assert run_cells(cells, folder, tmp_path) == 2
    (cells[1].folder / "report.json").unlink()
    assert run_cells(cells, folder, tmp_path) == 1
    assert json.loads((cells[1].folder / "report.json").read_text())["overwrite"] == "true"


def test_what_reads_a_run_is_stale_when_that_run_is_done_anew(tmp_path):
    (tmp_path / "door.py").write_text(DOOR)
    folder = tmp_path / "grid"
    first = cell(folder, "a")
    cells = [first, Cell("b", "door.py", (), folder / "cells" / "b", needs=(first.folder,))]
    assert run_cells(cells, folder, tmp_path) == 2 and run_cells(cells, folder, tmp_path) == 0
    (first.folder / "report.json").unlink()
    assert not cells[1].done
    assert run_cells(cells, folder, tmp_path) == 2
    (first.folder / "report.json").rename(first.folder / "curve.json")  # a run of another door has another result
    assert cells[1].done


def test_an_evaluation_hears_what_an_experiment_says_of_the_notes(tmp_path):
    (tmp_path / "mine.yaml").write_text("data: {splits: {test: x}}\ntraining: {epochs: 3}\nlabels: {scheme: BIOES}\n")
    choices = {"experiment": "mine", "data": "brat", "labels": "meddocan"}
    told = of_experiment(tmp_path, choices)
    assert told == ("data=brat", "labels=meddocan", "data.splits.test=x", "labels.scheme=BIOES")
    assert judging_only(told) == told
    assert of_experiment(tmp_path, {**choices, "experiment": None}) == ()


def test_a_run_that_fails_ends_the_grid_with_its_command(tmp_path):
    (tmp_path / "door.py").write_text(DOOR)
    with pytest.raises(DeidlabError, match=r"one failed;.*python door\.py fail=yes"):
        run_cells([cell(tmp_path / "grid", overrides=("fail=yes",))], tmp_path / "grid", tmp_path)


def test_other_settings_in_the_same_folder_are_refused_but_not_another_look(tmp_path):
    check_plan([cell(tmp_path / "grid", overrides=("lr=1", "report.figures=true"))], tmp_path / "grid")
    report(cell(tmp_path / "grid").folder, 0.5)
    check_plan([cell(tmp_path / "grid", overrides=("lr=1", "report.figures=false"))], tmp_path / "grid")
    with pytest.raises(ConfigError, match="one was run with other settings"):
        check_plan([cell(tmp_path / "grid", overrides=("lr=2",))], tmp_path / "grid")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigError, match="choose another"):
        check_plan([], tmp_path)


def test_corpora_may_be_configs_overrides_or_institutions():
    assert transfer.chosen(["a", "b"], None, "") == {"a": ("data=a",), "b": ("data=b",)}
    given = {"north": {"data": "jsonl", "data.path": "a b"}, "south": "s"}
    assert transfer.chosen(given, None, "") == {"north": ("data=jsonl", "data.path='a b'"), "south": ("data=s",)}
    assert transfer.chosen(None, ["x", "y"], "data.institutions")["x"] == ("data.institutions=[x]",)


@pytest.mark.parametrize(
    ("corpora", "institutions", "message"),
    [(None, None, "a matrix needs corpora="), (["a"], ["b"], "a matrix needs corpora="),
     (["a"], None, "two corpora or more"), ({"a b": "x", "a-b": "y"}, None, "names that differ")],
)  # fmt: skip
def test_no_matrix_of_one(corpora, institutions, message):
    with pytest.raises(ConfigError, match=message):
        transfer.chosen(corpora, institutions, "data.institutions")


def test_a_matrix_trains_once_a_corpus_and_judges_every_other_pair(tmp_path):
    corpora = transfer.chosen(["a", "b"], None, "")
    plan = transfer.cells(corpora, tmp_path, ("model=tiny", "labels=jsl7"))
    assert [(c.name, c.door) for c in plan] == [
        ("train on a", "train.py"), ("train on b", "train.py"),
        ("a on b", "scripts/evaluate.py"), ("b on a", "scripts/evaluate.py"),
    ]  # fmt: skip
    assert plan[2].overrides == ("system=checkpoint", f"system.path={tmp_path}/a", "labels=jsl7", "data=b")
    assert [c.needs for c in plan] == [(), (), (tmp_path / "a",), (tmp_path / "b",)]


def test_the_loss_is_against_the_model_trained_on_what_is_tested(tmp_path):
    corpora = transfer.chosen(["a", "b"], None, "")
    for name, f1, leak in (("a", 0.9, 0.1), ("b", 0.8, 0.2), ("a-on-b", 0.5, 0.5), ("b-on-a", 0.75, 0.25)):
        report(tmp_path / name, f1, leak)
    content = transfer.collect(corpora, tmp_path)
    loss = {(c["train"], c["test"], c["measure"]): c["loss"] for c in content["cells"]}
    assert loss["a", "b", "strict F1"] == pytest.approx(0.3)
    assert loss["a", "b", "character leak"] == pytest.approx(0.3)
    assert loss["a", "a", "strict F1"] == 0
    page = render("t", transfer.sections(content))
    assert "| a |  | +0.3000 |" in page
    assert set(transfer.figures(content)) == {s.figure for s in transfer.sections(content) if s.figure}


@pytest.mark.parametrize(
    ("sizes", "repeats", "source", "message"),
    [([], 1, "run", "sizes are"), ([5, 5], 1, "run", "sizes are"), ([-1], 1, "run", "sizes are"),
     ([5], 0, "run", "repeats must"),
     ([5], "two", "run", "repeats must"), (10, 1, "run", "sizes are"), ([0, 5], 1, None, "set source=RUN")],
)  # fmt: skip
def test_curves_that_cannot_be(sizes, repeats, source, message):
    with pytest.raises(ConfigError, match=message):
        learning_curve.checked(sizes, repeats, source)


def test_a_curve_trains_from_the_source_on_ever_more_notes_and_looks_back(tmp_path):
    plan = learning_curve.cells((0, 5), 2, tmp_path, ("data=x", "model=tiny", "seed=7"), "run", ["data=old"], seed=7)
    assert [c.name for c in plan] == [
        "0 notes", "0 notes, on the source", "5 notes, repeat 1", "5 notes, repeat 1, on the source",
        "5 notes, repeat 2", "5 notes, repeat 2, on the source",
    ]  # fmt: skip
    assert plan[0].overrides == ("system=checkpoint", "system.path=run", "data=x", "seed=7")
    assert plan[4].overrides == (
        "data=x", "model=tiny", "model.pretrained=run", "notes.train=5", "notes.validation=0", "seed=8",
    )  # fmt: skip
    assert plan[5].overrides == ("system=checkpoint", f"system.path={plan[4].folder}", "seed=7", "data=old")


def test_a_size_may_have_fewer_repeats(tmp_path):
    plan = learning_curve.cells((5, 9), 3, tmp_path, ("data=x",), fewer={9: 1})
    assert [c.name for c in plan] == [
        "5 notes, repeat 1",
        "5 notes, repeat 2",
        "5 notes, repeat 3",
        "9 notes, repeat 1",
    ]
    for cell in plan:
        report(cell.folder, 0.5)
    content = learning_curve.collect((5, 9), 3, tmp_path, forgetting=False, fewer={9: 1})
    assert len([p for p in content["points"] if p["measure"] == "strict F1"]) == 4
    assert "Mean of 3 repeats, 1 with 9 notes;" in render("t", learning_curve.sections(content))


def test_a_curve_is_the_mean_of_its_repeats_and_shows_what_is_forgotten(tmp_path):
    for size, repeat, local, source in ((0, 0, 0.25, 0.75), (5, 0, 0.5, 0.75), (5, 1, 1.0, 0.25)):
        report(learning_curve.place(tmp_path, size, repeat), local)
        report(learning_curve.place(tmp_path, size, repeat, "source"), source)
    content = learning_curve.collect((0, 5), 2, tmp_path, forgetting=True)
    (mean,) = [m for m in content["means"] if (m["notes"], m["on"], m["measure"]) == (5, "local", "strict F1")]
    assert (mean["value"], mean["low"], mean["high"]) == (0.75, 0.5, 1.0)
    assert learning_curve.reached(content, 0.7) == 5
    assert learning_curve.reached(content, 0.8) is None
    page = render("t", learning_curve.sections(content, target=0.7))
    assert "5 notes reach strict F1 0.7" in page
    assert "-0.2500 |" in page.split("## What is forgotten")[1]
    assert set(learning_curve.figures(content)) == {"curve", "curve-leak"}


def test_a_curve_of_three_sizes_is_drawn_further_and_says_how_many_notes_reach_the_target(tmp_path):
    for size, low, high in ((10, 0.5, 0.6), (40, 0.75, 0.8), (160, 0.875, 0.9)):  # errors halve with four times as many
        for repeat, f1 in enumerate((low, high)):
            report(learning_curve.place(tmp_path, size, repeat), f1)
    content = learning_curve.collect((10, 40, 160), 2, tmp_path, forgetting=False, target=0.94)
    told = content["forecast"]
    (further,) = [p for p in told["points"] if (p["notes"], p["measure"]) == (640, "strict F1")]
    assert further["value"] == pytest.approx(0.944, abs=0.02)
    assert further["low"] <= further["value"] <= further["high"]
    assert 300 < told["needed"]["notes"] < 2000
    page = render("t", learning_curve.sections(content))
    assert "## More notes" in page and f"Notes for strict F1 0.94: {told['needed']['notes']:,}" in page
    assert learning_curve.forecast(content["points"][:4], None) is None, "one size makes no curve"


def test_what_is_replayed_in_training_is_not_judged_but_so_many_notes_are():
    overrides = ("data=brat", "data@replay.data=i2b2_2014", "replay=corpus", "notes.test=60", "notes.train=5")
    assert judging_only(overrides) == ("data=brat", "notes.test=60")
