"""Queues of made-up notes, and `deidlab review` as a process of its own on a real socket."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deidlab.review.decisions import Journal, journal_of
from deidlab.review.desk import Desk
from deidlab.review.queue import Question, Queue, QueuedNote, to_line, write
from deidlab.types import Document, Span

SMITH = Document(
    "n-1",
    "Mr Smith, 54, was seen on 03/04/2012 by Dr Jones. Bell's palsy.",
    (Span(3, 8, "PATIENT", 0.98), Span(26, 36, "DATE", 0.7), Span(50, 54, "PATIENT", 0.55)),
    {"patient": "p-1"},
)
SMITH_QUEUED = QueuedNote(
    SMITH,
    (
        Question(SMITH.spans[2], "likely_false_alarm", 0.45),
        Question(Span(43, 48, "DOCTOR", 0.3), "likely_miss", 0.7),
    ),
    1.15,
)


def plain(number: int) -> QueuedNote:
    """A note with one span that nobody doubts."""
    return QueuedNote(Document(f"n-{number}", f"Ms Okafor ({number}) is well.", (Span(3, 9, "PATIENT", 0.99),)), (), 0)


@pytest.fixture
def queue_file(tmp_path) -> Path:
    """Three notes: one with two questions, two without any."""
    write([SMITH_QUEUED, plain(2), plain(3)], tmp_path / "queue.jsonl")
    return tmp_path / "queue.jsonl"


@pytest.fixture
def long_queue(tmp_path) -> Path:
    """Ten thousand notes of five hundred words, with twenty spans each."""
    text = " ".join(["Mr Smith was seen by Dr Jones on 03/04/2012 for"] * 50)
    starts = range(0, len(text) - 50, len(text) // 20)
    spans = tuple(Span(start, start + 5, ("PATIENT", "DOCTOR", "DATE")[start % 3], 0.875) for start in starts)
    note = QueuedNote(Document("n-0", text, spans), (Question(spans[0], "likely_false_alarm", 0.5),), 1)
    line = to_line(note)
    with (tmp_path / "long.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(line.replace('"n-0"', f'"n-{number}"', 1) for number in range(10_000))
    return tmp_path / "long.jsonl"


@pytest.fixture
def desk(queue_file) -> Iterator[Desk]:
    journal = Journal(journal_of(queue_file))
    yield Desk(Queue(queue_file), journal)
    journal.close()


@dataclass
class Served:
    """A review that runs: its process, and a link that opens once."""

    process: subprocess.Popen
    link: str

    @property
    def address(self) -> str:
        return self.link.partition("?")[0]

    def kill(self) -> None:
        """As a power cut would end it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def next_link(self) -> str:
        """The link for another browser, which is printed when the last one has been used."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"another browser: (\S+)", line):
                return found[1]
        raise AssertionError("the server has ended")


@pytest.fixture
def served(queue_file) -> Callable[..., object]:
    """Start `deidlab review` of the queue, or of another: `with served() as review`."""
    for needed in ("fastapi", "uvicorn"):
        pytest.importorskip(needed, reason=f'{needed} is not installed: pip install -e ".[serve]"')

    @contextmanager
    def go(queue: Path = queue_file, *arguments: str) -> Iterator[Served]:
        command = [sys.executable, "-m", "deidlab", "review", str(queue), "--reviewer", "Ada"]
        source = Path(__file__).parents[2] / "src"
        environment = {**os.environ, "PYTHONPATH": str(source)}
        process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True, env=environment)
        try:
            first = process.stderr.readline()
            found = re.search(r"http://\S+", first)
            assert found, first + process.stderr.read()
            yield Served(process, found[0])
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    return go
