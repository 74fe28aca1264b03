"""Where the work is done: here, or in several processes. An engine maps shards of notes to their results.

Another (a cluster's) is one more function of this signature: nothing else knows where notes are processed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context

from deidlab.bulk.notes import Note
from deidlab.deidentifier import Deidentified, Deidentifier, Failure
from deidlab.types import DeidlabError, Document

Results = list[Deidentified | Failure]
Make = Callable[[], Deidentifier]


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive notes of a job that are processed together and stored as one."""

    number: int
    notes: Sequence[Note] = field(repr=False)

    @property
    def documents(self) -> list[Document]:
        """Those of its notes that could be read."""
        return [note.document for note in self.notes if note.document is not None]


# Yields each shard with a result for every one of its documents; takes no more shards than it has room for.
Engine = Callable[[Iterable[Shard]], Iterator[tuple[Shard, Results]]]


def here(make: Make) -> Engine:
    """Process in this process; the model is loaded when the first shard comes."""

    def run(shards: Iterable[Shard]) -> Iterator[tuple[Shard, Results]]:
        deidentifier: Deidentifier | None = None
        for shard in shards:
            deidentifier = deidentifier or make()
            yield shard, deidentifier.results(shard.documents)

    return run


def processes(make: Make, workers: int) -> Engine:
    """Process in `workers` processes, each with a model of its own; `make` must be picklable."""

    def run(shards: Iterable[Shard]) -> Iterator[tuple[Shard, Results]]:
        threads = max(1, (os.cpu_count() or 1) // workers)
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(make, threads))
        waiting: deque[tuple[Shard, Future[Results]]] = deque()
        try:
            for shard in shards:
                waiting.append((shard, pool.submit(_work, shard.documents)))
                if len(waiting) > 2 * workers:
                    yield _finished(waiting)
            while waiting:
                yield _finished(waiting)
        except BrokenProcessPool:
            raise DeidlabError(
                "a worker process died, perhaps for want of memory; --resume goes on, with fewer --workers if need be"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return run


def _finished(waiting: deque[tuple[Shard, Future[Results]]]) -> tuple[Shard, Results]:
    shard, future = waiting.popleft()
    return shard, future.result()


_make: Make | None = None
_deidentifier: Deidentifier | None = None


def _begin(make: Make, threads: int) -> None:
    global _make
    _make = make
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # before PyTorch is loaded, where there is one


def _work(documents: list[Document]) -> Results:
    # Loaded with the first shard, not when the process begins: there, an error would end as a broken pool.
    global _deidentifier
    if _deidentifier is None:
        assert _make is not None
        _deidentifier = _make()
    return _deidentifier.results(documents)
