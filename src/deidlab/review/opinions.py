"""What a reviewer holds of a note: verdicts on spans, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from deidlab.review.decisions import Verdict
from deidlab.review.queue import Question, QueuedNote
from deidlab.types import DeidlabError, Span

Action = Literal["accept", "reject", "change", "add", "finish", "reopen"]


class Malformed(DeidlabError):
    """A decision that makes no sense for the note it is about."""


@dataclass
class Opinion:
    """The verdicts of one reviewer on one note; `touched[i]` are the spans that its i-th decision was about."""

    verdicts: dict[Span, bool] = field(default_factory=dict)
    done: bool = False
    touched: list[Sequence[Span]] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """How many decisions made it; the same again after a restart."""
        return len(self.touched)

    def set(self, verdicts: Mapping[Span, Verdict], done: bool | None) -> tuple[dict[Span, Verdict], bool]:
        """Take in a decision; returns what stood there before."""
        before = {span: self.verdicts.get(span) for span in verdicts}, self.done
        for span, verdict in verdicts.items():
            if verdict is None:
                self.verdicts.pop(span, None)
            else:
                self.verdicts[span] = verdict
        self.done = self.done if done is None else done
        self.touched.append(tuple(verdicts))
        return before

    def changed_since(self, revision: int, spans: Sequence[Span]) -> bool:
        """Whether a later decision than `revision` was about characters of these spans."""
        later = [span for touched in self.touched[revision:] for span in touched]
        return any(one.start < other.end and other.start < one.end for one in spans for other in later)


@dataclass(frozen=True, slots=True)
class Shown:
    """A span as a reviewer sees it; `proposed` says that the system takes it for an identifier."""

    span: Span
    proposed: bool
    verdict: Verdict
    question: Question | None = None

    @property
    def is_gold(self) -> bool:
        """A verdict decides; without one, what the system says stands."""
        return self.proposed if self.verdict is None else self.verdict


def shown(note: QueuedNote, opinion: Opinion) -> tuple[Shown, ...]:
    """Every span that the system or the reviewer speaks of, sorted."""
    asked = {question.span: question for question in note.questions}
    proposed = {span: span for span in note.document.spans}  # a key without a score finds the one with it
    spans = {**{span: span for span in opinion.verdicts}, **{span: span for span in asked}, **proposed}
    return tuple(
        Shown(spans[span], span in proposed, opinion.verdicts.get(span), asked.get(span)) for span in sorted(spans)
    )


def gold(note: QueuedNote, opinion: Opinion) -> tuple[Span, ...]:
    """The identifiers of the note if its review ends as it stands: sorted, without scores."""
    return tuple(Span(s.span.start, s.span.end, s.span.label) for s in shown(note, opinion) if s.is_gold)


def verdicts_of(
    action: Action, note: QueuedNote, opinion: Opinion, span: Span | None, to: Span | None
) -> dict[Span, Verdict]:
    """The verdicts that an action sets; raises `Malformed` where it does not fit the note."""
    match action:
        case "finish" | "reopen":
            _expect(span is None and to is None, f"{action} is about a note, not about a span")
            return {}
        case "add":
            _expect(span is None and to is not None, "add needs where (to), and nothing else")
            return {_within(to, note): True}
        case "accept" | "reject":
            _expect(span is not None and to is None, f"{action} needs a span, and nothing else")
            known = _known(span, note, opinion)
            return {known: True} if action == "accept" else {known: _refusal(known, note)}
        case "change":
            _expect(span is not None and to is not None and span != to, "change needs a span, and another (to)")
            known = _known(span, note, opinion)
            return {known: _refusal(known, note), _within(to, note): True}


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Malformed(what)


def _known(span: Span, note: QueuedNote, opinion: Opinion) -> Span:
    _expect(any(one.span == span for one in shown(note, opinion)), "there is no such span in this note")
    return span


def _within(span: Span, note: QueuedNote) -> Span:
    text = note.document.text
    _expect(0 <= span.start < span.end <= len(text), f"a span lies within the note's {len(text)} characters")
    _expect(bool(text[span.start : span.end].strip()), "a span covers more than blanks")
    return span


def _refusal(span: Span, note: QueuedNote) -> Verdict:
    """What is left of a span that is refused: a no to the system, nothing of a reviewer's own."""
    asked = (question.span for question in note.questions)
    return False if span in note.document.spans or span in asked else None
