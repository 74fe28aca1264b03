"""Decisions of reviewers: what they say, and the journal beside the queue in which each is safe before it counts.

A decision sets verdicts on spans (an identifier, not one, undecided again) and may end the review of a note. Undoing
is a decision too: the journal is only ever appended to, and holds offsets and labels, never text.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from deidlab.types import DataError, DeidlabError, Span

REVIEWER = re.compile(r"\w[\w .@-]{0,39}")

Verdict = bool | None  # an identifier, not one, undecided


class NotSaved(DeidlabError):
    """A decision that could not be written, and therefore does not count."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer said of a note at a time (ISO 8601, UTC).

    `undoes` is the number of the decision that this one takes back.
    """

    note: str
    fingerprint: str
    reviewer: str
    at: str
    verdicts: tuple[tuple[Span, Verdict], ...] = ()
    done: bool | None = None
    undoes: int | None = None

    def to_line(self) -> bytes:
        row = {
            "note": self.note,
            "fingerprint": self.fingerprint,
            "reviewer": self.reviewer,
            "at": self.at,
            "verdicts": [[span.start, span.end, span.label, verdict] for span, verdict in self.verdicts],
            "done": self.done,
            "undoes": self.undoes,
        }
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes, place: str) -> Decision:
        """Raises `DataError` for a line that is no decision."""
        try:
            row = json.loads(line.decode("utf-8"))
            verdicts = tuple((Span(start, end, label), verdict) for start, end, label, verdict in row.pop("verdicts"))
            made = cls(**row, verdicts=verdicts)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise DataError(
                f"{place}: is no decision of a review ({type(error).__name__}); restore the file from a copy"
            ) from None
        strings = (made.note, made.fingerprint, made.reviewer, made.at, *(span.label for span, _ in verdicts))
        numbers = (number for span, _ in verdicts for number in (span.start, span.end))
        if not (
            all(type(one) is str for one in strings)
            and all(type(one) is int for one in numbers)
            and all(one in (True, False, None) for one in (made.done, *(verdict for _, verdict in verdicts)))
            and (made.undoes is None or type(made.undoes) is int)
        ):
            raise DataError(f"{place}: is no decision of a review; restore the file from a copy")
        return made


def journal_of(queue: Path) -> Path:
    """Where the decisions on a queue are."""
    return queue.with_name(f"{queue.name}.decisions.jsonl")


def read(path: Path) -> list[Decision]:
    """The decisions of a journal, oldest first, none if there is no such file.

    A last line without its end was never acknowledged and does not count. Raises `DataError` for any other line that
    is no decision.
    """
    content = path.read_bytes() if path.exists() else b""
    *lines, _torn = content.split(b"\n")
    return [Decision.from_line(line, f"{path.name} line {number}") for number, line in enumerate(lines, start=1)]


class Journal:
    """A journal open for writing, by one process at a time; `decisions` are those found in it."""

    def __init__(self, path: Path) -> None:
        """Raises `DataError` for a journal that is faulty, not to be written, or open elsewhere."""
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; decisions are kept beside the queue") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise DataError(f"{path} is in use: this queue is being reviewed already; use that page") from None
        try:
            self.decisions = read(path)
            self._cut_torn_line()
            _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def append(self, decision: Decision) -> None:
        """Write a decision through to the disk; raises `NotSaved`, and leaves the journal as it was, if that fails."""
        before = os.fstat(self._file).st_size
        line = decision.to_line()
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(0, "no room for the whole decision")
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, before)
            raise NotSaved(f"the decision could not be saved: {error.strerror}") from None

    def close(self) -> None:
        os.close(self._file)

    def _cut_torn_line(self) -> None:
        """Take away a last line without its end, lest the next decision go on in it."""
        content = self.path.read_bytes()
        if (whole := content.rfind(b"\n") + 1) < len(content):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file as safe as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
