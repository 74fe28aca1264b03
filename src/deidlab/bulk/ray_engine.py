"""Shards through Ray Data: actors on one machine or many hold the model; notes are read and written here.

Only shards travel, so no worker needs to see the files, and what comes back is stored as it is from any other engine.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from deidlab.bulk.engines import Engine, Make, Results, Shard
from deidlab.deidentifier import Deidentifier
from deidlab.types import ConfigError, DeidlabError, Document

AHEAD = 4  # shards under way for each actor: they never wait, and memory does not grow with the job
ATTEMPTS = 3  # a shard that ends its actor so often ends the job


def actors(make: Make, number: int | None = None, device: str = "auto") -> Engine:
    """Process in `number` Ray actors, each with a model of its own: one a GPU, or one a CPU core, if not given.

    A cluster is found by the environment variable RAY_ADDRESS, as Ray does; without it, Ray is started on this machine.
    Raises `ConfigError` where Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise ConfigError('--engine ray needs Ray: pip install "deidlab[ray]" (--engine local does without)')

    def run(shards: Iterable[Shard]) -> Iterator[tuple[Shard, Results]]:
        import ray
        from ray.exceptions import RayError

        began = not ray.is_initialized()
        if began:
            begin(ray)
        try:
            yield from stream(ray, shards, make, number, device)
        except RayError as error:
            # Its message may quote a note.
            raise DeidlabError(
                f"Ray ended the job ({type(error).__name__}): --resume goes on; its logs say more"
            ) from None
        finally:
            if began:
                ray.shutdown()

    return run


def begin(ray: Any) -> None:
    """Join the cluster, or start Ray here; nothing is reported to anybody, and workers print nothing."""
    importlib.import_module("ray.data")  # sets levels of its own

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it quotes of an error may quote a note
    joins = "RAY_ADDRESS" in os.environ
    where = {} if joins else {"address": "local", "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **where)
    except Exception as error:  # of many kinds; none of them has seen a note
        if joins:
            raise ConfigError(
                f"no Ray cluster at RAY_ADDRESS ({type(error).__name__}): begin with `ray start --head`, or unset it"
            ) from None
        raise ConfigError(
            f"Ray did not start on this machine ({type(error).__name__}): it gives up after half a minute, so is the "
            "machine busy? --engine local needs no Ray"
        ) from None


def stream(
    ray: Any, shards: Iterable[Shard], make: Make, number: int | None, device: str
) -> Iterator[tuple[Shard, Results]]:
    """The shards with their results, in the order in which they are done."""
    from ray.util.queue import Queue

    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0)) if device in ("auto", "cuda") else 0
    number = number or gpus or max(int(there.get("CPU", 1)), 1)
    queue = Queue(actor_options={"num_cpus": 0})
    room = threading.Semaphore(AHEAD * number)
    feeder = Feeder(shards, queue, room)
    feeder.start()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # bytes: each shard is a block of its own, passed on at once
    source = ray.data.from_items([0], override_num_blocks=1)
    results = source.map_batches(
        fed, fn_kwargs={"queue": queue}, batch_size=None, batch_format="pyarrow", num_cpus=0, max_retries=0
    ).map_batches(
        Worker, fn_constructor_args=(make,), batch_size=None, batch_format="pyarrow", num_cpus=0 if gpus else 1,
        num_gpus=1 if gpus else 0, compute=ray.data.ActorPoolStrategy(size=number), max_restarts=ATTEMPTS,
        max_task_retries=ATTEMPTS,
    )  # fmt: skip
    try:
        for table in results.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
            for row in table.to_pylist():
                # What a lost node made Ray compute twice comes once.
                if (shard := feeder.waiting.pop(row["number"], None)) is not None:
                    room.release()
                    yield shard, checked(shard, pickle.loads(row["results"]))
    finally:
        feeder.stopped = True
        room.release()
    feeder.join(60)
    if feeder.error is not None:
        raise feeder.error
    if feeder.waiting:
        raise DeidlabError(f"{len(feeder.waiting)} shards were lost with a node of the cluster: --resume goes on")


class Feeder(threading.Thread):
    """Puts shards into a queue as long as there is `room`; `waiting` holds those without results."""

    def __init__(self, shards: Iterable[Shard], queue: Any, room: threading.Semaphore) -> None:
        super().__init__(name="deidlab shards", daemon=True)
        self.shards, self.queue, self.room = shards, queue, room
        self.waiting: dict[int, Shard] = {}
        self.error: BaseException | None = None
        self.stopped = False

    def run(self) -> None:
        try:
            for shard in self.shards:
                self.room.acquire()
                if self.stopped:
                    return
                self.waiting[shard.number] = shard
                self.queue.put((shard.number, pickle.dumps(shard.documents)))
        except BaseException as error:  # told where the results are awaited
            self.error = error
        finally:
            if not self.stopped:
                self.queue.put(None)


def fed(_: pa.Table, queue: Any) -> Iterator[pa.Table]:
    """What comes out of the queue, a shard a table."""
    while (item := queue.get()) is not None:
        yield pa.table({"number": [item[0]], "documents": pa.array([item[1]], pa.large_binary())})


class Worker:
    """An actor: loads the model once, with its first shard; where it cannot, its answer says why.

    That is told and not raised: on its way through Ray an error loses what caused it.
    """

    def __init__(self, make: Make) -> None:
        self.make = make
        self.deidentifier: Deidentifier | None = None

    def __call__(self, table: pa.Table) -> pa.Table:
        results = [
            pickle.dumps(self.answer(pickle.loads(documents))) for documents in table.column("documents").to_pylist()
        ]
        return pa.table({"number": table.column("number"), "results": pa.array(results, pa.large_binary())})

    def answer(self, documents: list[Document]) -> Results | DeidlabError:
        try:
            self.deidentifier = self.deidentifier or self.make()
        except DeidlabError as error:
            return error
        return self.deidentifier.results(documents)


def checked(shard: Shard, results: Results | DeidlabError) -> Results:
    """The results of the shard's documents; raises what the worker said instead, and `DeidlabError` for any others."""
    if isinstance(results, DeidlabError):
        raise results
    if [result.id for result in results] != [document.id for document in shard.documents]:
        raise DeidlabError(f"shard {shard.number} came back with results of other notes: --resume goes on")
    return results
