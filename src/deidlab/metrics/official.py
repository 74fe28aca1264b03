"""The reports of the official scorers of i2b2 2014 and MEDDOCAN, by their own section names.

Numbers are exact; `printed` rounds them as the scorers print them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from deidlab.metrics.counts import ALL, FOUND, GOLD, PREDICTED, RIGHT, Counts
from deidlab.metrics.families import HIPAA_OFFICIAL, binary_strict, relaxed, strict
from deidlab.metrics.matching import exact, tolerant
from deidlab.metrics.merged import merged
from deidlab.metrics.rows import macro_sums, number, ratio
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tokens import alphanumeric_tokens
from deidlab.types import Document, Span

# The category (the XML element) of each i2b2 2014 type, in the order in which the scorer lists categories.
I2B2_2014_CATEGORIES: Mapping[str, Collection[str]] = {
    "NAME": ("PATIENT", "DOCTOR", "USERNAME"),
    "PROFESSION": ("PROFESSION",),
    "LOCATION": {"ROOM", "DEPARTMENT", "HOSPITAL", "ORGANIZATION"}
    | {"STREET", "CITY", "STATE", "COUNTRY", "ZIP", "LOCATION-OTHER"},
    "AGE": ("AGE",),
    "DATE": ("DATE",),
    "CONTACT": ("PHONE", "FAX", "EMAIL", "URL", "IPADDR"),
    "ID": ("SSN", "MEDICALRECORD", "HEALTHPLAN", "ACCOUNT", "LICENSE", "VEHICLE", "DEVICE", "BIOID", "IDNUM"),
    "OTHER": ("OTHER",),
}

Pairs = Iterable[tuple[Document, Iterable[Span]]]


def i2b2_2014_official(
    pairs: Pairs,
    categories: Mapping[str, Collection[str]] = I2B2_2014_CATEGORIES,
    hipaa: Collection[str] = HIPAA_OFFICIAL,
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Every section of the i2b2 2014 scorer, spelled as it spells them: section -> measure -> macro and micro.

    `pairs` are the gold documents and the spans predicted for each, in the order of their files (near repetitions in
    the relaxed sections depend on it). Sections of a category hold the spans whose type belongs to it.
    """
    gold, predicted, texts = _tables(pairs)
    spans, near = exact(gold, predicted), tolerant(gold, predicted, distance=2)
    tokens = exact(alphanumeric_tokens(gold, texts), alphanumeric_tokens(predicted, texts))
    sections = {
        "Token": strict(tokens),
        "Strict": strict(spans),
        "Relaxed": relaxed(near),
        "HIPPA Token": strict(tokens.only(hipaa)),
        "HIPAA Strict": strict(spans.only(hipaa)),
        "HIPAA Relaxed": relaxed(near.only(hipaa)),
        "Binary Token": binary_strict(tokens),
        "Binary Strict": binary_strict(spans),
        "Binary HIPPA Token": binary_strict(tokens.only(hipaa)),
        "Binary HIPAA Strict": binary_strict(spans.only(hipaa)),
    }
    for category, types in categories.items():
        sections |= {
            f"{category} Token": strict(tokens.only(types)),
            f"{category} Strict": strict(spans.only(types)),
            f"{category} HIPPA Token": strict(tokens.only(types).only(hipaa)),
            # Typed in spite of the name.
            f"{category} Binary HIPAA Strict": strict(spans.only(types).only(hipaa)),
        }
    return {name: _macro_and_micro(counts) for name, counts in sections.items()}


def meddocan_official(pairs: Pairs) -> dict[str, dict[str, float]]:
    """The MEDDOCAN scorer's sub-tracks: `ner`, `spans_strict` and `spans_merged`, micro."""
    gold, predicted, texts = _tables(pairs)
    tracks = {
        "ner": strict(exact(gold, predicted)),
        "spans_strict": binary_strict(exact(gold, predicted)),
        "spans_merged": merged(gold, predicted, texts),
    }
    return {name: _micro(counts) for name, counts in tracks.items()}


def printed(report: Any) -> Any:
    """A report with its numbers rounded to the four significant digits that the scorers print."""
    if isinstance(report, Mapping):
        return {name: printed(value) for name, value in report.items()}
    return report if report is None else float(f"{report:.4}")


def _tables(pairs: Pairs) -> tuple[SpanTable, SpanTable, TextTable]:
    documents, predicted = [], []
    for document, spans in pairs:
        documents.append(document)
        predicted.append(list(spans))
    gold = [document.spans for document in documents]
    labels = sorted({span.label for side in (gold, predicted) for spans in side for span in spans})
    return SpanTable.of(gold, labels), SpanTable.of(predicted, labels), TextTable.of(d.text for d in documents)


def _micro(counts: Counts) -> dict[str, float]:
    """Micro precision, recall and F1; the scorers print 0 for a ratio of nothing."""
    total = counts.total()[ALL]
    precision, recall = (
        float(np.nan_to_num(ratio(total[part], total[whole]))) for part, whole in ((RIGHT, PREDICTED), (FOUND, GOLD))
    )
    f1 = 2 * (precision * recall) / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _macro_and_micro(counts: Counts) -> dict[str, dict[str, float | None]]:
    """As micro, beside the means over documents; a macro F1 of 0 and 0 is nan there, null here."""
    sums = macro_sums(counts, np.zeros(counts.documents, np.int64), 1)[0]
    precision, recall = ratio(sums[:2], sums[2]).tolist()
    f1 = 2 * (precision * recall) / (precision + recall) if precision + recall else float("nan")
    macro = {"precision": number(precision), "recall": number(recall), "f1": number(f1)}
    return {measure: {"macro": macro[measure], "micro": micro} for measure, micro in _micro(counts).items()}
