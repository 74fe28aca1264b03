"""Experiments as plans: runs in order, references to earlier runs, and a quick variant of each that really runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deidlab import plans
from deidlab.types import ConfigError

ROOT = Path(__file__).parents[1]
NAMES = sorted(file.parent.name for file in (ROOT / "experiments").glob("*/plan.yaml"))
PLAN = """
runs:
  first one:
    train: {experiment: stanford, model: minilm}
  judged:
    evaluate: {system: checkpoint, system.path: "{first one}", data.sizes: {test: 9}}
  dear:
    train: {model: longformer}
    quick: false
quick:
  train: {model: tiny, training.max_steps: 2}
"""


def written(folder, text=PLAN):
    (folder / "plan.yaml").write_text(text)
    return folder / "plan.yaml"


def test_a_plan_becomes_cells_that_know_the_folders_of_earlier_ones(tmp_path):
    first, judged, dear = plans.cells(plans.load(written(tmp_path)), Path("o"))
    assert first.overrides == ("experiment=stanford", "model=minilm") and first.door == "train.py"
    assert judged.door == "scripts/evaluate.py"
    assert judged.overrides == ("system=checkpoint", "system.path=o/first-one", "data.sizes={test:9}")
    assert dear.folder == Path("o/dear")
    assert (first.needs, judged.needs, dear.needs) == ((), (Path("o/first-one"),), ())


def test_the_quick_variant_replaces_settings_and_leaves_dear_runs_out(tmp_path):
    first, judged = plans.cells(plans.load(written(tmp_path)), Path("o"), quick=True)
    assert first.overrides == ("experiment=stanford", "model=tiny", "training.max_steps=2")
    assert judged.overrides[1] == "system.path=o/first-one"


def test_what_a_plan_cannot_say_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"judged reads first one, which is not run before it"):
        plans.load(written(tmp_path, PLAN.replace("model: minilm}", "model: minilm}\n    quick: false")))
    with pytest.raises(ConfigError, match=r"x has predict; expected train:, evaluate: or curve:"):
        plans.load(written(tmp_path, "runs:\n  x:\n    predict: {}\n"))
    with pytest.raises(ConfigError, match="differ in more than punctuation"):
        plans.load(written(tmp_path, "runs:\n  a b:\n    train: {}\n  a-b:\n    train: {}\n"))


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_runs_in_its_quick_variant(name, tmp_path, request):
    command = [
        sys.executable,
        str(ROOT / "scripts" / "experiment.py"),
        name,
        "--quick",
        "--out",
        str(tmp_path / "runs"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}
    if "meddocan" in (ROOT / "experiments" / name / "plan.yaml").read_text():
        environment["DEIDLAB_DATA"] = str(request.getfixturevalue("shared_data"))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = plans.load(ROOT / "experiments" / name / "plan.yaml")
    kept = json.loads((tmp_path / "runs" / "results.json").read_text())["runs"]
    assert list(kept) == [run.name for run in plan.chosen(quick=True)]
    assert all(run["command"].startswith("python ") and (run.get("rows") or run["curve"]) for run in kept.values())
