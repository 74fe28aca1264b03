"""The metric families: pure functions from gold and predicted spans to `Counts`, one for each name in a report.

| name | a predicted span is right if a gold span of its document has |
|---|---|
| `strict` | the same start, end and type (i2b2 2014 strict, MEDDOCAN NER) |
| `relaxed` | the same start and type, and an end at most two characters away (i2b2 2014 relaxed) |
| `overlap` | the same type and a character in common |
| `token` | spans cut into `[a-zA-Z0-9]+`, then strict (i2b2 2014 token) |
| `binary_strict`, `binary_token` | the same start and end, whatever the type |
| `merged` | the same offsets, also after joining what only non-alphanumerics part (MEDDOCAN; `merged.py`) |
| `hipaa_*` | the same over types that HIPAA names; `_mended` also counts IDNUM, which the official script forgets |
| `seqeval` | the same type and words (seqeval, strict mode) |
| `char_leak`, `document_clean` | gold characters that no prediction covers, whatever its type (`leak.py`) |

Repetitions count once, as in the official scorers, which compare sets.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from deidlab.labels import Scheme
from deidlab.metrics.counts import ALL, Counts, Items, by_label, tally, together
from deidlab.metrics.leak import char_leak, document_clean
from deidlab.metrics.matching import among, distinct, first_of_each, overlapped, pack, tolerant
from deidlab.metrics.merged import merged
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tagging import entities, tag_words
from deidlab.metrics.tokens import WordTable, alphanumeric_tokens

# The i2b2 2014 types that are HIPAA identifiers to the official script: a trailing blank in its pattern loses IDNUM.
HIPAA_OFFICIAL = frozenset(
    {"PATIENT", "AGE", "DATE", "CITY", "STREET", "ZIP", "ORGANIZATION", "PHONE", "FAX", "EMAIL"}
    | {"SSN", "MEDICALRECORD", "HEALTHPLAN", "ACCOUNT", "LICENSE", "VEHICLE", "DEVICE", "BIOID"}
)
HIPAA_MENDED = HIPAA_OFFICIAL | {"IDNUM"}


def strict(gold: SpanTable, predicted: SpanTable) -> Counts:
    """Spans with the same offsets and type."""
    g, p, found, right = distinct(gold, predicted)
    return tally(g.documents, g.labels, by_label(g.document, g.label, found), by_label(p.document, p.label, right))


def relaxed(gold: SpanTable, predicted: SpanTable, distance: int = 2) -> Counts:
    """Spans with the same start and type, whose ends differ by at most `distance` characters (i2b2 2014).

    The official script compares sets under this tolerance, with two consequences kept here: near repetitions on one
    side count once, and where two spans match one, what counts is the smaller of the two sets of the document.
    """
    g, p, found, right = tolerant(gold, predicted, distance)
    fewer_gold = np.bincount(g.document, minlength=g.documents) < np.bincount(p.document, minlength=g.documents)
    agreed, failed = [], []
    for table, hit, counted in ((g, found, fewer_gold), (p, right, ~fewer_gold)):
        chosen = hit & counted[table.document]
        agreed.append(by_label(table.document[chosen], table.label[chosen], hit[chosen]))
        failed.append(by_label(table.document[~hit], table.label[~hit], hit[~hit]))
    return tally(g.documents, g.labels, *(together(*agreed, wrong) for wrong in failed))


def overlap(gold: SpanTable, predicted: SpanTable) -> Counts:
    """Spans of one type that share a character; several may share one partner, so found and right may differ."""
    g, p, _, _ = distinct(gold, predicted)
    found, right = overlapped(g, p), overlapped(p, g)
    return tally(g.documents, g.labels, by_label(g.document, g.label, found), by_label(p.document, p.label, right))


def binary_strict(gold: SpanTable, predicted: SpanTable) -> Counts:
    """Spans with the same offsets, whatever their types.

    All labels together count places. A label counts its own spans, the gold ones for recall and the predicted ones for
    precision.
    """
    g, p, _, _ = distinct(gold, predicted)
    keys = pack(*((t.document, t.start, t.end) for t in (g, p)))
    sides = []
    for table, key, other in ((g, *keys), (p, *keys[::-1])):
        hit, one, places = among(key, other), np.ones(len(table), np.int64), first_of_each(key)
        typed = Items(table.document, 1 + table.label, one, hit)
        untyped = Items(table.document[places], np.full(len(places), ALL), one[places], hit[places])
        sides.append(together(typed, untyped))
    return tally(g.documents, g.labels, *sides)


def seqeval(gold: SpanTable, predicted: SpanTable, texts: TextTable, scheme: Scheme) -> Counts:
    """Entities of the word tags that the spans become under `scheme`: seqeval's numbers in its strict mode."""
    words = WordTable.of(texts)
    return strict(*(entities(tag_words(table, texts, words, scheme), scheme) for table in (gold, predicted)))


def measure(
    gold: SpanTable,
    predicted: SpanTable,
    texts: TextTable,
    scheme: Scheme = "BIO",
    hipaa: Collection[str] = HIPAA_OFFICIAL,
    hipaa_mended: Collection[str] = HIPAA_MENDED,
) -> dict[str, Counts]:
    """Every family of one chunk of documents, by the name that reports give it.

    `texts` are those of the same documents. The HIPAA families are left out if no evaluated label is a HIPAA type.
    """
    tokens = alphanumeric_tokens(gold, texts), alphanumeric_tokens(predicted, texts)
    leak = char_leak(gold, predicted, texts)
    families = {
        "strict": strict(gold, predicted),
        "relaxed": relaxed(gold, predicted),
        "overlap": overlap(gold, predicted),
        "token": strict(*tokens),
        "binary_strict": binary_strict(gold, predicted),
        "binary_token": binary_strict(*tokens),
        "merged": merged(gold, predicted, texts),
        "seqeval": seqeval(gold, predicted, texts, scheme),
        "char_leak": leak,
        "document_clean": document_clean(leak),
    }
    for types, suffix in ((hipaa, ""), (hipaa_mended, "_mended")):
        if set(types) & set(gold.labels):
            spans = gold.only(types), predicted.only(types)
            cut = tokens[0].only(types), tokens[1].only(types)
            families |= {
                f"hipaa_strict{suffix}": strict(*spans),
                f"hipaa_relaxed{suffix}": relaxed(*spans),
                f"hipaa_token{suffix}": strict(*cut),
                f"hipaa_binary_strict{suffix}": binary_strict(*spans),
                f"hipaa_binary_token{suffix}": binary_strict(*cut),
            }
    return families
