"""Streams of notes: any number in constant memory, the same bytes whatever the number of worker processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from functools import partial

from deidlab.synthesis.notes import write_note
from deidlab.synthesis.settings import Settings
from deidlab.types import ConfigError, Document

CHUNK = 64  # notes a task
AHEAD = 8  # tasks a worker


def generate(settings: Settings, count: int, seed: int, *, start: int = 0, workers: int = 1) -> Iterator[Document]:
    """Notes `start` to `start + count`, in order; each depends on (settings, seed, index) alone.

    Raises `ConfigError` unless `count` and `workers` are at least 1 and `start` and `seed` at least 0.
    """
    for name, value, least in (("count", count, 1), ("workers", workers, 1), ("start", start, 0), ("seed", seed, 0)):
        if value < least:
            raise ConfigError(f"{name} is {value}; expected at least {least}")
    if workers == 1:
        return (write_note(settings, seed, index) for index in range(start, start + count))
    return _in_processes(settings, count, seed, start, workers)


def _in_processes(settings: Settings, count: int, seed: int, start: int, workers: int) -> Iterator[Document]:
    chunks = [(at, min(at + CHUNK, start + count)) for at in range(start, start + count, CHUNK)]
    # Spawned, not forked: the caller may hold threads (torch), whose locks a fork would copy in whatever state.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        # A few chunks at a time: workers faster than the reader must not fill the memory with notes.
        for first in range(0, len(chunks), AHEAD * workers):
            for documents in pool.imap(partial(_chunk, settings, seed), chunks[first : first + AHEAD * workers]):
                yield from documents


def _chunk(settings: Settings, seed: int, bounds: tuple[int, int]) -> list[Document]:
    return [write_note(settings, seed, index) for index in range(*bounds)]
