"""A report as titled tables and figures: what Markdown, HTML and LaTeX each set in their own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deidlab.metrics.rows import Row

# What each family asks, in the words of a table.
MEANING = {
    "strict": "type and both ends exact",
    "relaxed": "type and start exact, end within 2",
    "overlap": "type, any shared character",
    "token": "tokens of spans, typed",
    "binary_strict": "both ends exact, any type",
    "binary_token": "tokens of spans, any type",
    "merged": "MEDDOCAN merged spans, any type",
    "seqeval": "words, scheme-strict",
    "category_strict": "category and both ends exact",
    "char_leak": "share of identifier characters not covered by any span",
    "document_clean": "share of notes that leak nothing",
}
FAMILIARITY = {"whole": "in training as a whole", "words": "every word in training", "new": "a word not in training"}


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; `signed` shows a plus, `percent` shows hundredths, `digits` after the point."""

    value: float | None
    low: float | None = None
    high: float | None = None
    signed: bool = False
    percent: bool = False
    digits: int = 4

    def number(self, value: float) -> str:
        value, unit = (100 * value, "%") if self.percent else (value, "")
        value = round(value, self.digits) + 0.0  # no minus before a zero
        return f"{value:{'+' if self.signed else ''}.{self.digits}f}{unit}"

    def __str__(self) -> str:
        return "-" if self.value is None else self.number(self.value)

    @property
    def interval(self) -> str:
        """`low to high`, or nothing."""
        if self.value is None or self.low is None or self.high is None:
            return ""
        return f"{self.number(self.low)} to {self.number(self.high)}"


@dataclass(frozen=True)
class P:
    """A p-value; below 0.001 it is said so."""

    value: float | None

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.3f}" if self.value >= 0.001 else "<0.001"


Cell = str | int | Estimate | P | None


@dataclass(frozen=True)
class Table:
    """Cells under a header; a column is set to the right if no cell of it is a text."""

    header: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        return tuple(not any(isinstance(row[i], str) for row in self.body) for i in range(len(self.header)))


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, a figure by name and a table; `folded` ones are shut in HTML until asked for."""

    title: str
    about: str = ""
    table: Table | None = None
    figure: str | None = None
    folded: bool = False


def plain(cell: Cell, intervals: bool = True) -> str:
    """A cell as text."""
    match cell:
        case None:
            return ""
        case Estimate() if intervals and cell.interval:
            return f"{cell} ({cell.interval})"
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The sections of a report, from `report.json` alone."""
    found = [
        overall_section(content),
        hipaa_section(content),
        *typed_sections(content["rows"]),
        missed_section(content),
        confusion_section(content),
        *slice_sections(content["rows"]),
        *fairness_sections(content),
        losses_section(content),
        provenance_section(content),
    ]
    return [section for section in found if section]


def estimate(row: Row, measure: str, digits: int = 4) -> Estimate:
    return Estimate(row[measure], row.get(f"{measure}_low"), row.get(f"{measure}_high"), digits=digits)


def cells(row: Row, digits: int = 4) -> tuple[Cell, ...]:
    """Precision, recall, F1 (or the one value in their place) and support."""
    if "value" in row:
        return (None, None, estimate(row, "value", digits), row["support"])
    return (*(estimate(row, measure, digits) for measure in ("precision", "recall", "f1")), row["support"])


def overall(rows: Iterable[Row], label: str = "micro") -> list[Row]:
    return [row for row in rows if row["label"] == label and row["slice"] == "all"]


def typed(rows: Iterable[Row], metric: str, slice: str = "all") -> list[Row]:
    """The rows of single labels of a metric."""
    return [r for r in rows if r["metric"] == metric and r["slice"] == slice and r["label"] not in ("micro", "macro")]


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


def slice_sections(rows: Sequence[Row]) -> list[Section]:
    """A section for every sliced key: strict micro, leak and clean notes of each slice side by side."""
    found = []
    for key, names in slice_names(rows).items():
        if key == "rare_name":
            found.append(familiarity_section(rows, names))
            continue
        by = {(r["slice"], r["metric"], r["label"]): r for r in rows if r["slice"] in names}
        body = []
        for name in names:
            strict = by.get((name, "strict", "micro"))
            macro = by.get((name, "strict", "macro"))
            leak, clean = by.get((name, "char_leak", "micro")), by.get((name, "document_clean", "micro"))
            body.append(
                (
                    shown_slice(name),
                    *(cells(strict, 3) if strict else (None,) * 4),
                    estimate(macro, "f1", 3) if macro else None,
                    estimate(leak, "value", 3) if leak else None,
                    estimate(clean, "value", 3) if clean else None,
                )
            )
        header = (key, "precision", "recall", "F1", "support", "macro F1", "leak", "clean notes")
        found.append(
            Section(
                f"By {key.replace('_', ' ')}",
                "Precision, recall and F1 are strict, micro; leak is of characters.",
                Table(header, tuple(body)),
                f"slice-{slug(key)}",
            )
        )
    return found


def familiarity_section(rows: Sequence[Row], names: Sequence[str]) -> Section:
    by = {(r["slice"], r["metric"]): r for r in rows if r["slice"] in names and r["label"] == "micro"}
    body = []
    for name in names:
        strict, leak = by.get((name, "strict")), by.get((name, "char_leak"))
        if strict and leak:
            meaning = FAMILIARITY[shown_slice(name)]
            body.append((meaning, estimate(strict, "recall"), estimate(leak, "value"), strict["support"]))
    table = Table(("name", "recall", "leak", "names"), tuple(body))
    return Section("Names by familiarity", "How much is learnt and how much is remembered (strict recall).", table)


def slice_names(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The slices of each key or crossing (`culture x gender`), in the order of the rows."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if (name := row["slice"]) != "all":
            key = " x ".join(part.split("=", 1)[0] for part in name.split(", "))
            found.setdefault(key, {})[name] = None
    return {key: list(names) for key, names in found.items()}


def shown_slice(name: str) -> str:
    """The values of a slice without their keys."""
    return ", ".join(part.split("=", 1)[-1] for part in name.split(", "))


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").lower()


KINDS = {"names": "names only", "all": "all types"}
MEASURED = {"strict": "recall (strict)", "char_leak": "characters covered"}


def fairness_sections(content: Mapping[str, Any]) -> list[Section]:
    """A section for each attribute and kind of types, the families beside each other."""
    lines = content.get("fairness") or []
    found = []
    for attribute, kind in dict.fromkeys((line["attribute"], line["types"]) for line in lines):
        mine = [line for line in lines if (line["attribute"], line["types"]) == (attribute, kind)]
        found.append(fairness_section(attribute, kind, mine))
    return found


def fairness_section(attribute: str, kind: str, lines: Sequence[Mapping[str, Any]]) -> Section:
    reference = lines[0]["reference"]
    paired = any(line["pairs"] for line in lines)
    body = [
        (
            MEASURED[line["metric"]],
            line["group"],
            Estimate(line["recall"], line["recall_low"], line["recall_high"]),
            Estimate(line["difference"], line["difference_low"], line["difference_high"], signed=True),
            Estimate(line["relative"], signed=True, percent=True, digits=1),
            P(line["p_value"]),
            line["support"],
        )
        for line in lines
    ]
    how = (
        f"{max(line['pairs'] or 0 for line in lines):,} counterfactual twins, the same note with other people: "
        "paired permutation test."
        if paired
        else "No twins: groups are compared as they are, by the bootstrap; other things may differ too."
    )
    header = ("measure", attribute, "recall", f"difference from {reference}", "relative", "p", "gold")
    title = f"{attribute.capitalize()}: {KINDS[kind]}"
    return Section(title, how, Table(header, tuple(body)), f"fairness-{attribute}-{kind}")


def losses_section(content: Mapping[str, Any]) -> Section:
    about = "What the data held and the model or the metrics could not represent."
    if not content["losses"]:
        return Section("Losses", about + " None.")
    header = tuple(content["losses"][0])
    return Section("Losses", about, Table(header, tuple(tuple(row[c] for c in header) for row in content["losses"])))


def provenance_section(content: Mapping[str, Any]) -> Section:
    body = []
    for key, value in content["provenance"].items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else str(value)
        body.append((key, text))
    return Section("Provenance", "", Table(("what", "which"), tuple(body)))
