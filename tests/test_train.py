"""From files to a report, through the doors a user takes: `python train.py` and `python scripts/evaluate.py`."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_dir
from safetensors.numpy import load_file

from deidlab import runs
from deidlab.corpora import jsonl
from deidlab.types import Document

ROOT = Path(__file__).parents[1]
SECRET = "Zyxomma"  # a word in every note, and part of some identifiers: it must not appear anywhere else
FILES = (
    "report.json",
    "report.md",
    "predictions.jsonl",
    "config.yaml",
    "losses.json",
    "timings.json",
    "provenance.json",
)


@dataclass(frozen=True)
class Run:
    """What a door did: its exit status, all that it printed, and its folder."""

    status: int
    printed: str
    folder: Path

    def json(self, name: str):
        return json.loads((self.folder / name).read_text("utf-8"))

    def rows(self) -> list[dict]:
        return self.json("report.json")["rows"]

    def strict(self) -> dict:
        return next(row for row in self.rows() if row["metric"] == "strict" and row["label"] == "micro")

    def __post_init__(self) -> None:
        # No test of a door may pass while a note leaks: looked for wherever a run may write.
        assert SECRET.lower() not in self.printed.lower(), "note text on the terminal"
        assert not (self.folder / "cache").exists(), "the private cache is still there"
        for file in self.folder.rglob("*"):
            assert file.is_dir() or SECRET.lower().encode() not in file.read_bytes().lower(), (
                f"note text in {file.name}"
            )


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
# What a test does not look at costs it no time.
BARE = ("report.figures=false", "report.formats=[md]", "evaluation.replicates=0")


def door(script: str, folder: Path, *overrides: str, cwd: Path | None = None) -> Run:
    """Run a script as a user does, writing to `folder`."""
    command = [sys.executable, str(ROOT / script), *overrides]
    if not any(o.startswith("output_dir=") for o in overrides) and cwd is None:
        command.append(f"output_dir={folder}")
    ended = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd or folder.parent, timeout=1800
    )
    return Run(ended.returncode, ended.stdout + ended.stderr, folder)


def at_once(capfd: pytest.CaptureFixture[str], folder: Path, *overrides: str) -> Run:
    """What `python train.py` does, in this process: for the many ways in which a run may end early."""
    spec = importlib.util.spec_from_file_location("train_door", ROOT / "train.py")
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("train", [*overrides, "training.precision=fp32", f"output_dir={folder}"])
    status = 0
    try:
        with runs.mendable_errors():
            train.train_and_evaluate(config)
    except SystemExit as ended:
        status = ended.code
    return Run(status, "".join(capfd.readouterr()), folder)


def succeeded(run: Run) -> Run:
    assert run.status == 0, run.printed
    return run


def secretive(notes: list[Document]) -> list[Document]:
    """The notes with the marker at their end, inside an identifier of every third, and a patient each."""
    marked = []
    for i, note in enumerate(notes):
        text = f"{note.text} {SECRET}{i}"
        span = replace(note.spans[0], start=len(note.text) + 1, end=len(text))
        spans = (*note.spans, span) if i % 3 == 0 else note.spans
        marked.append(Document(note.id, text, spans, {"patient": f"p{note.id}", "note_type": "letter"}))
    return marked


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, obvious_notes) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for i, (split, number) in enumerate({"train": 24, "validation": 6, "test": 8}.items()):
        jsonl.write(secretive(obvious_notes(number, seed=i, prefix=split)), folder / f"{split}.jsonl")
    return folder


@pytest.fixture(scope="module")
def tiny(tiny_backbones, corpus) -> list[str]:
    """Settings of a run of a few seconds."""
    return [
        "data=jsonl", f"data.path={corpus}", f"model.pretrained={tiny_backbones['bert']}", "model.package=null",
        "model.max_length=48", "model.stride=8", "training.epochs=6", "training.learning_rate=0.01",
        "training.batch_tokens=128",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny) -> Run:
    return succeeded(door("train.py", tmp_path_factory.mktemp("runs") / "first", *tiny))


def test_a_run_leaves_all_that_it_promises(trained):
    assert {*FILES, "checkpoint"} <= {file.name for file in trained.folder.iterdir()}
    assert {"model.safetensors", "config.json", "deidlab.json", "README.md"} <= {
        f.name for f in (trained.folder / "checkpoint").iterdir()
    }
    assert "strict" in trained.printed and str(trained.folder.name) in trained.printed


def test_the_report_has_the_stated_shape(trained, gold):
    report = trained.json("report.json")
    assert report["schema"] == 1
    assert {"rows", "provenance"} <= set(report)
    metrics = {row["metric"] for row in report["rows"]}
    assert metrics >= {"strict", "relaxed", "overlap", "token", "binary_strict", "binary_token", "merged", "seqeval",
                       "char_leak", "document_clean"}  # fmt: skip
    assert any(metric.startswith("hipaa_") for metric in metrics)
    for row in report["rows"]:
        assert {"metric", "label", "slice", "support"} <= set(row)
        assert ("value" in row) != ({"precision", "recall", "f1"} <= set(row))
    strict = trained.strict()
    assert (strict["slice"], strict["support"]) == ("all", sum(len(note["spans"]) for note in gold))
    assert strict["f1"] > 0.5, "a tiny model learns obvious notes"


@pytest.fixture(scope="module")
def gold(corpus) -> list[dict]:
    return [json.loads(line) for line in (corpus / "test.jsonl").read_text().splitlines()]


def test_the_report_says_where_it_comes_from_without_time_or_place(trained):
    provenance = trained.json("report.json")["provenance"]
    assert provenance == trained.json("provenance.json")
    assert provenance["seed"] == 42 and provenance["documents"] == {"train": 24, "validation": 6, "test": 8}
    assert {"deidlab", "commit", "python", "libraries", "data_fingerprint", "config_digest"} <= set(provenance)
    assert str(trained.folder) not in json.dumps(provenance)
    assert trained.json("timings.json")["training_seconds"] > 0


def test_predictions_are_ids_offsets_labels_and_scores_and_nothing_else(trained, gold):
    lines = [json.loads(line) for line in (trained.folder / "predictions.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [note["id"] for note in gold]
    for line, note in zip(lines, gold, strict=True):
        assert set(line) == {"id", "fingerprint", "spans"}
        for span in line["spans"]:
            assert set(span) == {"start", "end", "label", "score"}
            assert 0 <= span["start"] < span["end"] <= len(note["text"]) and 0 <= span["score"] <= 1


def test_the_same_settings_and_seed_give_the_same_bytes(trained, tiny, tmp_path):
    """Run again without a name: the next free number is taken, and the results are the same to the last bit."""
    (tmp_path / "outputs" / "001").mkdir(parents=True)
    assert_same_bytes(succeeded(door("train.py", tmp_path / "outputs" / "002", *tiny, cwd=tmp_path)), trained)


def assert_same_bytes(one: Run, other: Run) -> None:
    for name in ("predictions.jsonl", "losses.json", "history.json", "checkpoint/model.safetensors"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    first, second = (run.json("report.json") for run in (one, other))
    if first["provenance"]["commit"] == second["provenance"]["commit"]:  # nobody committed in between
        assert (one.folder / "report.json").read_bytes() == (other.folder / "report.json").read_bytes()
    assert first["rows"] == second["rows"]


def test_a_run_killed_at_any_step_is_resumed_and_ends_with_the_same_bytes(trained, tiny, tmp_path):
    """`kill -9` as soon as something is saved; then, once resumed, again; then to the end."""
    state = tmp_path / "run" / "training_state.safetensors"
    command = [sys.executable, str(ROOT / "train.py"), *tiny, f"output_dir={state.parent}"]
    for attempt, settings in enumerate(([], ["resume=true"])):
        before = state.stat().st_mtime_ns if attempt else 0
        with subprocess.Popen([*command, *settings], env=ENVIRONMENT, stdout=subprocess.DEVNULL) as running:
            while running.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
                time.sleep(0.001)
            running.kill()
        assert running.returncode == -signal.SIGKILL, "it ended before it could be killed"
        assert not (state.parent / "report.json").exists()
    resumed = succeeded(door("train.py", state.parent, *tiny, "resume=true"))
    assert "resumed at step" in resumed.printed
    assert_same_bytes(resumed, trained)


def test_a_run_that_is_there_is_not_overwritten(trained, tiny, capfd):
    before = (trained.folder / "report.json").stat().st_mtime_ns
    refused = at_once(capfd, trained.folder, *tiny)
    assert refused.status == 2 and "overwrite=true" in refused.printed and "Traceback" not in refused.printed
    assert (trained.folder / "report.json").stat().st_mtime_ns == before


def test_evaluating_the_checkpoint_gives_the_numbers_of_the_run(trained, corpus, tmp_path):
    judged = succeeded(
        door(
            "scripts/evaluate.py",
            tmp_path / "e",
            "system=checkpoint",
            f"system.path={trained.folder}",
            "data=jsonl",
            f"data.path={corpus}",
        )
    )
    assert judged.strict() == trained.strict()
    assert (judged.folder / "predictions.jsonl").read_bytes() == (trained.folder / "predictions.jsonl").read_bytes()


def test_evaluating_its_predictions_gives_the_numbers_of_the_run_and_overwrites_only_when_told(
    trained, corpus, tmp_path
):
    settings = ["system=predictions", f"system.path={trained.folder / 'predictions.jsonl'}", "data=jsonl",
                f"data.path={corpus}"]  # fmt: skip
    judged = succeeded(door("scripts/evaluate.py", tmp_path / "e", *settings))
    assert judged.strict() == trained.strict()
    (tmp_path / "e" / "stale.txt").touch()
    assert door("scripts/evaluate.py", tmp_path / "e", *settings).status == 2
    assert (tmp_path / "e" / "stale.txt").exists()
    replaced = succeeded(door("scripts/evaluate.py", tmp_path / "e", *settings, "overwrite=true"))
    assert replaced.strict() == trained.strict() and not (tmp_path / "e" / "stale.txt").exists()


FAULTS = {
    "out of range": ({"spans": [{"start": 0, "end": 999, "label": "PATIENT"}]}, "test1, span 1: PATIENT span 0-999"),
    "other text": ({"spans": [{"start": 0, "end": 3, "label": "PATIENT", "text": SECRET}]}, "test1, span 1"),
    "unknown label": ({"spans": [{"start": 0, "end": 3, "label": "SHOESIZE"}]}, "SHOESIZE"),
    "no spans": ({"spans": []}, "no spans in"),
    "no text": ({"text": None, "note": SECRET}, "test.jsonl, line 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_corpus_ends_a_run_with_one_line_that_says_where_and_quotes_nothing(fault, tiny, tmp_path, capfd):
    change, place = FAULTS[fault]
    (tmp_path / "in").mkdir()
    for split in ("train", "validation", "test"):
        line = {"id": f"{split}1", "text": f"{SECRET} was seen", "meta": {"patient": split}, **change}
        (tmp_path / "in" / f"{split}.jsonl").write_text(json.dumps(line) + "\n")
    run = at_once(capfd, tmp_path / "run", *tiny, f"data.path={tmp_path / 'in'}")
    assert run.status == 2
    (message,) = [line for line in run.printed.splitlines() if line.startswith("error: ")]
    assert place in message


def test_a_run_that_failed_early_may_be_started_again_under_its_name(tiny, corpus, tmp_path, capfd):
    """A mistyped path must not make the name of the run unusable."""
    nowhere = at_once(capfd, tmp_path / "run", *tiny, f"data.path={tmp_path / 'nowhere'}")
    assert nowhere.status == 2 and "nowhere does not exist" in nowhere.printed
    succeeded(at_once(capfd, tmp_path / "run", *tiny, "training.max_steps=1"))


@pytest.fixture(scope="module")
def nemotron(tmp_path_factory) -> Path:
    """A folder of parquet as the hub has it: spans as Python literals, twins, a number as text, one span astray."""
    folder = tmp_path_factory.mktemp("nemotron") / "data"
    folder.mkdir()
    for split, number in (("train", 20), ("test", 5)):
        rows = []
        for i in range(number):
            for locale in ("us", "intl"):
                name, age = ("Smith", "Jones", "Mercy", "Neil")[i % 4], str(20 + i)
                text = f"the patient Mr {name} aged {age} was seen by {SECRET}"
                spans = [
                    {"start": 15, "end": 15 + len(name), "text": name, "label": "last_name"},
                    {"start": text.index(age), "end": text.index(age) + 2, "text": int(age), "label": "age"},
                ]
                if i == 0:
                    spans.append({"start": 0, "end": 3, "text": SECRET, "label": "city"})
                rows.append({"uid": f"{split}{i}", "domain": "Healthcare", "document_type": "note",
                             "document_description": "", "document_format": "unstructured", "locale": locale,
                             "text": text, "spans": str(spans), "text_tagged": ""})  # fmt: skip
        rows.append({**rows[0], "uid": f"{split}-law", "domain": "Law"})
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{split}-00000.parquet")
    return folder.parent


def test_longformer_on_nemotron_says_at_once_what_to_set(tmp_path):
    run = door("train.py", tmp_path / "run", "model=longformer", "data=nemotron")
    assert run.status == 2 and "Traceback" not in run.printed
    assert "model.pretrained=DIR" in run.printed and "hf download yikuan8/Clinical-Longformer" in run.printed
    assert not run.folder.exists(), "a run that could not begin leaves nothing behind"


def test_longformer_with_its_weights_says_at_once_where_nemotron_is_missing(tiny_backbones, tmp_path):
    weights = f"model.pretrained={tiny_backbones['longformer']}"
    run = door("train.py", tmp_path / "run", "model=longformer", "data=nemotron", weights, "model.max_length=256",
               "model.stride=32")  # fmt: skip
    assert run.status == 2 and "Traceback" not in run.printed
    assert "hf download nvidia/Nemotron-PII" in run.printed and "data.path=FOLDER" in run.printed


def test_a_local_longformer_trains_on_local_nemotron_and_counts_its_faults(tiny_backbones, nemotron, tmp_path, capfd):
    run = succeeded(
        at_once(
            capfd,
            tmp_path / "run",
            "model=longformer",
            "data=nemotron",
            f"data.path={nemotron}",
            f"model.pretrained={tiny_backbones['longformer']}",
            "model.max_length=256",
            "model.stride=32",
            "training.epochs=4",
            "training.learning_rate=0.01",
            "training.batch_tokens=128",
        )
    )
    assert len(json.loads((run.folder / "checkpoint" / "config.json").read_text())["id2label"]) == 101
    assert run.json("provenance.json")["documents"] == {"train": 36, "validation": 4, "test": 10}
    assert {"reason": "offset_mismatch", "label": "city", "count": 4} in run.json("losses.json")
    assert run.strict()["support"] == 20
    weights = load_file(run.folder / "checkpoint" / "model.safetensors")
    assert any(name.startswith("longformer.") for name in weights)


@pytest.mark.parametrize("experiment", ["clinical_deid", "clinical_deid_better"])
def test_the_published_recipe_and_the_better_one_run_on_nemotron_and_tell_the_f1_of_the_card(
    experiment, tiny_backbones, nemotron, tmp_path, capfd
):
    small = ["model.max_length=256", "model.stride=32", "training.epochs=2", "training.learning_rate=0.01",
             "training.batch_tokens=1024"]  # fmt: skip
    if experiment == "clinical_deid":
        small.append("training.pad_to=256")
    run = succeeded(
        at_once(capfd, tmp_path / "run", f"experiment={experiment}", f"data.path={nemotron}",
                f"model.pretrained={tiny_backbones['longformer']}", *small, *BARE)
    )  # fmt: skip
    documents = run.json("provenance.json")["documents"]
    # Twins lie among the rows: 40 of the train files are cut by row, or their 20 pairs are.
    assert documents == {"clinical_deid": {"train": 32, "test": 8}}.get(
        experiment, {"train": 36, "validation": 4, "test": 10}
    )
    card = next(row for row in run.rows() if row["metric"] == "binary_subword" and row["label"] == "micro")
    assert card["support"] > run.strict()["support"], "an identifier has a subword at least"
    assert (run.json("timings.json")["padding_share"] > 0.8) == (experiment == "clinical_deid")


def test_help_and_import_answer_without_torch():
    code = (
        "import runpy, sys\n"
        "import deidlab\n"
        "assert 'torch' not in sys.modules\n"
        f"sys.argv = ['train.py', '--help']\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')\n"
        "except SystemExit as exit:\n"
        "    assert not exit.code\n"
        "heavy = {'torch', 'transformers', 'datasets', 'accelerate'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "labels" in ended.stdout and "training" in ended.stdout


def test_parity_with_the_i2b2_2014_scorer_through_the_door(shared_data, tmp_path):
    parity = shared_data / "parity" / "i2b2_2014"
    run = succeeded(
        door(
            "scripts/evaluate.py",
            tmp_path / "run",
            "system=predictions",
            f"system.path={parity / 'system'}",
            "data=i2b2_2014",
            f"data.path={parity / 'gold'}",
            "data.split=all",
            "official=i2b2_2014",
            *BARE,
            "data.on_error=count",
            "system.on_error=count",
        )
    )
    assert run.json("official.json") == json.loads((parity / "expected.json").read_text("utf-8"))


def test_parity_with_the_meddocan_scorer_through_the_door(shared_data, tmp_path):
    parity = shared_data / "parity" / "meddocan"
    run = succeeded(
        door(
            "scripts/evaluate.py",
            tmp_path / "run",
            "system=predictions",
            f"system.path={parity / 'system'}",
            "data=meddocan",
            f"data.path={shared_data / 'meddocan'}",
            "data.splits.train=null",
            "official=meddocan",
            *BARE,
            "only_predicted=true",
        )
    )
    expected = json.loads((parity / "expected.json").read_text("utf-8"))
    official = run.json("official.json")
    assert official == {name: expected[name] for name in official} and "ner" in official
