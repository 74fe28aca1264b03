"""The folder of an unfinished job, `OUT.part/`: whose it is, what it was begun with, which shards are done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deidlab.bulk.files import as_json, replaced
from deidlab.types import ConfigError


@contextmanager
def locked(part: Path) -> Iterator[None]:
    """The unfinished job's folder, for this process alone; a killed process leaves no lock."""
    part.mkdir(mode=0o700, exist_ok=True)
    with (part / "lock").open("w") as handle:
        try:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # no POSIX system
            pass
        except BlockingIOError:
            raise ConfigError(f"{part}: another process works on this job") from None
        yield


def clear(part: Path) -> None:
    for path in part.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def begin_or_go_on(part: Path, description: Mapping[str, Any]) -> None:
    """Write what the job is, or check that the unfinished one is the same."""
    file = part / "job.json"
    now = json.loads(json.dumps(description))
    if file.is_file():
        before = json.loads(file.read_text("utf-8"))
        if before["input"] != now["input"]:
            raise ConfigError(f"{part} is of another input, or the input changed since; start anew: --overwrite")
        names = {**before["settings"], **now["settings"]}
        if differing := [n for n in names if before["settings"].get(n) != now["settings"].get(n)]:
            raise ConfigError(
                f"{part} was begun with other settings ({', '.join(sorted(differing))}): resume with the same, or "
                "start anew with --overwrite"
            )
    else:
        clear(part)
        with replaced(file) as stream:
            stream.write(as_json(now))
    (part / "shards").mkdir(mode=0o700, exist_ok=True)


def done_shards(part: Path) -> dict[int, Path]:
    """The shards that are done by their numbers; what a killed process left half-written is removed."""
    found = {}
    for folder in sorted((part / "shards").iterdir()):
        if folder.name.isdigit():
            found[int(folder.name)] = folder
        else:
            shutil.rmtree(folder)
    return found
