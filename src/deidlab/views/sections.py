"""The sections of a report: what Markdown, HTML and LaTeX each set in their own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deidlab.metrics.rows import Row
from deidlab.views.attacks import attack_section
from deidlab.views.elements import Estimate, Section, Table
from deidlab.views.groups import fairness_sections, slice_sections
from deidlab.views.rows import cells, estimate, overall, typed

# What each family asks, in the words of a table.
MEANING = {
    "strict": "type and both ends exact",
    "relaxed": "type and start exact, end within 2",
    "overlap": "type, any shared character",
    "token": "tokens of spans, typed",
    "binary_strict": "both ends exact, any type",
    "binary_token": "tokens of spans, any type",
    "binary_subword": "subwords that spans touch, any type",
    "merged": "MEDDOCAN merged spans, any type",
    "seqeval": "words, scheme-strict",
    "category_strict": "category and both ends exact",
    "char_leak": "share of identifier characters not covered by any span",
    "document_clean": "share of notes that leak nothing",
    "parrot": "accusations of a parrot: identifiers that it leaves untagged",
    "parrot_in_part": "the same: untagged in part",
    "resynthesis_strict": "strict, mean over re-syntheses",
    "resynthesis_char_leak": "leak, mean over re-syntheses",
}


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The sections of a report, from `report.json` alone."""
    found = [
        overall_section(content),
        hipaa_section(content),
        attack_section(content),
        *typed_sections(content["rows"]),
        missed_section(content),
        confusion_section(content),
        *slice_sections(content["rows"]),
        *fairness_sections(content),
        losses_section(content),
        provenance_section(content),
    ]
    return [section for section in found if section]


def interval_note(content: Mapping[str, Any]) -> str:
    """A sentence on the intervals of a report, or on why it has none."""
    made = content.get("intervals")
    if not made:
        return ""
    if made["none"]:
        return made["none"][0].upper() + made["none"][1:] + "."
    return (
        f"Ranges are {made['level']:.0%} intervals: {made['replicates']:,} bootstrap draws of "
        f"{made['clusters']:,} clusters ({made['clustered_by']})."
    )


def overall_section(content: Mapping[str, Any]) -> Section:
    header = ("metric", "what counts as right", "precision", "recall", "F1 or value", "support")
    lines = [row for row in overall(content["rows"]) if not row["metric"].startswith("hipaa_")]
    body = tuple((row["metric"], MEANING.get(row["metric"], ""), *cells(row)) for row in lines)
    return Section("Overall (micro)", interval_note(content), Table(header, body))


def hipaa_section(content: Mapping[str, Any]) -> Section | None:
    lines = [row for row in overall(content["rows"]) if row["metric"].startswith("hipaa_")]
    if not lines:
        return None
    about = "The same over the types that HIPAA names; mended also counts IDNUM, which the official script forgets."
    table = Table(("metric", "precision", "recall", "F1", "support"), tuple((r["metric"], *cells(r)) for r in lines))
    return Section("HIPAA types (micro)", about, table, folded=True)


def typed_sections(rows: Sequence[Row]) -> list[Section]:
    found = []
    for metric, heading, figure in (
        ("strict", "Strict, per type", "types"),
        ("category_strict", "Strict, per category", None),
    ):
        if lines := typed(rows, metric):
            macro = [("macro", *cells(row)) for row in overall(rows, "macro") if row["metric"] == metric]
            body = (*((row["label"], *cells(row)) for row in lines), *macro)
            about = "Macro is the mean over documents, as the i2b2 scorer defines it." if macro else ""
            table = Table(("type", "precision", "recall", "F1", "support"), body)
            found.append(Section(heading, about, table, figure))
    if lines := typed(rows, "char_leak"):
        body = tuple((row["label"], estimate(row, "value"), row["support"]) for row in lines)
        table = Table(("type", "leak", "characters"), body)
        found.append(
            Section("Character leak, per type", "Lower is better: characters that stay readable.", table, "leaks")
        )
    return found


def missed_section(content: Mapping[str, Any]) -> Section | None:
    lines = content.get("missed_types")
    if not lines or not any(line["missed"] for line in lines):
        return None
    body = tuple(
        (
            line["label"],
            line["gold"],
            line["missed"],
            Estimate(line["share"], percent=True, digits=1),
            Estimate(line["share_of_missed"], percent=True, digits=1),
            Estimate(line["ratio"], digits=2),
        )
        for line in lines
    )
    table = Table(("type", "gold", "missed", "share of test set", "share of missed", "ratio"), body)
    about = "A ratio above 1: the type is missed more often than its share of the test set (strict)."
    return Section("Which types are missed", about, table, "missed")


def confusion_section(content: Mapping[str, Any]) -> Section | None:
    if not (confusion := content.get("confusion")) or not confusion["labels"]:
        return None
    names, matrix = confusion["labels"], confusion["matrix"]
    rows = zip([*names, "spurious"], matrix, strict=True)
    body = tuple((name, *(count or None for count in line)) for name, line in rows)
    about = "Rows: gold types; columns: the predicted span that shares most characters. The last row has no gold span."
    return Section("Confusion of types", about, Table(("gold", *names, "missed"), body), "confusion", folded=True)


def losses_section(content: Mapping[str, Any]) -> Section:
    about = "What the data held and the model or the metrics could not represent."
    if not content["losses"]:
        return Section("Losses", about + " None.")
    header = tuple(content["losses"][0])
    return Section("Losses", about, Table(header, tuple(tuple(row[c] for c in header) for row in content["losses"])))


def provenance_section(content: Mapping[str, Any]) -> Section:
    body = tuple((key, in_words(value)) for key, value in content["provenance"].items())
    return Section("Provenance", "", Table(("what", "which"), body))


def in_words(value: Any) -> str:
    """A value, or the names and values of a mapping: `validation (names 0.01, places 0.2), test (...)`."""
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{k} ({in_words(v)})" if isinstance(v, Mapping) else f"{k} {v}" for k, v in value.items())
