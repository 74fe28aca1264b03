"""An inspection as files: JSON that is the truth, and an HTML page to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deidlab.corpora.files import private, private_folder
from deidlab.excerpts import CONTEXT, Excerpt
from deidlab.inspection.findings import Finding
from deidlab.inspection.inspecting import Inspection
from deidlab.types import DataError
from deidlab.views.elements import Section, Table
from deidlab.views.html import render

SHOWN = 1000  # findings listed on the page; the JSON has them all
WARNING = "This page holds text of the notes (--show-text). Keep it where the notes are kept."


def write(inspection: Inspection, folder: Path, title: str, show_text: bool) -> None:
    """Write `inspection.json` and `inspection.html` for their owner's eyes; text of notes only with `show_text`.

    Raises `DataError` for files that cannot be written.
    """
    told = inspection.to_dict()
    excerpts = None
    if show_text:
        excerpts = list(_excerpts(inspection))
        told["findings"] = [_with_text(f, inspection) for f in inspection.findings]
    pages = {
        "inspection.json": json.dumps(told, ensure_ascii=False, indent=1) + "\n",
        "inspection.html": render(
            title, sections(inspection), tiles=tiles(inspection), excerpts=excerpts, warning=WARNING
        ),
    }
    try:
        for name, content in pages.items():
            with open(private_folder(folder) / name, "w", encoding="utf-8", opener=private) as file:
                file.write(content)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}") from None


def tiles(inspection: Inspection) -> list[dict[str, str]]:
    """The numbers to see first."""
    mentions = sum(row["mentions"] for row in inspection.labels)
    splits = ", ".join(f"{number} {name}" for name, number in inspection.splits.items() if name)
    suspicions = inspection.number("suspicion")
    return [
        {"name": "notes", "value": f"{sum(inspection.splits.values()):,}", "interval": "", "about": splits},
        {"name": "annotations", "value": f"{mentions:,}", "interval": "", "about": f"{len(inspection.labels)} labels"},
        {
            "name": "faults",
            "value": f"{inspection.number('fault'):,}",
            "interval": "",
            "about": "the data contradict themselves",
        },
        {"name": "suspicions", "value": f"{suspicions:,}", "interval": "", "about": "worth a look, may be right"},
    ]


def sections(inspection: Inspection) -> Iterator[Section]:
    """The page: what was found, the labels, the lengths, what is lost, and each finding with its place."""
    found = tuple((r["code"], r["severity"], r["count"], r["notes"], r["meaning"]) for r in inspection.by_code())
    yield Section(
        "What was found", "" if found else "Nothing.", _table("code", "", "findings", "notes", "the place", body=found)
    )
    yield _label_section(inspection)
    yield Section("Length of notes", "", _table("unit", "all", "least", "median", "95 %", "most", body=tuple(
        (one.unit, one.total, one.least, one.median, one.p95, one.most) for one in inspection.lengths
    )))  # fmt: skip
    alignment = tuple((r["reason"], r["label"], r["count"]) for r in inspection.alignment)
    if alignment:
        about = "What a model that labels whole words cannot represent of the annotations."
        yield Section("Lost on words", about, _table("reason", "label", "spans", body=alignment))
    losses = tuple((r["reason"], r["label"], r["count"]) for r in inspection.losses)
    if losses:
        yield Section("Counted in reading", "", _table("what", "label", "number", body=losses))
    listed = tuple((f.code, f.document_id, f.split, _place(f), f.label, f.detail) for f in inspection.findings[:SHOWN])
    if listed:
        more = len(inspection.findings) - len(listed)
        about = f"{more:,} more are in inspection.json." if more else ""
        header = ("code", "note", "split", "characters", "label", "detail")
        yield Section("Findings", about, _table(*header, body=listed), folded=len(listed) > 50)


def _label_section(inspection: Inspection) -> Section:
    names = [name for name in inspection.splits if name]
    body = tuple(
        (
            row["label"],
            row["mentions"],
            *(row.get("splits", {}).get(n, 0) for n in names),
            row["notes"],
            row["different"],
        )
        for row in inspection.labels
    )
    header = ("label", "mentions", *names, "notes", "different")
    return Section("Labels", "Different: how many words or groups of words, casing aside.", _table(*header, body=body))


def _table(*header: str, body: tuple[tuple[Any, ...], ...]) -> Table | None:
    return Table(header, body) if body else None


def _place(finding: Finding) -> str:
    return f"{finding.start}-{finding.end}" if finding.start >= 0 else ""


def _excerpts(inspection: Inspection) -> Iterator[Excerpt]:
    for finding in inspection.findings[:SHOWN]:
        if finding.start >= 0 and (around := _around(finding, inspection)) is not None:
            yield Excerpt(finding.document_id, finding.code, finding.start, finding.end, finding.label, *around)


def _with_text(finding: Finding, inspection: Inspection) -> dict[str, Any]:
    row = finding.to_dict()
    if finding.start >= 0 and (around := _around(finding, inspection)) is not None:
        row.update(zip(("before", "text", "after"), around, strict=True))
    return row


def _around(finding: Finding, inspection: Inspection) -> tuple[str, str, str] | None:
    """The text before, at and after a finding; None where its note could not be read."""
    document = inspection.documents.get((finding.split, finding.document_id))
    if document is None:
        return None
    text, start, end = document.text, finding.start, finding.end
    return text[max(0, start - CONTEXT) : start], text[start:end], text[end : end + CONTEXT]
