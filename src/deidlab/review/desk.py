"""The desk at which reviewers sit: a queue, their decisions, and nothing lost when two decide at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock

from deidlab.review.decisions import Decision, Journal, Verdict
from deidlab.review.opinions import Action, Malformed, Opinion, gold, verdicts_of
from deidlab.review.queue import Queue
from deidlab.types import DeidlabError, Document, Span


class Conflict(DeidlabError):
    """A decision on something that has changed since its reviewer saw it."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """A decision that can be taken back: its number in the journal, and what stood there before."""

    number: int
    note: str
    verdicts: Mapping[Span, Verdict]
    done: bool


@dataclass
class Opinions:
    """All that reviewers hold of the notes of a queue, as their decisions made it.

    Decisions on notes that the queue does not have, or has with another text, are set aside and counted.
    """

    queue: Queue
    of: dict[tuple[str, str], Opinion] = field(default_factory=dict)  # (reviewer, note)
    undoable: dict[str, list[Undoable]] = field(default_factory=dict)  # per reviewer, the latest last
    set_aside: Counter[str] = field(default_factory=Counter)
    decisions: int = 0

    @classmethod
    def read(cls, queue: Queue, decisions: Iterable[Decision]) -> Opinions:
        opinions = cls(queue)
        for decision in decisions:
            opinions.take(decision)
        return opinions

    def take(self, decision: Decision) -> None:
        """Let a decision count."""
        self.decisions += 1
        number = self.queue.numbers.get(decision.note)
        if number is None or self.queue.entries[number].fingerprint != decision.fingerprint:
            self.set_aside["note not in the queue" if number is None else "made for another text"] += 1
            return
        opinion = self.of.setdefault((decision.reviewer, decision.note), Opinion())
        verdicts, done = opinion.set(dict(decision.verdicts), decision.done)
        stack = self.undoable.setdefault(decision.reviewer, [])
        if decision.undoes is None:
            stack.append(Undoable(self.decisions, decision.note, verdicts, done))
        elif stack and stack[-1].number == decision.undoes:
            stack.pop()

    def held(self, reviewer: str, note: str) -> Opinion:
        return self.of.get((reviewer, note)) or Opinion()

    @property
    def reviewers(self) -> tuple[str, ...]:
        return tuple(sorted({reviewer for reviewer, _ in self.of}))

    def done(self, reviewer: str) -> list[int]:
        """The numbers of the notes that a reviewer has finished."""
        numbers = (self.queue.numbers[note] for (who, note), one in self.of.items() if who == reviewer and one.done)
        return sorted(numbers)

    def finished(self) -> dict[int, tuple[str, ...]]:
        """Who has finished each note that somebody has, by number."""
        by_note: dict[int, list[str]] = {}
        for (reviewer, note), opinion in self.of.items():
            if opinion.done:
                by_note.setdefault(self.queue.numbers[note], []).append(reviewer)
        return {number: tuple(sorted(by_note[number])) for number in sorted(by_note)}

    def answer(self, number: int, reviewer: str) -> Document:
        """The note as a reviewer holds it: its gold, without scores."""
        note = self.queue[number]
        found = gold(note, self.held(reviewer, note.document.id))
        return Document(note.document.id, note.document.text, found, note.document.meta)


class Desk:
    """Takes decisions, one at a time: each is in the journal, on the disk, before it counts."""

    def __init__(self, queue: Queue, journal: Journal, labels: Iterable[str] = ()) -> None:
        """`labels` may be given to spans beside those that the queue has."""
        self.queue, self.journal = queue, journal
        self.opinions = Opinions.read(queue, journal.decisions)
        self.labels = tuple(sorted({*queue.labels, *labels}))
        self.lock = RLock()

    def decide(
        self,
        number: int,
        fingerprint: str,
        reviewer: str,
        base: int,
        action: Action,
        span: Span | None = None,
        to: Span | None = None,
    ) -> None:
        """Let a decision count that was made on revision `base` of a note.

        Raises `Malformed` for one that makes no sense, and `Conflict` for one on another text, or on what another page
        of this reviewer has changed since.
        """
        with self.lock:
            if not 0 <= number < len(self.queue) or self.queue.entries[number].fingerprint != fingerprint:
                raise Conflict("the queue has another text here than the page: reload it")
            if to is not None and to.label not in self.labels:
                raise Malformed("no label of this queue (--labels adds some)")
            note = self.queue[number]
            opinion = self.opinions.held(reviewer, note.document.id)
            self._check_current(action, opinion, base, [one for one in (span, to) if one is not None])
            verdicts = verdicts_of(action, note, opinion, span, to)
            done = {"finish": True, "reopen": False}.get(action)
            self._save(Decision(note.document.id, fingerprint, reviewer, now(), tuple(verdicts.items()), done))

    def undo(self, reviewer: str, expected: int) -> int:
        """Take back a reviewer's latest decision; returns the number of the note it was about.

        Raises `Conflict` when that is not the decision of number `expected`, `Malformed` when there is none.
        """
        with self.lock:
            stack = self.opinions.undoable.get(reviewer)
            if not stack:
                raise Malformed("there is nothing to undo")
            last = stack[-1]
            if last.number != expected:
                raise Conflict("another page has decided since: look again before you undo")
            number = self.queue.numbers[last.note]
            fingerprint = self.queue.entries[number].fingerprint
            self._save(
                Decision(last.note, fingerprint, reviewer, now(), tuple(last.verdicts.items()), last.done, last.number)
            )
            return number

    def undoable(self, reviewer: str) -> int | None:
        """The number of the decision that an undo would take back."""
        stack = self.opinions.undoable.get(reviewer)
        return stack[-1].number if stack else None

    def _check_current(self, action: Action, opinion: Opinion, base: int, spans: list[Span]) -> None:
        # To finish a note is to have seen all of it.
        whole = action in ("finish", "reopen") and base != opinion.revision
        if base > opinion.revision or whole or opinion.changed_since(base, spans):
            raise Conflict("another page of yours has changed this since: look again")

    def _save(self, decision: Decision) -> None:
        self.journal.append(decision)
        self.opinions.take(decision)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
