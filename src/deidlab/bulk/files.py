"""Bytes that must not be lost, half-written or read by others: synced, private, renamed into place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from deidlab.corpora.files import private

CHUNK = 1 << 20
NOTES = "notes"  # what a shard keeps its notes in, a file or a folder


def private_file(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return open(path, "wb", opener=private)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is whole; after an error nothing of it is left."""
    rough = path.with_name(f".{path.name}.rough")
    try:
        with private_file(rough) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        rough.replace(path)
    except BaseException:
        rough.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folders(root: Path, relative: Path) -> Path:
    """A folder below `root`, each on the way made for its owner only."""
    for folder in (*reversed(relative.parents), relative):
        (root / folder).mkdir(mode=0o700, exist_ok=True)
    return root / relative


def as_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def json_line(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def concatenate(parts: Iterable[Path], stream: BinaryIO) -> None:
    """Append files to a stream, in memory that does not grow with them; those that are not there are empty."""
    for part in parts:
        if part.exists():
            with part.open("rb") as source:
                shutil.copyfileobj(source, stream, CHUNK)


def write_part(shard: Path, rendered: Iterable[bytes]) -> None:
    """Write the notes of a shard, one after the other, into its file."""
    with private_file(shard / NOTES) as stream:
        stream.writelines(rendered)


def join_parts(shards: Iterable[Path], out: Path, head: bytes = b"") -> None:
    """One file of the notes of all shards, after a head."""
    with replaced(out) as stream:
        stream.write(head)
        concatenate((shard / NOTES for shard in shards), stream)


def sync_tree(folder: Path) -> None:
    """Make all below a folder last: many files at once, for a disk takes them together."""
    paths = [folder, *folder.rglob("*")]
    with ThreadPoolExecutor(min(len(paths), 16)) as pool:
        list(pool.map(lambda path: sync_folder(path) if path.is_dir() else sync_file(path), paths))


def sync_file(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems sync no folders
        pass
    finally:
        os.close(handle)


def stamp(path: Path) -> list[int]:
    """Size and time of the last change: what tells a file from one that was changed since."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
