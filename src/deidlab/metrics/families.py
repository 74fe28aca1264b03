"""The metric families: pure functions from matched spans to `Counts`, one for each name in a report.

| name | a predicted span is right if a gold span of its document has |
|---|---|
| `strict` | the same start, end and type (i2b2 2014 strict, MEDDOCAN NER) |
| `relaxed` | the same start and type, and an end at most two characters away (i2b2 2014 relaxed) |
| `overlap` | the same type and a character in common |
| `token` | spans cut into `[a-zA-Z0-9]+`, then strict (i2b2 2014 token) |
| `binary_strict`, `binary_token` | the same start and end, whatever the type |
| `binary_subword` | touched the same subword of the system's tokenizer, whatever the type (the card of clinical-deid) |
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
from deidlab.metrics.matching import Match, exact, meet, overlapped, pack, tolerant
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

SPAN_FAMILIES = ("strict", "relaxed", "token", "binary_strict", "binary_token")
FAMILIES = (
    *SPAN_FAMILIES, "overlap", "binary_subword", "merged", "seqeval", "category_strict", "char_leak", "document_clean",
    *(f"hipaa_{name}{suffix}" for suffix in ("", "_mended") for name in SPAN_FAMILIES),
)  # fmt: skip


def strict(match: Match) -> Counts:
    """Spans as matched; after `exact` the strict family, over tokens or entities the token and seqeval families."""
    sides = (by_label(table.document, table.label, hit) for table, hit in match.sides)
    return tally(match.gold.documents, match.gold.labels, *sides)


def relaxed(match: Match) -> Counts:
    """Spans as matched by `tolerant`, counted as the i2b2 2014 scorer does.

    It compares sets under the tolerant equality, so that where two spans match one, what counts is the smaller of the
    two sets of the document.
    """
    documents = match.gold.documents
    in_gold, in_predicted = (np.bincount(table.document, minlength=documents) for table, _ in match.sides)
    agreed, failed = [], []
    for (table, hit), counted in zip(match.sides, (in_gold < in_predicted, in_gold >= in_predicted), strict=True):
        chosen = hit & counted[table.document]
        agreed.append(by_label(table.document[chosen], table.label[chosen], hit[chosen]))
        failed.append(by_label(table.document[~hit], table.label[~hit], hit[~hit]))
    return tally(documents, match.gold.labels, *(together(*agreed, wrong) for wrong in failed))


def overlap(match: Match) -> Counts:
    """Spans of one type that share a character; several may share one partner, so found and right may differ."""
    g, p = match.gold, match.predicted
    return strict(Match(g, p, overlapped(g, p), overlapped(p, g)))


def binary_strict(match: Match) -> Counts:
    """Spans with the same offsets, whatever their types, from those that `exact` sorted.

    All labels together count places. A label counts its own spans, the gold ones for recall and the predicted ones for
    precision.
    """
    g, p = match.gold, match.predicted
    keys = pack(*((t.document, t.start, t.end) for t in (g, p)))
    sides = []
    for table, key, hit in zip((g, p), keys, meet(*keys), strict=True):
        places = np.flatnonzero(np.diff(key, prepend=-1))  # the first span at each
        untyped = Items(table.document[places], np.full(len(places), ALL), np.ones(len(places), np.int64), hit[places])
        sides.append(together(by_label(table.document, table.label, hit), untyped))
    return tally(g.documents, g.labels, *sides, pool=False)


def binary_subword(gold: SpanTable, predicted: SpanTable, texts: TextTable, subwords: WordTable) -> Counts:
    """Subwords that share a character with a span, whatever its type, special tokens and blanks left out.

    What the card of clinical-deid calls F1 (facts 1.1). It depends on the tokenizer: figures of two do not compare.
    """
    return binary_strict(exact(*(subwords.touched(table, texts) for table in (gold, predicted))))


def seqeval(gold: SpanTable, predicted: SpanTable, texts: TextTable, scheme: Scheme) -> Counts:
    """Entities of the word tags that the spans become under `scheme`: seqeval's numbers in its strict mode."""
    words = WordTable.of(texts)
    return strict(exact(*(entities(tag_words(table, texts, words, scheme), scheme) for table in (gold, predicted))))


def measure(
    gold: SpanTable,
    predicted: SpanTable,
    texts: TextTable,
    scheme: Scheme = "BIO",
    subwords: WordTable | None = None,
    hipaa: Collection[str] = HIPAA_OFFICIAL,
    hipaa_mended: Collection[str] = HIPAA_MENDED,
) -> dict[str, Counts]:
    """Every family of one chunk of documents, by the name that reports give it.

    `texts` are those of the same documents. The HIPAA families are left out if no evaluated label is a HIPAA type, and
    `binary_subword` without `subwords`, those of the system's tokenizer.
    """
    spans, near = exact(gold, predicted), tolerant(gold, predicted, distance=2)
    tokens = exact(alphanumeric_tokens(gold, texts), alphanumeric_tokens(predicted, texts))
    leak = char_leak(gold, predicted, texts)
    families = {
        "strict": strict(spans),
        "relaxed": relaxed(near),
        "overlap": overlap(spans),
        "token": strict(tokens),
        "binary_strict": binary_strict(spans),
        "binary_token": binary_strict(tokens),
        "merged": merged(gold, predicted, texts),
        "seqeval": seqeval(gold, predicted, texts, scheme),
        "char_leak": leak,
        "document_clean": document_clean(leak),
    }
    if subwords is not None:
        families["binary_subword"] = binary_subword(gold, predicted, texts, subwords)
    for types, suffix in ((hipaa, ""), (hipaa_mended, "_mended")):
        if set(types) & set(gold.labels):
            families |= {
                f"hipaa_strict{suffix}": strict(spans.only(types)),
                f"hipaa_relaxed{suffix}": relaxed(near.only(types)),
                f"hipaa_token{suffix}": strict(tokens.only(types)),
                f"hipaa_binary_strict{suffix}": binary_strict(spans.only(types)),
                f"hipaa_binary_token{suffix}": binary_strict(tokens.only(types)),
            }
    return families
