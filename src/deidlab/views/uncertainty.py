"""What is said of sources of uncertainty: a table, risk-coverage curves, and what a person's minutes are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deidlab.views.elements import Estimate, Section, Table

HOURS = (0, 30, 60, 120, 300, 600)  # minutes for 1,000 notes, in the table of workload


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The sources, the queue as it stands, and the workload."""
    return [
        Section("Sources of uncertainty", about(content), source_table(content["sources"]), "risk-coverage"),
        Section("The queue", "Share of the missed characters that stand in the first part of the queue of "
                f"`deidlab deidentify --review`: {content['queue']['questions_per_note']:.1f} questions a note.",
                queue_table(content["queue"])),
        Section("Workload", f"Leak and false alarms left after so many minutes for 1,000 notes, "
                f"{content['seconds_per_question']:g} seconds a question (a setting, not a measurement).",
                work_table(content["workload"]), "workload"),
    ]  # fmt: skip


def about(content: Mapping[str, Any]) -> str:
    return (
        f"{content['notes']:,} notes, {content['words']:,} words, {content['queue']['missed_characters']:,} characters "
        "missed. AURC: mean error rate over all coverages, the most certain words first. Top: share of the missed "
        "characters in so much of a queue of all words that stay readable, with the interval over patients."
    )


def source_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    body = tuple(
        (
            line["source"],
            Estimate(line["aurc"], digits=6),
            Estimate(line["top_0.01"], percent=True, digits=1),
            Estimate(line["top_0.05"], line["top_0.05_low"], line["top_0.05_high"], percent=True, digits=1),
            Estimate(line["top_0.1"], percent=True, digits=1),
        )
        for line in lines
    )
    return Table(("source", "AURC", "top 1 %", "top 5 %", "top 10 %"), body)


def queue_table(queue: Mapping[str, Any]) -> Table:
    body = tuple(
        (name, *(Estimate(queue[name].get(f"top_{share:g}"), percent=True, digits=1) for share in (0.01, 0.05, 0.1, 1)))
        for name in ("questions", "notes")
    )
    return Table(("first of the", "1 %", "5 %", "10 %", "all"), body)


def work_table(work: Mapping[str, Sequence[float]]) -> Table:
    body = []
    for minutes in (*(m for m in HOURS if m < work["minutes"][-1]), round(work["minutes"][-1])):
        place = max(i for i, spent in enumerate(work["minutes"]) if spent <= minutes + 0.5)
        body.append((minutes, Estimate(work["leak"][place]), Estimate(work["false_alarms"][place])))
    return Table(("minutes for 1,000 notes", "leak", "covered for nothing"), tuple(body))


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """Risk against coverage for each source, and leak against minutes."""
    from deidlab.views import curves  # matplotlib takes a second

    risks = [curves.Curve(name, c["coverage"], c["risk"]) for name, c in content["curves"].items()]
    work = content["workload"]
    return {
        "risk-coverage": curves.draw(risks, "share of words kept", "share of these that is wrong", dots=False,
                                     name="risk-coverage"),
        "workload": curves.draw([curves.Curve("leak", work["minutes"], work["leak"])], "minutes for 1,000 notes",
                                "share of identifier characters that leak", name="workload"),
    }  # fmt: skip
