"""A job ends with the same bytes whatever happened on the way, and refuses what it could not do safely."""

import json
import resource
from dataclasses import replace

import pytest

from deidlab.bulk.engines import here
from deidlab.bulk.formats import check_places, opened
from deidlab.bulk.job import SHARD_CHARACTERS, Job, run, shards
from deidlab.bulk.notes import Note, Reading
from deidlab.types import ConfigError, DataError, DeidlabError, Document

LINES = [f'{{"id": "k{i}", "text": "Mr Smith {i}"}}\n' for i in range(10)]
SETTINGS = {"model": "abc"}


class Killed(BaseException):
    pass


@pytest.fixture(params=["jsonl", "folder"])
def job(request, tmp_path):
    """Ten notes, one of which fails, in shards of three."""
    lines = [*LINES[:4], '{"id": "bad", "text": "boom Smith"}\n', *LINES[4:]]
    if request.param == "jsonl":
        (tmp_path / "n.jsonl").write_text("".join(lines))
        source, out = opened(tmp_path / "n.jsonl", Reading()), tmp_path / "out.jsonl"
    else:
        (tmp_path / "in" / "sub").mkdir(parents=True)
        for line in map(json.loads, lines):
            name = f"sub/{line['id']}.txt" if "3" in line["id"] else f"{line['id']}.txt"
            (tmp_path / "in" / name).write_text(line["text"])
        source, out = opened(tmp_path / "in", Reading()), tmp_path / "out"
    return Job(source, out, SETTINGS, tmp_path / "offsets", tmp_path / "spans", shard_notes=3)


def test_shards_are_small_at_first_and_hold_every_note_once():
    notes = [Note(f"n{i}", Document(f"n{i}", "x")) for i in range(5000)]
    sizes = [len(shard.notes) for shard in shards(notes, 100)]
    assert sizes[:49] == [16] * 16 + [32] * 16 + [64] * 16 + [100]
    assert [note.id for shard in shards(notes, 100) for note in shard.notes] == [note.id for note in notes]
    assert [shard.number for shard in shards(notes, 100)] == list(range(len(sizes)))
    assert {len(shard.notes) for shard in shards(notes, 5)} == {5}
    long = [Note(f"n{i}", Document(f"n{i}", "x" * SHARD_CHARACTERS)) for i in range(3)]
    assert [len(shard.notes) for shard in shards(long, 100)] == [1, 1, 1]


def outputs(job) -> dict[str, bytes]:
    files = [job.offsets, job.annotations, job.failed_file, job.out]
    below = [f for f in job.out.rglob("*") if f.is_file()] if job.out.is_dir() else []
    return {f.name: f.read_bytes() for f in [*files, *below] if f.is_file()}


def dying(deidentifier, after: int):
    """An engine whose process is killed when it takes up a shard."""

    def run(shards):
        for number, shard in enumerate(shards):
            if number == after:
                raise Killed
            yield shard, deidentifier.results(shard.documents)

    return run


def test_what_succeeds_is_written_and_what_fails_is_listed(job, engine):
    summary = run(job, engine)
    assert (summary.notes, summary.failed, summary.replaced) == (11, 1, {"PATIENT": 10})
    failed = [json.loads(line) for line in job.failed_file.read_text().splitlines()]
    assert [(row["id"], row["reason"].split(" in ")[0]) for row in failed] == [("bad", "ValueError")]
    everything = b"".join(outputs(job).values())
    assert b"Smith" not in everything and b"boom" not in everything
    assert everything.count(b"Mr [NAME]") == 10
    assert not list(job.out.parent.glob("*.part")) and not list(job.out.parent.glob(".*"))
    assert len(job.offsets.read_text().splitlines()) == len(job.annotations.read_text().splitlines()) == 10


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_job_goes_on_and_ends_byte_for_byte_the_same(job, engine, deidentifier, after):
    with pytest.raises(Killed):
        run(job, dying(deidentifier, after))
    assert not job.out.exists()
    (job.part / "shards" / "00000009.rough").mkdir()  # what a kill while writing leaves
    seen = []
    summary = run(job, engine, resume=True, progressed=lambda notes, failed: seen.append(notes))
    resumed = outputs(job)
    assert (summary.notes, summary.failed, seen[0]) == (11, 1, 3 * after) and sum(seen) == 11
    run(job, engine, overwrite=True)
    assert outputs(job) == resumed


def test_a_kill_at_any_step_of_the_end_loses_nothing(job, engine, monkeypatch):
    """The process dies before each change it would make to the disk while the output is put together, in turn."""
    import pathlib

    run(job, engine)
    whole = outputs(job)
    for step in range(200):
        run_until_killed = _dying_at(step, monkeypatch, pathlib.Path, ("replace", "rename", "touch"))
        with monkeypatch.context():
            try:
                with run_until_killed:
                    run(job, engine, overwrite=True)
                break
            except Killed:
                pass
        if job.part.exists():
            run(job, engine, resume=True)
        assert outputs(job) == whole, step
        assert not job.part.exists()
    assert step > 5


class _dying_at:
    def __init__(self, step, monkeypatch, owner, names):
        self.left, self.owner, self.before = step, owner, {name: getattr(owner, name) for name in names}

    def __enter__(self):
        for name, method in self.before.items():
            setattr(self.owner, name, self._counted(method))

    def __exit__(self, *_):
        for name, method in self.before.items():
            setattr(self.owner, name, method)

    def _counted(self, method):
        def call(*arguments, **named):
            if self.left == 0:
                raise Killed
            self.left -= 1
            return method(*arguments, **named)

        return call


def test_an_unfinished_job_is_not_taken_for_another(job, engine, deidentifier):
    with pytest.raises(Killed):
        run(job, dying(deidentifier, 1))
    with pytest.raises(ConfigError, match="unfinished job: go on with it with --resume"):
        run(job, engine)
    with pytest.raises(ConfigError, match=r"other settings \(model\)"):
        run(replace(job, settings={"model": "def"}), engine, resume=True)
    with pytest.raises(ConfigError, match=r"other settings \(offsets\)"):
        run(replace(job, offsets=None), engine, resume=True)
    changed = next(f for f in (job.source.path, *job.source.path.rglob("*.txt")) if f.is_file())
    changed.write_text(changed.read_text() + " ")
    fresh = opened(job.source.path, Reading())
    with pytest.raises(ConfigError, match="another input, or the input changed"):
        run(replace(job, source=fresh), engine, resume=True)


def test_two_processes_do_not_work_on_one_job(job, deidentifier):
    def twice(shards):
        run(job, here(lambda: deidentifier), resume=True)
        yield from ()

    with pytest.raises(ConfigError, match="another process works on this job"):
        run(job, twice)


def test_what_exists_is_replaced_only_when_asked(job, engine):
    run(job, engine)
    with pytest.raises(ConfigError, match="is complete: there is nothing to resume"):
        run(job, engine, resume=True)
    with pytest.raises(ConfigError, match="exists: choose another"):
        run(replace(job, offsets=None, annotations=None), engine)
    with pytest.raises(ConfigError, match="offsets exists"):
        run(job, engine)
    run(job, engine, overwrite=True)


def test_a_folder_that_is_not_ours_is_never_overwritten(job, engine):
    if not job.source.folder:
        pytest.skip("a folder's case")
    job.out.mkdir()
    (job.out / "thesis.txt").touch()
    with pytest.raises(ConfigError, match=r"was not written by deidlab \(no job.json\)"):
        run(job, engine, overwrite=True)
    assert (job.out / "thesis.txt").exists()


def test_the_record_of_a_job_holds_no_key(tmp_path, job, engine):
    if not job.source.folder:
        pytest.skip("a folder's case")
    run(replace(job, settings={"key_check": "abcdef0123456789"}), engine)
    record = json.loads((job.out / "job.json").read_text())
    assert record["result"]["notes"] == 11 and "key_check" not in record["settings"]


def test_a_full_disk_stops_the_job_and_it_goes_on_later(tmp_path, engine):
    (tmp_path / "n.jsonl").write_text('{"text": "short"}\n' + json.dumps({"text": "Smith " * 20_000}) + "\n")
    job = Job(opened(tmp_path / "n.jsonl", Reading()), tmp_path / "out.jsonl", SETTINGS, shard_notes=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))  # as a quota would: no file may grow beyond it
    try:
        with pytest.raises(DeidlabError, match=r"File too large; what is done is kept in out.jsonl.part") as raised:
            run(job, engine)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "Smith" not in str(raised.value) and not job.out.exists()
    assert run(job, engine, resume=True).notes == 2
    assert job.out.read_text().count("[NAME]") == 20_000


def test_places_that_would_harm_are_refused(tmp_path):
    notes, model = tmp_path / "notes", tmp_path / "run"
    (notes / "sub").mkdir(parents=True)
    model.mkdir()
    (tmp_path / "link").symlink_to(notes)
    for out, why in [
        (notes, "is the input itself"),
        (tmp_path / "link", "is the input itself"),
        (notes / "sub" / "out", "lies inside the input"),
        (tmp_path, "holds the input"),
        (model / "out", "lie in one another"),
    ]:
        with pytest.raises(ConfigError, match=why):
            check_places(notes, out, model)
    check_places(notes, tmp_path / "out", model)
    for beside, why in [
        ({"--failed": notes / "a.txt"}, "--failed .* is the input or lies in it"),
        ({"--offsets": tmp_path / "out"}, "--offsets .* is --out or lies in it"),
        ({"--vault": model / "v"}, "--vault .* lies in the model"),
        ({"--vault": tmp_path / "key", "--key-file": tmp_path / "key"}, "--key-file and --vault are one file"),
    ]:
        with pytest.raises(ConfigError, match=why):
            check_places(notes, tmp_path / "out", model, beside)
    check_places(notes, tmp_path / "out", model, {"--failed": None, "--offsets": tmp_path / "o"})


def test_a_list_that_exists_is_no_part_of_a_job_that_was_never_begun(job, engine, tmp_path):
    (tmp_path / "mine.jsonl").write_text("mine")
    with pytest.raises(ConfigError, match=r"mine.jsonl exists: choose another"):
        run(replace(job, offsets=tmp_path / "mine.jsonl"), engine, resume=True)
    assert (tmp_path / "mine.jsonl").read_text() == "mine"


def test_settings_that_no_note_can_be_done_with_leave_nothing_behind(job, engine):
    def refuses(shards):
        raise ConfigError("no such device")
        yield

    with pytest.raises(ConfigError, match="no such device"):
        run(job, refuses)
    assert not job.part.exists()
    run(job, engine)


def test_inputs_that_are_none(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        opened(tmp_path / "n.jsonl", Reading())
    (tmp_path / "n.docx").touch()
    with pytest.raises(ConfigError, match="say what it is with --format"):
        opened(tmp_path / "n.docx", Reading())
    with pytest.raises(ConfigError, match="--encoding 'utf-9' is none"):
        opened(tmp_path / "n.docx", Reading(encoding="utf-9"))
    with pytest.raises(ConfigError, match="--patient-pattern has no group"):
        opened(tmp_path / "n.docx", Reading(patient_pattern="^p"))
    with pytest.raises(ConfigError, match="is read from a file"):
        opened(tmp_path, Reading(), "csv")
