"""What the review page sends, and what it gets to see."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from deidlab.redaction.taxonomy import normalised, taxonomy
from deidlab.review.decisions import REVIEWER
from deidlab.review.desk import Desk
from deidlab.review.opinions import Action, Shown, shown
from deidlab.types import Span

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
_MOST = 2**53  # what a browser can count to

Reviewer = Annotated[str, StringConstraints(pattern=f"^{REVIEWER.pattern}$")]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Place(BaseModel):
    """A labelled stretch of a note: half-open offsets in characters (Unicode code points)."""

    model_config = _STRICT
    start: Count
    end: Count
    label: Name

    def span(self) -> Span:
        return Span(self.start, self.end, self.label)


class Decided(BaseModel):
    """A decision on revision `base` of note `number`; `epoch` names the start of the server that the page knows."""

    model_config = _STRICT
    epoch: Name
    reviewer: Reviewer
    number: Count
    fingerprint: Name
    base: Count
    action: Action
    span: Place | None = None
    to: Place | None = None


class Undone(BaseModel):
    """An undo of the decision that the page takes for the latest one."""

    model_config = _STRICT
    epoch: Name
    reviewer: Reviewer
    expected: Count


def queue_view(desk: Desk, epoch: str, reviewer: str) -> dict[str, Any]:
    """The whole queue, as compact as ten thousand notes should be."""
    known = taxonomy()
    groups = {one: known.group_of.get(known.type_of.get(normalised(one), ""), "OTHER") for one in desk.labels}
    return {
        "epoch": epoch,
        "name": desk.queue.path.name,
        "labels": groups,
        "ids": [entry.id for entry in desk.queue.entries],
        "questions": [entry.questions for entry in desk.queue.entries],
        "set_aside": dict(desk.opinions.set_aside),
        **progress_view(desk, reviewer),
    }


def progress_view(desk: Desk, reviewer: str) -> dict[str, Any]:
    """What a reviewer has finished, and what an undo would take back."""
    return {
        "done": desk.opinions.done(reviewer),
        "reviewers": desk.opinions.reviewers,
        "undoable": desk.undoable(reviewer),
    }


def note_view(desk: Desk, number: int, reviewer: str) -> dict[str, Any]:
    """A note as a reviewer holds it: its text, its spans, and the revision that decisions refer to."""
    note = desk.queue[number]
    opinion = desk.opinions.held(reviewer, note.document.id)
    rows = [_row(one) for one in shown(note, opinion)]
    return {
        "number": number,
        "id": note.document.id,
        "fingerprint": desk.queue.entries[number].fingerprint,
        "text": note.document.text,
        "meta": dict(note.document.meta),
        "revision": opinion.revision,
        "done": opinion.done,
        "spans": _compared(rows, desk, number, reviewer) if opinion.done else rows,
        "undoable": desk.undoable(reviewer),
    }


def _row(one: Shown) -> dict[str, Any]:
    return {
        "start": one.span.start,
        "end": one.span.end,
        "label": one.span.label,
        "score": one.span.score,
        "proposed": one.proposed,
        "verdict": one.verdict,
        "kind": one.question and one.question.kind,
        "gold": one.is_gold,
    }


def _compared(rows: list[dict[str, Any]], desk: Desk, number: int, reviewer: str) -> list[dict[str, Any]]:
    """The spans with who else wants them and who does not: shown once a reviewer has finished, to mislead nobody."""
    others = [one for one in desk.opinions.finished().get(number, ()) if one != reviewer]
    wanted = {one: {(s.start, s.end, s.label) for s in desk.opinions.answer(number, one).spans} for one in others}
    known = {(row["start"], row["end"], row["label"]) for row in rows}
    theirs = sorted(set().union(*wanted.values()) - known)
    rows = rows + [_row(Shown(Span(*place), False, None)) for place in theirs]
    for row in rows:
        place = (row["start"], row["end"], row["label"])
        row["differ"] = [one for one in others if (place in wanted[one]) != row["gold"]]
    return sorted(rows, key=lambda row: (row["start"], row["end"], row["label"]))
