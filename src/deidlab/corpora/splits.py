"""Seeded splits that keep a group (a patient, a uid, a note) on one side."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deidlab.types import ConfigError, DataError, Document

DOCUMENT = "document"


def group_of(document: Document, split_by: str) -> str | None:
    """What must not straddle a split: `meta[split_by]`, or the document's id when `split_by` is "document".

    An empty name names nobody.
    """
    return document.id if split_by == DOCUMENT else document.meta.get(split_by) or None


def split_indices(groups: Sequence[str], fractions: Mapping[str, float], seed: int) -> dict[str, list[int]]:
    """Indices of documents per split, given the group of each; every split in ascending order.

    Groups are ranked by a hash of seed and name, so the split depends neither on the order of the documents nor on
    the machine. Each group goes, in that order, to the first split whose share of the documents is not yet full;
    every split gets a group. Raises `ConfigError` for fractions that do not sum to one, `DataError` for fewer groups
    than splits.
    """
    if any(share < 0 for share in fractions.values()) or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ConfigError(f"fractions {dict(fractions)} must be positive and sum to 1 (data.fractions)")
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    wanted = [(name, share) for name, share in fractions.items() if share > 0]
    if len(members) < len(wanted):
        raise DataError(
            f"{len(members)} groups cannot fill {', '.join(name for name, _ in wanted)}; "
            "set the shares of some to 0 (data.fractions, --split-by-patient .8/0/.2) or split by note "
            "(data.split_by=document, --split-by-note)"
        )
    ranked = sorted(members, key=lambda group: hashlib.sha256(f"{seed}\0{group}".encode()).digest())
    splits: dict[str, list[int]] = {name: [] for name, _ in wanted}
    due, taken = 0.0, 0
    for position, (name, share) in enumerate(wanted):
        due += share * len(groups)
        still_to_fill = len(wanted) - position - 1
        final = still_to_fill == 0
        while len(ranked) > still_to_fill and (final or not splits[name] or taken + len(members[ranked[0]]) / 2 <= due):
            indices = members[ranked.pop(0)]
            splits[name] += indices
            taken += len(indices)
    return {name: sorted(indices) for name, indices in splits.items()}


def named(documents: Iterable[Document], file: str | None) -> list[Document]:
    """The documents whose ids a file of `scripts/select_notes.py` lists (null: all).

    Raises `ConfigError` where it lists others.
    """
    if file is None:
        return list(documents)
    ids = set(read_ids(file))
    found = [document for document in documents if document.id in ids]
    if len(found) < len(ids):
        raise ConfigError(f"notes.ids={file}: {len(ids) - len(found)} of its {len(ids)} ids are not in the train split")
    return found


def read_ids(file: str | Path) -> list[str]:
    """The ids in a file that `scripts/select_notes.py` wrote. Raises `DataError` for another kind of file."""
    try:
        ids = json.loads(Path(file).read_text(encoding="utf-8"))["ids"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{file}: expected a file of scripts/select_notes.py, {{'ids': [...]}}") from None
    return [str(one) for one in ids]


def fold_indices(groups: Sequence[str], of: int, test: int, validation: float, seed: int) -> dict[str, list[int]]:
    """Indices of documents per split where fold `test` (from 0) `of` so many is held out; each group is in one fold.

    `validation` is the share of the others that is cut off for validation. Raises `ConfigError` for a fold that is not
    there, `DataError` for fewer groups than folds.
    """
    if of < 2 or not 0 <= test < of:
        raise ConfigError(
            f"data.fold is {{of: {of}, test: {test}}}; expected 2 folds or more, and test from 0 to {of - 1}"
        )
    folds = split_indices(groups, {str(number): 1 / of for number in range(of)}, seed)
    rest = sorted(index for number, fold in folds.items() if number != str(test) for index in fold)
    if not validation:
        return {"train": rest, "test": folds[str(test)]}
    parts = split_indices([groups[i] for i in rest], {"validation": validation, "train": 1 - validation}, seed)
    return {name: [rest[i] for i in part] for name, part in parts.items()} | {"test": folds[str(test)]}


def drawn(documents: Sequence[Document], number: int | None, seed: int) -> list[Document]:
    """So many of the documents (null: all), ranked by a hash of seed and id: fewer are a part of more.

    Raises `ConfigError` for more than there are.
    """
    if number is None:
        return list(documents)
    if not 0 <= number <= len(documents):
        raise ConfigError(f"{number} notes are wanted and {len(documents)} are there (notes.train, validation, test)")
    return sorted(documents, key=lambda d: hashlib.sha256(f"{seed}\0{d.id}".encode()).digest())[:number]


def sampled(documents: Iterable[Document], number: int | None) -> Iterable[Document]:
    """So many of the documents to judge on (null: all, not read yet), the same whatever the seed of a run."""
    return documents if number is None else drawn(list(documents), number, seed=0)
