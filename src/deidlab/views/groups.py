"""Sections by slice, and the gaps between groups of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deidlab.metrics.rows import Row
from deidlab.views.elements import Estimate, P, Section, Table, slug
from deidlab.views.rows import cells, estimate, shown_slice, slice_names

FAMILIARITY = {"whole": "in training as a whole", "words": "every word in training", "new": "a word not in training"}
KINDS = {"names": "names only", "all": "all types"}


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


def fairness_sections(content: Mapping[str, Any]) -> list[Section]:
    """A section for each attribute and kind of types, the families beside each other."""
    lines = content.get("fairness") or []
    found = []
    for attribute, kind in dict.fromkeys((line["attribute"], line["types"]) for line in lines):
        mine = [line for line in lines if (line["attribute"], line["types"]) == (attribute, kind)]
        found.append(fairness_section(attribute, kind, mine))
    return found


def fairness_section(attribute: str, kind: str, lines: Sequence[Mapping[str, Any]]) -> Section:
    """A line for each group: what is found exactly, and what is covered whatever its type."""
    reference = lines[0]["reference"]
    by = {(line["group"], line["metric"]): line for line in lines}
    body = []
    for group in dict.fromkeys(line["group"] for line in lines):
        found, covered = by[group, "strict"], by[group, "char_leak"]
        relative = Estimate(found["relative"], signed=True, percent=True, digits=1)
        body.append(
            (
                group,
                *(recall_of(found), difference_of(found), relative, P(found["p_value"]), found["support"]),
                *(recall_of(covered), difference_of(covered), P(covered["p_value"])),
            )
        )
    pairs = max(line["pairs"] or 0 for line in lines)
    how = (
        f"{pairs:,} pairs of counterfactual twins, the same note with other people: paired permutation test."
        if pairs
        else "No twins: groups are compared as they are, by the bootstrap; other things may differ too."
    )
    header = (
        attribute, "recall (strict)", f"difference from {reference}", "relative", "p", "gold",
        "characters covered", "difference", "p",
    )  # fmt: skip
    title = f"{attribute.capitalize()}: {KINDS[kind]}"
    return Section(title, how, Table(header, tuple(body)), f"fairness-{attribute}-{kind}")


def recall_of(gap: Mapping[str, Any]) -> Estimate:
    return Estimate(gap["recall"], gap["recall_low"], gap["recall_high"])


def difference_of(gap: Mapping[str, Any]) -> Estimate:
    return Estimate(gap["difference"], gap["difference_low"], gap["difference_high"], signed=True)
