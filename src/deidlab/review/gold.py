"""Gold from reviews: that of one reviewer, or what several agree on; disputes are listed, never decided by chance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deidlab.corpora import writing
from deidlab.corpora.files import private
from deidlab.review.agreement import agreements
from deidlab.review.desk import Opinions
from deidlab.types import ConfigError, DataError, Document, Losses, Span


@dataclass(frozen=True, slots=True)
class Dispute:
    """A span that as many reviewers of a note want as do not."""

    note: str
    span: Span
    wanted_by: tuple[str, ...]
    unwanted_by: tuple[str, ...]


@dataclass
class Merging:
    """How gold came about: notes written, those left out, and why."""

    written: int = 0
    unreviewed: int = 0
    disputed: int = 0
    outvoted: int = 0  # spans that a minority wanted, or did not want
    disputes: list[Dispute] = field(default_factory=list)


def gold_documents(opinions: Opinions, merging: Merging, reviewer: str | None, final: str | None) -> Iterator[Document]:
    """The finished notes with their gold, in the order of the queue.

    With `reviewer`, as that one sees them. Otherwise the majority of those who finished a note decides on each span,
    unless `final` is among them, whose word is the last. A note with a span that has as many for as against it is left
    out, and so is one in which half or more mark characters that no span of a majority covers: half a gold would teach
    a model to miss.
    """
    finished = opinions.finished()
    for number in range(len(opinions.queue)):
        who = [one for one in finished.get(number, ()) if reviewer in (None, one)]
        if not who:
            merging.unreviewed += 1
            continue
        answers = {one: opinions.answer(number, one) for one in ([final] if final in who else who)}
        document, disputes = _voted(answers, merging)
        if disputes:
            merging.disputed += 1
            merging.disputes += disputes
        else:
            merging.written += 1
            yield document


def _voted(answers: dict[str, Document], merging: Merging) -> tuple[Document, list[Dispute]]:
    """The note with the spans that most want, and those on which opinions are even or that nobody agrees how to cut."""
    document = next(iter(answers.values()))
    wanted: dict[Span, list[str]] = {}
    for reviewer, answer in answers.items():
        for span in answer.spans:
            wanted.setdefault(span, []).append(reviewer)
    kept = [span for span, by in sorted(wanted.items()) if 2 * len(by) > len(answers)]
    marked = Counter(i for answer in answers.values() for i in characters(answer.spans))
    # What half of them or more mark and no span of a majority covers cannot be left out, however few want each span.
    left = {i for i, votes in marked.items() if 2 * votes >= len(answers)} - characters(kept)
    disputes = []
    for span, by in sorted(wanted.items()):
        even = 2 * len(by) == len(answers)
        if even or (span not in kept and not left.isdisjoint(range(span.start, span.end))):
            disputes.append(Dispute(document.id, span, tuple(by), tuple(sorted(answers.keys() - set(by)))))
        else:
            merging.outvoted += len(by) < len(answers)
    return Document(document.id, document.text, tuple(kept), document.meta), disputes


def characters(spans: Iterable[Span]) -> set[int]:
    return {i for span in spans for i in range(span.start, span.end)}


def export(
    opinions: Opinions, folder: str | Path, form: str, reviewer: str | None = None, final: str | None = None
) -> Merging:
    """Write the gold to a new folder that `data=` reads, and `about/review.json` below it, which has no text.

    Raises `ConfigError` for a format or a reviewer that is not there, and `DataError` for a folder that holds
    something, or when there is no gold to write.
    """
    if form not in writing.FORMATS:
        raise ConfigError(f"unknown format {form!r}; choose from {', '.join(writing.FORMATS)}")
    for one in (reviewer, final):
        if one is not None and one not in opinions.reviewers:
            known = ", ".join(opinions.reviewers) or "nobody"
            raise ConfigError(f"{one!r} has decided nothing in this queue; {known} has")
    if not any(reviewer in (None, *who) for who in opinions.finished().values()):
        raise DataError("no note has been finished yet: there is no gold to export (Enter finishes a note on the page)")
    merging, losses = Merging(), Losses()
    with writing.whole(folder) as made:
        writing.write(gold_documents(opinions, merging, reviewer, final), made, form, losses)
        about = made / "about"
        about.mkdir()
        with open(about / "review.json", "x", encoding="utf-8", opener=private) as file:
            json.dump(report(opinions, merging, losses, reviewer, final), file, ensure_ascii=False, indent=1)
    return merging


def report(
    opinions: Opinions, merging: Merging, losses: Losses, reviewer: str | None, final: str | None
) -> dict[str, Any]:
    """What `about/review.json` says: whose gold it is, how far reviewers agree, and what is missing from it."""
    done = Counter(who for reviewers in opinions.finished().values() for who in reviewers)
    return {
        "gold": reviewer or "merged",
        "final": final,
        "notes": {
            "written": merging.written,
            "not_finished": merging.unreviewed,
            "left_out_as_disputed": merging.disputed,
        },
        "finished_by": dict(sorted(done.items())),
        "agreement": [{**one.to_dict(), "different": len(one.different)} for one in agreements(opinions)],
        "outvoted_spans": merging.outvoted,
        "disputes": [
            {"id": one.note, "start": one.span.start, "end": one.span.end, "label": one.span.label,
             "wanted_by": one.wanted_by, "unwanted_by": one.unwanted_by}
            for one in merging.disputes
        ],
        "decisions_set_aside": dict(opinions.set_aside),
        "losses": losses.rows(),
    }  # fmt: skip
