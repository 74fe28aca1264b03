"""A run's folder, its private cache, its errors, and what its provenance says."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from deidlab import runs
from deidlab.types import ConfigError, DataError


def run_before(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("seed: 1\n")
    (folder / "report.json").write_text("{}")
    return folder


def test_runs_without_a_name_are_numbered_and_none_is_taken_twice(tmp_path):
    root = str(tmp_path / "outputs")
    assert [runs.run_folder(None, False, root=root).name for _ in range(3)] == ["001", "002", "003"]
    (tmp_path / "outputs" / "041").mkdir()
    (tmp_path / "outputs" / "my_run").mkdir()
    assert runs.run_folder(None, True, root=root).name == "042"


def test_a_named_folder_is_made_with_its_parents_and_an_empty_one_is_taken(tmp_path):
    assert runs.run_folder(str(tmp_path / "a" / "b"), False).is_dir()
    assert runs.run_folder(str(tmp_path / "a" / "b"), False) == tmp_path / "a" / "b"


def test_a_run_that_is_there_is_refused_unless_overwrite(tmp_path):
    folder = run_before(tmp_path / "run")
    with pytest.raises(ConfigError, match=r"output_dir=.*run exists: choose another, or say overwrite=true"):
        runs.run_folder(str(folder), False)
    assert (folder / "report.json").is_file()
    assert list(runs.run_folder(str(folder), True).iterdir()) == []


def test_the_name_of_a_run_that_failed_before_it_began_is_free(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("seed: 1\n")
    assert runs.run_folder(str(tmp_path / "run"), False) == tmp_path / "run"


def test_overwrite_spares_what_is_no_run(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("thesis", "file"):
        with pytest.raises(ConfigError, match="is no run's folder"):
            runs.run_folder(str(tmp_path / name), True)
    assert (tmp_path / "thesis" / "chapter.txt").is_file() and (tmp_path / "file").is_file()


@pytest.mark.parametrize("read", [".", "checkpoint"])
def test_overwrite_spares_what_the_run_reads(tmp_path, read):
    folder = run_before(tmp_path / "run")
    (folder / "checkpoint").mkdir()
    with pytest.raises(ConfigError, match="which this run reads"):
        runs.run_folder(str(folder), True, reads=(None, "hub/name", str(folder / read)))
    assert (folder / "report.json").is_file()
    assert list(runs.run_folder(str(folder), True, reads=(None, "hub/name", str(tmp_path))).iterdir()) == []


@pytest.mark.parametrize("fault", [None, DataError("x"), KeyboardInterrupt()])
def test_the_cache_is_private_and_gone_afterwards_whatever_happened(tmp_path, fault):
    seen = None
    try:
        with runs.private_cache(tmp_path) as cache:
            (cache / "train.arrow").write_text("a note")
            seen = cache.stat().st_mode & 0o777
            if fault:
                raise fault
    except type(fault or DataError("")):
        pass
    assert seen == 0o700
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_gone_when_a_scheduler_ends_the_run(tmp_path):
    code = (
        "import os, pathlib, signal, sys; from deidlab import runs\n"
        "with runs.private_cache(pathlib.Path(sys.argv[1])) as cache:\n"
        "    (cache / 'train.arrow').write_text('a note')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == 143  # as a shell reports SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_our_errors_end_with_one_line_and_status_2(capsys):
    with pytest.raises(SystemExit) as exit, runs.mendable_errors():
        raise DataError("d1: bad span; mend it")
    assert exit.value.code == 2
    assert capsys.readouterr().err == "error: d1: bad span; mend it\n"


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError), runs.mendable_errors():
        raise ZeroDivisionError


@dataclass(frozen=True)
class Thing:
    """What the config of the next test names."""

    size: int
    parts: dict
    partner: object = None

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ConfigError("size must not be negative")


def test_instantiate_gives_plain_containers_passes_arguments_as_they_are_and_unwraps_our_errors(monkeypatch):
    monkeypatch.setitem(sys.modules, "things_of_this_test", sys.modules[__name__])
    config = OmegaConf.create({"_target_": "things_of_this_test.Thing", "size": 1, "parts": {"a": [1]}})
    partner = Thing(2, {})
    made = runs.instantiate(config, partner=partner)
    assert made.partner is partner and type(made.parts) is dict and type(made.parts["a"]) is list
    with pytest.raises(ConfigError, match=r"^size must not be negative$"):
        runs.instantiate(OmegaConf.merge(config, {"size": -1}))


def test_the_settings_digest_tells_settings_apart_but_not_places():
    config = "seed: 1\nname: null\noutput_dir: a\noverwrite: false\n"
    moved = "seed: 1\nname: title\noutput_dir: b\noverwrite: true\n"
    assert runs.settings_digest(config) == runs.settings_digest(moved)
    assert runs.settings_digest(config) != runs.settings_digest(config.replace("seed: 1", "seed: 2"))


def test_json_is_written_the_same_way_every_time_and_never_as_nan(tmp_path):
    runs.write_json(tmp_path / "a.json", {"b": 1.5, "a": "é"})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "b": 1.5,\n  "a": "é"\n}\n'.encode()
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"b": 1.5, "a": "é"}
    with pytest.raises(ValueError):
        runs.write_json(tmp_path / "b.json", {"x": float("nan")})


def test_the_commit_is_that_of_the_source_tree():
    stated = runs.commit()
    assert stated is None or len(stated.removesuffix("-dirty")) == 40
