"""Does a model miss the names of some people more than those of others? Gaps between groups, on twins where there are.

Counterfactual twins are copies of one note with the identifiers of other people; `meta.twin` names the family. A pair
differs in one attribute only, so the test is paired and answers for the attribute alone. Without twins groups are
compared as they are, by the bootstrap. Recall of names and relative difference: Towards Fair and Efficient
De-identification (EACL Findings 2026), experiments 2.2 and 2.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.metrics.counts import ALL, FOUND, GOLD, Counts
from deidlab.metrics.intervals import Resamples, replicates, rows_with_intervals
from deidlab.metrics.rows import Row
from deidlab.metrics.significance import compare, p_of_bootstrap
from deidlab.types import ConfigError, DataError

Meta = Sequence[Mapping[str, str]]
ATTRIBUTES = ("culture", "gender")
TWIN = "twin"
USUAL_REFERENCE = {"culture": "us"}


@dataclass(frozen=True)
class Gap:
    """Recall of one group beside that of the reference group.

    `difference` is group - reference, `relative` the same over the reference's recall; `difference_low` and
    `difference_high` bound it. `pairs` counts twin pairs, None where groups were compared unpaired; where only some
    have a twin, the difference is of these, and `recall` of all notes of the group. What could not be computed (a group
    without gold, a single patient) is None.
    """

    attribute: str
    group: str
    reference: str
    types: str  # all | names
    metric: str  # strict: spans; char_leak: characters covered
    documents: int
    support: int
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    difference: float | None = None
    relative: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_value: float | None = None
    pairs: int | None = None


def pooled(counts: Counts, labels: Collection[str] | None = None) -> Counts:
    """The counts of some labels added up (None: all labels together, as counted), one column per document."""
    columns = [ALL] if labels is None else [1 + i for i, label in enumerate(counts.labels) if label in labels]
    kept = np.isin(counts.column, columns)
    sums = [np.bincount(counts.document[kept], counts.values[kept, kind], counts.documents) for kind in range(4)]
    return _of_documents(np.stack(sums, axis=1).astype(np.int64))


def chosen(counts: Counts, documents: Sequence[int]) -> Counts:
    """Pooled counts of the documents chosen, in that order; one may be chosen twice."""
    return _of_documents(counts.dense()[:, ALL][np.asarray(documents, np.int64)])


def _of_documents(values: np.ndarray) -> Counts:
    filled = np.flatnonzero(values.any(axis=1))
    return Counts(len(values), (), filled, np.full(len(filled), ALL), values[filled])


def gaps(
    counts: Mapping[str, Counts],
    meta: Meta,
    attribute: str,
    names: Collection[str],
    resamples: Resamples,
    *,
    reference: str | None = None,
    kinds: Sequence[str] = ("names", "all"),
    twins: bool = True,
    level: float = 0.95,
) -> list[Gap]:
    """The gap of every group of `attribute`, for every family in `counts` and kind of types, the reference first.

    `reference` None is `us` for cultures, or else the largest group. Documents without the attribute are left out; an
    attribute of fewer than two groups has no gaps. With `twins`, groups are paired where documents have `meta.twin`,
    and resampled by it. Raises `ConfigError` for a reference that no document has.
    """
    sizes = Counter(one[attribute] for one in meta if attribute in one)
    if len(sizes) < 2:
        return []
    first = _reference(attribute, sizes, reference)
    groups = [first, *sorted(set(sizes) - {first})]
    found: list[Gap] = []
    for kind in kinds:
        for metric, family in counts.items():
            one_column = pooled(family, names if kind == "names" else None)
            for group in groups:
                gap = _gap(one_column, meta, attribute, group, first, resamples, twins, level)
                found.append(Gap(attribute, group, first, kind, metric, **gap))
    return found


def _reference(attribute: str, sizes: Counter[str], wanted: str | None) -> str:
    if wanted is None:
        usual = USUAL_REFERENCE.get(attribute)
        return usual if usual is not None and usual in sizes else min(sizes, key=lambda group: (-sizes[group], group))
    if wanted not in sizes:
        there = ", ".join(sorted(sizes))
        raise ConfigError(f"evaluation.reference.{attribute}={wanted}: no document has it; there are {there}")
    return wanted


def _gap(
    counts: Counts,
    meta: Meta,
    attribute: str,
    group: str,
    reference: str,
    resamples: Resamples,
    twins: bool,
    level: float,
) -> Row:
    members, others = (
        np.array([i for i, m in enumerate(meta) if m.get(attribute) == name]) for name in (group, reference)
    )
    # Pooled counts have no columns but the first, whose recall any family's name gives.
    line = rows_with_intervals(counts, "strict", resamples, members=members, level=level)[0]
    here = {
        "documents": len(members),
        "support": line["support"],
        "recall": line["recall"],
        "recall_low": line.get("recall_low"),
        "recall_high": line.get("recall_high"),
    }
    if group == reference:
        return here
    pairs = twin_pairs(meta, attribute, reference, group) if twins else []
    if pairs:
        originals, copies = (chosen(counts, [pair[side] for pair in pairs]) for side in (0, 1))
        families = Resamples.of([meta[i][TWIN] for i, _ in pairs], resamples.replicates, resamples.seed)
        tested = compare(originals, copies, "strict", "recall", families)
        drawn = compare(originals, copies, "strict", "recall", families, test="bootstrap", level=level)
        base, difference, p_value, low, high = (
            tested.first, tested.difference, tested.p_value, drawn.low, drawn.high,
        )  # fmt: skip
    else:
        base = _recall(counts, others)
        difference = None if base is None or line["recall"] is None else line["recall"] - base
        low, high, p_value = _unpaired(counts, members, others, resamples, level)
    relative = None if difference is None or not base else difference / base
    return here | {
        "difference": difference,
        "relative": relative,
        "difference_low": low,
        "difference_high": high,
        "p_value": p_value,
        "pairs": len(pairs) or None,
    }


def _recall(counts: Counts, members: np.ndarray) -> float | None:
    total = counts.dense()[members, ALL].sum(axis=0)
    return float(total[FOUND] / total[GOLD]) if total[GOLD] else None


def _unpaired(
    counts: Counts, members: np.ndarray, others: np.ndarray, resamples: Resamples, level: float
) -> tuple[float | None, float | None, float | None]:
    """Bootstrap interval and p-value of the difference of two groups under the same draws of patients."""
    if min(len(np.unique(resamples.cluster[side])) for side in (members, others)) < 2:
        return None, None, None
    here, there = (replicates(counts, "strict", resamples, members=side)["recall"][:, 0] for side in (members, others))
    drawn = here - there
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return None, None, None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), p_of_bootstrap(drawn)


def twin_pairs(meta: Meta, attribute: str, reference: str, group: str) -> list[tuple[int, int]]:
    """Documents (reference, group) of one family that agree in every other attribute, in the order of the families."""
    sides: dict[str, dict[tuple[str | None, ...], int]] = {reference: {}, group: {}}
    for number, one in enumerate(meta):
        if TWIN in one and one.get(attribute) in sides:
            rest = tuple(one.get(other) for other in ATTRIBUTES if other != attribute)
            sides[one[attribute]][one[TWIN], *rest] = number
    return [(number, sides[group][key]) for key, number in sides[reference].items() if key in sides[group]]


def check_twins(meta: Meta, document_ids: Sequence[str], strict: Counts, names: Collection[str]) -> None:
    """Raise `DataError` for families that are none.

    A family is two or more documents, no two of one culture and gender, all with as many names (gold spans whose label
    is among `names`). Other identifiers may differ: not every country's addresses have a state.
    """
    families: dict[str, list[int]] = {}
    for number, one in enumerate(meta):
        if TWIN in one:
            families.setdefault(one[TWIN], []).append(number)
    gold = pooled(strict, names).dense()[:, ALL, GOLD]
    for family, members in families.items():
        who = ", ".join(document_ids[i] for i in members[:2])
        mend = "mend meta.twin, or say evaluation.twins=false to compare groups unpaired"
        if len(members) < 2:
            raise DataError(f"{who}: is the only document of twin family {family}; {mend}")
        kinds = Counter(tuple(meta[i].get(attribute) for attribute in ATTRIBUTES) for i in members)
        if kinds.most_common(1)[0][1] > 1:
            raise DataError(f"twin family {family} ({who}, ...) has two documents of one culture and gender; {mend}")
        if len(set(gold[members].tolist())) > 1:
            raise DataError(f"twin family {family} ({who}, ...): its documents differ in their number of names; {mend}")


def missed_types(strict: Counts) -> list[Row]:
    """Each type's share of the gold spans beside its share of the missed ones, the most missed first.

    `ratio` above 1 says that the type is missed more than its share; None without any miss.
    """
    total = strict.total()
    gold = total[1:, GOLD]
    missed = gold - total[1:, FOUND]
    lines = []
    for label, has, lost in zip(strict.labels, gold.tolist(), missed.tolist(), strict=True):
        if has:
            share, of_missed = has / int(gold.sum()), lost / int(missed.sum()) if missed.sum() else 0.0
            ratio = of_missed / share if missed.sum() else None
            line = {"label": label, "gold": has, "missed": lost, "share": share, "share_of_missed": of_missed}
            lines.append(line | {"ratio": ratio})
    return sorted(lines, key=lambda line: (-line["missed"], line["label"]))
