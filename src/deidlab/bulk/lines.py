"""Long files line by line in bounded memory, whatever the length of a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deidlab.types import ConfigError

CHUNK = 1 << 20


def check_encoding(encoding: str) -> None:
    """Raise `ConfigError` for an encoding in which the bytes of a line end, a comma or a quote mean something else."""
    if '\n,"'.encode(encoding) != b'\n,"':
        raise ConfigError(f"lines in {encoding} cannot be told apart: convert the file to UTF-8 first")


def lines(stream: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """Lines with their ends, None in place of one of more than `longest` bytes."""
    while line := stream.readline(longest + 1):
        if len(line) <= longest:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(CHUNK)
        yield None


def count_lines(file: Path) -> int:
    """Lines of a file, the last one counted with or without its end."""
    count, last = 0, b"\n"
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")
