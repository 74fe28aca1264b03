"""What is said of a calibration: probabilities before and after, by type, and what promises cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deidlab.calibrating import KINDS, MEASURES
from deidlab.calibration.measures import BINS
from deidlab.views.elements import Estimate, Section, Table


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The report of a calibration: before and after, per type, and the prices of promises."""
    before, after = content["before"], content["after"]
    rows = tuple(
        (about, when, side[kind]["n"], *(Estimate(side[kind][k]) for k in MEASURES))
        for kind, about in KINDS.items()
        for when, side in (("before", before), ("after", after))
    )
    header = ("of", "", "number", "confidence", "right", "ECE", "by chance", "Brier")
    unseen = content["calibration"]["unseen"]
    left_out = f" No note held {', '.join(unseen)}: they keep the common scale." if unseen else ""
    about = (
        f"{content['method']} scaling, fitted on {content['notes']:,} notes of {content['patients']:,} patients, "
        f"judged on {content['judged_on']}. ECE over {BINS} bins of equal mass; by chance: what true ones would show "
        f"here.{left_out}"
    )
    types = tuple(
        (name, found["n"], Estimate(found["accuracy"]), *compared(found, after["types"].get(name, {})))
        for name, found in sorted(before["types"].items())
    )
    type_header = (
        "type",
        "spans",
        "right",
        "confidence before",
        "after",
        "ECE before",
        "after",
        "Brier before",
        "after",
    )
    return [
        Section("Calibration", about, Table(header, rows)),
        Section("Spans", "How often spans are right, by how sure the model is of them.", figure="reliability-spans"),
        Section(
            "Words",
            "The same for the probability that a word is part of an identifier.",
            figure="reliability-identifiers",
        ),
        Section("Spans by type", "", Table(type_header, types)),
        Section("Recall targets", price_text(content), Table(PRICE_HEADER, price_rows(content["prices"]))),
    ]


PRICE_HEADER = (
    "risk",
    "at most",
    "confidence",
    "threshold",
    "seen",
    "promised",
    "precision",
    "review min / 1,000 notes",
    "",
)


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Estimate]:
    for measure in ("confidence", "ece", "brier"):
        yield from (Estimate(side.get(measure)) for side in (before, after))


def price_text(content: Mapping[str, Any]) -> str:
    return (
        "What `decoding=recall_target decoding.alpha=...` covers beyond what decoding finds, and what that costs: "
        f"precision in characters, and a person's time at {content['seconds_per_question']:g} seconds a stretch (a "
        "setting, not a measurement). Without confidence a promise holds on average over calibrations."
    )


def price_rows(lines: Sequence[Mapping[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    rows = []
    for line in lines:
        first = (line["risk"], f"{line['alpha']:g}", how_sure(line))
        if "why" in line:
            rows.append((*first, None, None, None, None, None, line["why"].partition(": ")[0]))
        else:
            values = (Estimate(line[k]) for k in ("seen", "promised", "precision"))
            rows.append((*first, shown_threshold(line), *values, round(line["review_minutes_per_1000_notes"]), ""))
    return tuple(rows)


def promise(line: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """What is promised, how surely, and the threshold that keeps it, None where none does."""
    return f"{line['risk'].replace('_', ' ')} at most {line['alpha']:g}", how_sure(line), shown_threshold(line)


def how_sure(line: Mapping[str, Any]) -> str:
    return "on average" if line["confidence"] is None else f"{line['confidence']:g}"


def shown_threshold(line: Mapping[str, Any]) -> str | None:
    return None if line.get("threshold") is None else f"{line['threshold']:.2g}"


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """Reliability diagrams of spans and of words, before and after."""
    from deidlab.views import curves  # matplotlib takes a second

    drawn = {}
    for kind in ("spans", "identifiers"):
        sides = [
            curves.Curve(name, content[name][kind]["bins"]["confidence"], content[name][kind]["bins"]["accuracy"])
            for name in ("before", "after")
        ]
        drawn[f"reliability-{kind}"] = curves.draw(
            sides, "probability said", "share that is right", diagonal=True, name=f"reliability-{kind}"
        )
    return drawn
