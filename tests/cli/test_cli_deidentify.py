"""`deidlab deidentify` from the shell: every format, every exit status, a real model."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import deidlab as package
from deidlab.corpora import brat, i2b2_2014
from deidlab.types import Losses

KEY = "0f8b1c6e5d4a39271f6e8d7c5b4a3921"


@pytest.fixture(scope="session")
def notes(obvious_notes):
    return obvious_notes(12, seed=5)


@pytest.fixture(scope="session")
def expected(trained_run, notes):
    """What the Python API makes of the notes."""
    return [result.text for result in package.load(trained_run).deidentify(notes)]


def test_names_and_dates_go_and_everything_else_stays(notes, expected):
    names = [note.text[s.start : s.end] for note in notes for s in note.spans if s.label in ("PATIENT", "DOCTOR")]
    assert sum(text.count("[NAME]") for text in expected) >= 0.9 * len(names)
    assert not re.search(r"\d/", " ".join(expected)), "Safe Harbor leaves of a date its year"
    assert all(re.match(r"the patient Mr .* was seen on .*2012", text) for text in expected)


def test_every_format_gives_what_the_api_gives(trained_run, notes, expected, deidlab, tmp_path):
    (tmp_path / "txt").mkdir()
    for note in notes:
        (tmp_path / "txt" / f"{note.id}.txt").write_text(note.text)
    brat.write(notes, tmp_path / "brat")
    i2b2_2014.write(notes, tmp_path / "xml")
    rows = [{"n": i, "id": note.id, "text": note.text} for i, note in enumerate(notes)]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "n.parquet")
    with (tmp_path / "n.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    wanted = [{**row, "text": text} for row, text in zip(rows, expected, strict=True)]
    for name in ("txt", "brat", "xml", "n.jsonl", "n.parquet", "n.csv"):
        said = deidlab("deidentify", tmp_path / name, "-m", trained_run, "-o", tmp_path / f"out-{name}")
        assert said.status == 0, said.err
        assert said.out == "" and "12 notes" in said.err
    assert {f.stem: f.read_text() for f in (tmp_path / "out-txt").glob("*.txt")} == {
        note.id: text for note, text in zip(notes, expected, strict=True)
    }
    for read, name in ((brat.read, "out-brat"), (i2b2_2014.read, "out-xml")):
        documents = {d.id: d for d in read(tmp_path / name, Losses())}
        assert [documents[note.id].text for note in notes] == expected
        shown = {d.text[s.start : s.end] for d in documents.values() for s in d.spans}
        assert {"[NAME]", "2012"} <= shown
        assert all(text == "[NAME]" or text.isdigit() for text in shown), "years, and ages below 90"
    assert [json.loads(line) for line in (tmp_path / "out-n.jsonl").read_text().splitlines()] == wanted
    assert pq.read_table(tmp_path / "out-n.parquet").to_pylist() == wanted
    with (tmp_path / "out-n.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{k: str(v) for k, v in row.items()} for row in wanted]


def test_workers_write_the_same_bytes(trained_run, notes, deidlab, tmp_path):
    rows = [{"id": n.id, "text": n.text} for n in notes] + [{"id": "bad", "text": "x\0"}]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for workers in (1, 2):
        said = deidlab("deidentify", tmp_path / "n.jsonl", "-m", trained_run, "-o", tmp_path / f"o{workers}",
                       "--offsets", tmp_path / f"m{workers}", "-j", workers)  # fmt: skip
        assert said.status == 1 and "1 of 13 notes failed" in said.err
    assert (tmp_path / "o1").read_bytes() == (tmp_path / "o2").read_bytes()
    assert (tmp_path / "m1").read_bytes() == (tmp_path / "m2").read_bytes()


def test_failures_are_listed_and_end_with_status_one(trained_run, notes, deidlab, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.txt").write_text(notes[0].text)
    (folder / "latin.txt").write_bytes(b"Se\xf1ora Mercy")
    (folder / "empty.txt").touch()
    said = deidlab("deidentify", folder, "-m", trained_run, "-o", tmp_path / "out")
    assert said.status == 1 and "1 of 3 notes failed: see" in said.err and "Mercy" not in said.err
    (row,) = map(json.loads, (tmp_path / "out" / "failed.jsonl").read_text().splitlines())
    assert row["id"] == "latin" and "--encoding cp1252" in row["reason"]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["empty.txt", "failed.jsonl", "good.txt", "job.json"]


def test_standard_input_to_standard_output(trained_run, notes, expected, tmp_path):
    command = [sys.executable, "-m", "deidlab", "deidentify", "-", "-m", str(trained_run)]
    done = subprocess.run(command, input=notes[0].text.encode(), capture_output=True, timeout=300)
    assert (done.returncode, done.stdout.decode()) == (0, expected[0]), done.stderr
    lines = "".join(json.dumps({"text": n.text}) + "\n" for n in notes[:2]) + '{"text": "Mercy \\u0000"}\n'
    done = subprocess.run([*command, "--format", "jsonl"], input=lines.encode(), capture_output=True, timeout=300)
    assert done.returncode == 1 and b"stdin line 3: NUL at character 6" in done.stderr and b"Mercy" not in done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == expected[:2]


def test_a_process_killed_at_any_moment_is_resumed_to_the_same_bytes(trained_run, obvious_notes, tmp_path):
    with (tmp_path / "n.jsonl").open("w") as stream:
        for note in obvious_notes(1500, seed=3):
            stream.write(json.dumps({"id": note.id, "text": note.text}) + "\n")
    (tmp_path / "key").write_text(KEY)

    def command(out):
        return [sys.executable, "-m", "deidlab", "deidentify", tmp_path / "n.jsonl", "-m", trained_run, "-o", out,
                "--style", "surrogate", "--key-file", tmp_path / "key", "--quiet"]  # fmt: skip

    out = tmp_path / "out.jsonl"
    killed = 0
    for _ in range(2):
        process = subprocess.Popen([*command(out), "--resume"], stderr=subprocess.DEVNULL)
        shards = tmp_path / "out.jsonl.part" / "shards"
        before = len(list(shards.glob("*"))) if shards.exists() else 0
        end = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < end:
            if shards.exists() and len(list(shards.glob("[0-9]*"))) > before:
                break
            time.sleep(0.005)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        if out.exists():
            break
    assert killed, "the job was over before it was killed: this test claims nothing"
    assert not out.exists()
    assert subprocess.run([*command(out), "--resume"], timeout=300).returncode == 0
    resumed = out.read_bytes()
    assert subprocess.run([*command(out), "--overwrite"], timeout=300).returncode == 0
    assert out.read_bytes() == resumed and resumed.count(b"\n") == 1500
    assert sorted(f.name for f in tmp_path.iterdir()) == ["key", "n.jsonl", "out.jsonl"]


WRONG = {
    "no model": (["--model", "{tmp}/empty"], "holds no model of deidlab"),
    "no policy": (["--policy", "hippa"], "neither a preset"),
    "a policy with an unknown type": (["--policy", "{tmp}/policy.yaml"], "did you mean HOSPITAL"),
    "no style": (["--style", "blur"], "style 'blur' is none of"),
    "no key": (["--style", "surrogate"], "--key-file"),
    "a weak key": (["--style", "surrogate", "--key-file", "{tmp}/weak"], "the key has 6 bytes"),
    "no such key": (["--style", "surrogate", "--key-env", "NO_SUCH_KEY"], "no such environment variable"),
    "no such column": (["--text-column", "body"], "has no column 'body'; its columns: id, text"),
    "no such patient": (["--patient-column", "mrn"], "has no column 'mrn'"),
    "the input as output": (["--out", "{tmp}/n.csv"], "is the input itself"),
    "no folder for the output": (["--out", "{tmp}/absent/o.csv"], "absent does not exist"),
    "no workers": (["--workers", "0"], "expected 1 or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_line_before_anything_is_written(case, trained_run, deidlab, tmp_path):
    (tmp_path / "n.csv").write_text("id,text\n1,Mr Mercy\n")
    (tmp_path / "weak").write_text("secret")
    (tmp_path / "policy.yaml").write_text("rules: {HOSPITALS: keep}\n")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.iterdir())
    arguments, expected = WRONG[case]
    defaults = {"--model": trained_run, "--out": tmp_path / "out.csv"}
    given = dict(zip(arguments[::2], [a.format(tmp=tmp_path) for a in arguments[1::2]], strict=True))
    options = [part for pair in {**defaults, **given}.items() for part in pair]
    said = deidlab("deidentify", tmp_path / "n.csv", *options)
    assert said.status == 2 and expected in said.err and said.out == "", said.err
    assert "Traceback" not in said.err and "Mercy" not in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_dates_are_not_shifted_without_a_patient(trained_run, notes, deidlab, tmp_path):
    (tmp_path / "key").write_text(KEY)
    rows = "".join(f'{n.id},"{n.text}",{"7" if i % 2 else ""}\n' for i, n in enumerate(notes))
    (tmp_path / "n.csv").write_text("id,text,mrn\n" + rows)
    said = deidlab("deidentify", tmp_path / "n.csv", "-m", trained_run, "-o", tmp_path / "o.csv", "--policy", "i2b2",
                   "--id-column", "id", "--patient-column", "mrn", "--key-file", tmp_path / "key")  # fmt: skip
    assert said.status == 1
    failed = [json.loads(line) for line in (tmp_path / "o.csv.failed.jsonl").read_text().splitlines()]
    assert failed and {row["id"] for row in failed} <= {n.id for n in notes[::2]}
    assert all("patient" in row["reason"] for row in failed)
    assert KEY not in "".join(f.read_text() for f in tmp_path.glob("o.csv*"))


def test_columns_that_are_kept_are_named(trained_run, deidlab, tmp_path):
    (tmp_path / "n.csv").write_text("id,text,nurse\n1,Mr Mercy,Anne\n")
    said = deidlab("deidentify", tmp_path / "n.csv", "-m", trained_run, "-o", tmp_path / "o.csv")
    assert said.status == 0 and "columns kept as they are, whatever they hold: id, nurse" in said.err


def test_a_fault_of_ours_tells_the_place_and_withholds_the_message(monkeypatch, deidlab, tmp_path, trained_run):
    from deidlab.bulk import formats

    def broken(*_):
        raise KeyError("Mr Mercy of Boston")

    monkeypatch.setattr(formats, "check_places", broken)
    said = deidlab("deidentify", tmp_path, "-m", trained_run, "-o", tmp_path / "o")
    assert said.status == 70 and "KeyError" in said.err and "deidentify.py line" in said.err
    assert "Mercy" not in said.err and "Mercy" not in said.out


def test_a_run_where_pytorch_is_not_installed_says_so(trained_run, tmp_path):
    (tmp_path / "n.txt").write_text("Mr Smith")
    script = "import sys; sys.modules['torch'] = None; from deidlab.cli.main import main; main()"
    command = [sys.executable, "-c", script, "deidentify", "n.txt", "-m", str(trained_run), "-o", "o.txt"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2 and "this needs torch, which is not installed" in ended.stderr, ended.stderr
    assert not (tmp_path / "o.txt").exists()


def test_the_help_teaches_and_the_command_starts_at_once():
    environment = {**os.environ, "COLUMNS": "100"}
    command = [sys.executable, "-m", "deidlab"]
    done = subprocess.run([*command, "deidentify", "--help"], capture_output=True, text=True, env=environment)
    for taught in ("Examples", "--style surrogate", "failed.jsonl", "hipaa_safe_harbor", "--no-rules", "--resume"):
        assert taught in done.stdout
    seconds = []
    for _ in range(5):
        before = os.times()
        subprocess.run([*command, "--version"], capture_output=True, check=True)
        after = os.times()
        # Processor time of the child: a busy machine does not slow that down.
        seconds.append(after.children_user - before.children_user + after.children_system - before.children_system)
    assert min(seconds) < 0.5
    heavy = "('torch', 'numpy', 'pyarrow', 'yaml')"
    loaded = f"import sys, deidlab.cli.main; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"


def test_the_vault_leads_back(trained_run, notes, deidlab, tmp_path):
    pytest.importorskip("cryptography", reason='pip install -e ".[vault]"')
    from deidlab.redaction.vault import Vault, read_sealed

    (tmp_path / "key").write_text(KEY)
    (tmp_path / "n.jsonl").write_text("".join(json.dumps({"id": n.id, "text": n.text}) + "\n" for n in notes))
    arguments = ["deidentify", tmp_path / "n.jsonl", "-m", trained_run, "-o", tmp_path / "o.jsonl"]
    assert "need a secret" in deidlab(*arguments, "--vault", tmp_path / "vault").err
    said = deidlab(*arguments, "--vault", tmp_path / "vault", "--key-file", tmp_path / "key")
    assert said.status == 0, said.err
    vault = Vault(KEY.encode())
    outputs = {row["id"]: row["text"] for row in map(json.loads, (tmp_path / "o.jsonl").read_text().splitlines())}
    restored = [vault.restore(sealed, outputs[sealed.document_id]) for sealed in read_sealed(tmp_path / "vault")]
    assert restored == [note.text for note in notes]
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o600
