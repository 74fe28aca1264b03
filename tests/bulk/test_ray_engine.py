"""Through Ray come the same bytes as without it, whatever happens to its workers."""

import json
import os
import re
import signal
from functools import partial
from pathlib import Path

import pytest

from deidlab.bulk.engines import here, processes
from deidlab.bulk.formats import opened
from deidlab.bulk.job import Job, run
from deidlab.bulk.notes import Reading
from deidlab.deidentifier import Deidentifier, load
from deidlab.types import ConfigError, DeidlabError


class Deadly:
    """The rules, in a process that ends at the first note that says `crash`."""

    def __init__(self, flag: str) -> None:
        self.inner, self.flag = load(None), flag

    def results(self, documents):
        if any("crash" in document.text for document in documents) and not Path(self.flag).exists():
            Path(self.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.results(documents)


def broken() -> Deidentifier:
    raise ConfigError("no such model on this node")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Notes in many shards, among them two that fail."""
    folder = tmp_path_factory.mktemp("ray")
    lines = [json.dumps({"id": f"k{i}", "text": f"Seen on 03/04/2012 by Dr. Smith, MRN 12345{i}"}) for i in range(40)]
    lines[7], lines[20] = '{"id": "k7", "text": "Mr \\u0000"}', "no JSON"
    lines[30] = '{"id": "k30", "text": "crash 03/04/2012"}'
    (folder / "n.jsonl").write_text("\n".join(lines) + "\n")
    return opened(folder / "n.jsonl", Reading())


@pytest.fixture(scope="module")
def ray():
    found = pytest.importorskip("ray", reason='pip install -e ".[ray]"')
    from deidlab.bulk.ray_engine import begin

    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("RAY_ADDRESS", raising=False)
        # Workers find this module by its name.
        environment.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        begin(found)
        yield found
        found.shutdown()


def done(source, folder, engine) -> dict[str, bytes]:
    job = Job(source, folder / "out.jsonl", {}, folder / "offsets", folder / "spans", shard_notes=3)
    summary = run(job, engine, overwrite=True)
    assert (summary.notes, summary.failed) == (40, 2)
    return {file.name: file.read_bytes() for file in (job.out, job.offsets, job.annotations, job.failed_file)}


def test_ray_processes_and_this_process_write_the_same_bytes(source, tmp_path, ray):
    from deidlab.bulk.ray_engine import actors

    make = partial(load, None)
    alone = done(source, tmp_path, here(make))
    assert alone["out.jsonl"].count(b"[MRN]") > 30 and not re.search(rb"\d/", alone["out.jsonl"])
    assert done(source, tmp_path, actors(make, 2)) == alone


def test_an_actor_that_is_killed_is_replaced_and_the_job_ends_the_same(source, tmp_path, ray):
    from deidlab.bulk.ray_engine import actors

    alone = done(source, tmp_path, here(partial(load, None)))
    assert done(source, tmp_path, actors(partial(Deadly, str(tmp_path / "crashed")), 1)) == alone
    assert (tmp_path / "crashed").exists()


def test_what_a_worker_cannot_load_is_said_in_our_words(source, tmp_path, ray):
    from deidlab.bulk.ray_engine import actors

    with pytest.raises(DeidlabError, match="no such model on this node"):
        done(source, tmp_path, actors(broken, 1))


def test_a_local_worker_that_is_killed_ends_the_job_and_it_is_resumed_to_the_same_bytes(source, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # processes that are spawned find this module by its name
    alone = done(source, tmp_path, here(partial(load, None)))
    job = Job(source, tmp_path / "o.jsonl", {}, shard_notes=3)
    deadly = partial(Deadly, str(tmp_path / "crashed"))
    with pytest.raises(DeidlabError, match="a worker process died"):
        run(job, processes(deadly, 2))
    assert not job.out.exists()
    run(job, processes(deadly, 2), resume=True)
    assert job.out.read_bytes() == alone["out.jsonl"]


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch):
    from deidlab.bulk import ray_engine

    monkeypatch.setattr(ray_engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"deidlab\[ray\]"):
        ray_engine.actors(partial(load, None))
