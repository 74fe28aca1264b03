"""Requests that come at the same time go through the model together, in one thread; each gets its own answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Lock, Thread
from typing import Any

from deidlab.deidentifier import Deidentified, Deidentifier, Failure
from deidlab.types import DeidlabError, Document, Prediction

Answer = Deidentified | Prediction | Failure


class Busy(DeidlabError):
    """More waits than is held in memory."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A note of a request: to be de-identified, or only to be analysed."""

    document: Document
    redact: bool


@dataclass(frozen=True, slots=True)
class Request:
    """Notes that are answered together, and where their answers are awaited."""

    asked: Sequence[Asked]
    answers: Future[list[Any]]

    @property
    def characters(self) -> int:
        return sum(len(one.document.text) for one in self.asked)


def answered(deidentifier: Deidentifier, asked: Sequence[Asked]) -> list[Answer]:
    """An answer to each note, in order; one that fails, fails alone."""
    found = deidentifier.found([one.document for one in asked])
    return [
        deidentifier.redacted(one.document, prediction)
        if one.redact and isinstance(prediction, Prediction)
        else prediction
        for one, prediction in zip(asked, found, strict=True)
    ]


class Batcher:
    """Collects requests for `wait` seconds, or until they have `most` characters, and lets `work` answer them at once.

    `submit` raises `Busy` while requests of `room` characters wait; `observed(notes)` hears the size of each batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], list[Answer]],
        *,
        wait: float = 0.005,
        most: int = 200_000,
        room: int = 32_000_000,
        observed: Callable[[int], None] = lambda notes: None,
    ) -> None:
        self._work, self._wait, self._most, self._room, self._observed = work, wait, most, room, observed
        self._requests: Queue[Request | None] = Queue()
        self._lock = Lock()
        self._characters = 0  # of all requests that wait or are worked on
        self._thread = Thread(target=self._run, name="deidlab batches", daemon=True)
        self._thread.start()

    @property
    def characters(self) -> int:
        """How much there is to do."""
        return self._characters

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, asked: Sequence[Asked]) -> Future[list[Answer]]:
        """The answers to the notes of one request, in their order, when they are there."""
        request = Request(asked, Future())
        with self._lock:
            if self._characters and self._characters + request.characters > self._room:
                raise Busy("too many notes wait: ask again later")
            self._characters += request.characters
        self._requests.put(request)
        return request.answers

    def close(self) -> None:
        """Answer what waits, and end."""
        self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._requests.get()) is not None:
            batch = self._collected(first)
            # A client that has left cancels its request: nobody waits for it.
            self._answer([request for request in batch if request.answers.set_running_or_notify_cancel()])
            with self._lock:
                self._characters -= sum(request.characters for request in batch)

    def _collected(self, first: Request) -> list[Request]:
        batch, characters, end = [first], first.characters, time.monotonic() + self._wait
        while characters < self._most:
            try:
                request = self._requests.get(timeout=max(end - time.monotonic(), 0))
            except Empty:
                break
            if request is None:
                self._requests.put(None)  # the end comes after this batch
                break
            batch.append(request)
            characters += request.characters
        return batch

    def _answer(self, batch: Sequence[Request]) -> None:
        asked = [one for request in batch for one in request.asked]
        if not asked:
            return
        self._observed(len(asked))
        try:
            answers = self._checked(asked)
        except Exception as error:
            if len(batch) == 1:
                batch[0].answers.set_exception(error)
            else:  # a fault in one request is no other's
                for request in batch:
                    self._answer([request])
            return
        for request in batch:
            mine, answers = answers[: len(request.asked)], answers[len(request.asked) :]
            request.answers.set_result(mine)

    def _checked(self, asked: Sequence[Asked]) -> list[Answer]:
        answers = self._work(asked)
        if len(answers) != len(asked):
            raise DeidlabError(f"{len(answers)} answers to {len(asked)} notes")
        return answers
