"""Annotated notes from one format to another: read, relabelled, split by patient, written; what is lost is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deidlab.corpora import writing
from deidlab.corpora.label_maps import check_complete, relabelled
from deidlab.corpora.reading import SPLITS, Reading, sources
from deidlab.corpora.splits import DOCUMENT, group_of, split_indices
from deidlab.labels import Scheme
from deidlab.types import ConfigError, DataError, Document, Losses, left_out

Splits = dict[str | None, list[Document]]


@dataclass(frozen=True)
class Cut:
    """Shares of train, validation and test, and what must stay on one side: `patient`, or `document`."""

    fractions: Mapping[str, float]
    split_by: str = "patient"
    seed: int = 0

    @classmethod
    def parsed(cls, shares: str, split_by: str, seed: int) -> Cut:
        """A cut from `.8/.1/.1`; raises `ConfigError` for what is none."""
        try:
            numbers = [float(share) for share in shares.split("/")]
        except ValueError:
            numbers = []
        if len(numbers) != len(SPLITS) or min(numbers, default=-1) < 0 or abs(sum(numbers) - 1) > 1e-6:
            raise ConfigError(f"shares {shares!r}: expected those of train, validation and test, as .8/.1/.1; sum 1")
        return cls(dict(zip(SPLITS, numbers, strict=True)), split_by, seed)


def read_splits(path: str | Path, reading: Reading, losses: Losses) -> Splits:
    """All documents below a path by split (None: nothing says which)."""
    splits: Splits = {}
    for source in sources(path, reading.form):
        splits.setdefault(source.split, []).extend(reading.documents(source.path, source.form, losses))
    if not any(splits.values()):
        raise DataError(f"{path} holds no note that could be read{left_out(losses)}")
    return splits


def label_counts(splits: Splits) -> Counter[str]:
    """How many spans each label has."""
    return Counter(span.label for documents in splits.values() for document in documents for span in document.spans)


def cut(documents: Sequence[Document], how: Cut, losses: Losses) -> Splits:
    """The documents in splits that share no group; a document without one is its own group, which is counted.

    Raises `DataError` when no document has one: the split would part what belongs together.
    """
    groups = [group_of(document, how.split_by) for document in documents]
    if all(group is None for group in groups):
        raise DataError(
            f"no note says its {how.split_by}: name it in the metadata, or by a pattern of ids (--patient-pattern "
            "'(.+)-'), or split by note (--split-by-note) if every note stands alone"
        )
    if how.split_by != DOCUMENT and (alone := groups.count(None)):
        losses.count(f"no_{how.split_by}", n=alone)
    named = [f"{DOCUMENT} {d.id}" if g is None else g for d, g in zip(documents, groups, strict=True)]
    parts = split_indices(named, how.fractions, how.seed)
    return {name: [documents[index] for index in parts[name]] for name in parts}


def convert(
    path: str | Path,
    out: str | Path,
    form: str,
    *,
    reading: Reading,
    losses: Losses,
    mapping: Mapping[str, str] | None = None,
    map_name: str = "the label map",
    cutting: Cut | None = None,
    scheme: Scheme = "BIO",
) -> dict[str | None, int]:
    """Convert what lies below `path` into `form` below `out`; returns how many notes each split has.

    With splits, `out` has a folder for each; without, it holds the notes. Everything is read and checked before
    anything is written. Raises `ConfigError` for settings that cannot work, `DataError` for data that are not what
    they should be.
    """
    writing.layout(form, scheme)
    splits = read_splits(path, reading, losses)
    if None in splits and len(splits) > 1:
        there = ", ".join(name for name in splits if name)
        raise ConfigError(f"{path}: some of its notes lie below {there} and some do not: name one folder")
    if mapping is not None:
        check_complete(mapping, label_counts(splits), map_name)
        splits = {name: [relabelled(d, mapping, losses) for d in documents] for name, documents in splits.items()}
    if cutting is not None:
        if set(splits) != {None}:
            there = ", ".join(str(name) for name in splits if name)
            raise ConfigError(f"{path} has splits already ({there}): name one of them, or leave out the shares")
        splits = cut(splits[None], cutting, losses)
    with writing.whole(out) as folder:
        return {
            name: writing.write(documents, folder / name if name else folder, form, losses, scheme)
            for name, documents in splits.items()
        }
