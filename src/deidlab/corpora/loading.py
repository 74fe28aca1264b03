"""A corpus from files to memory-mapped splits: read once, checked as it streams, cut where a split is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from datasets import Dataset, DatasetDict

from deidlab.corpora.intake import Intake
from deidlab.corpora.schema import from_row, open_arrow, write_arrow
from deidlab.corpora.splits import DOCUMENT, fold_indices, split_indices
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError, Document, Losses, OnError, left_out

# In the order of reading: what is in test already is left out of train, never the other way round.
SPLITS = ("test", "validation", "train")

Reader = Callable[[Path, Losses], Iterable[Document]]
HubReader = Callable[[str, Losses], Iterable[Document]]


@dataclass(frozen=True)
class Corpus:
    """Splits of documents, what was lost on the way, and the vocabulary of their labels.

    `fingerprint` tells two corpora apart whatever the order of their documents; `label_map` is the user's own.
    """

    documents: DatasetDict
    losses: Losses
    vocabulary: str
    fingerprint: str
    label_map: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)  # what a corpus knows about itself: no text

    def iterate(self, split: str) -> Iterator[Document]:
        """The documents of a split, read as they are asked for; raises `DataError` if there is no such split."""
        return map(from_row, self._rows(split))

    def typed(self, labels: LabelSet) -> Callable[[str], Iterator[Document]]:
        """A view of the splits in which spans carry types of `labels`; what maps to O is counted in `losses`.

        Raises `DataError` that lists every label of the corpus without a place in `labels`.
        """
        mapping = labels.mapping_for(self.vocabulary, self.label_counts(), self.label_map)
        return lambda split: (labels.relabel(document, mapping, self.losses) for document in self.iterate(split))

    def judged_split(self, wanted: str | None = None) -> str:
        """The split that systems are judged on: the one wanted, or test, or all there is."""
        return wanted or ("test" if "test" in self.documents else "train")

    def meta_keys(self, split: str) -> set[str]:
        """Every key that the meta of some document of a split has."""
        return {pair["key"] for meta in self._rows(split)["meta"] for pair in meta}

    def label_counts(self, *splits: str) -> Counter[str]:
        """How many spans each corpus label has in the splits named, or in all."""
        spans = (self._rows(split).select_columns("spans") for split in splits or self.documents)
        return Counter(span["label"] for rows in spans for row in rows for span in row["spans"])

    def _rows(self, split: str) -> Dataset:
        if split not in self.documents:
            raise DataError(f"{self.vocabulary} has no split {split}; it has {', '.join(self.documents)} (data.splits)")
        return self.documents[split]


def load_corpus(
    reader: Reader,
    path: str | Path | None,
    vocabulary: str,
    *,
    cache_dir: str | Path,
    splits: Mapping[str, str | Sequence[str] | None] | None = None,
    split_by: str = DOCUMENT,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    on_error: OnError = "raise",
    split: Literal["all"] | None = None,
    fold: Mapping[str, int] | None = None,
    require_spans: bool = True,
    keep: Mapping[str, str | Sequence[str]] | None = None,
    label_map: Mapping[str, str] | None = None,
    hub: HubReader | None = None,
    obtain: str = "",
) -> Corpus:
    """Read a corpus into Arrow files below `cache_dir` and cut the splits that it lacks.

    `splits` maps train, validation and test to files, folders or patterns below `path`; a pattern that matches
    nothing is no split, and when none is there, `path` itself is one corpus. `fractions` says what share of train is
    cut off for a missing validation or test, by the groups of `split_by` ("document" or a key of the documents'
    meta) and `seed`; with `split="all"` everything found becomes `test` instead, and with `fold={"of": 5, "test": 0}`
    the first of five parts of everything does, for cross-validation. A group in two splits, and an id seen before, are
    faults; counted ones stay in the split read first (test, validation, train). When `path` is
    null, `hub` reads each split by name, if given. `keep` leaves only documents whose meta has one of the values given
    for each key, e.g. of one institution. `require_spans=False` admits a corpus to be predicted. `obtain` tells where
    the corpus can be had.

    Raises `ConfigError` for settings that cannot work, `DataError` for data that are not what they should be.
    """
    _check_settings(splits or {}, fractions or {}, split)
    if fold and (split or set(fold) != {"of", "test"}):
        raise ConfigError("data.fold is {of: 5, test: 0} or the like, without data.split")
    losses = Losses(on_error)
    sources = _sources(reader, path, splits or {}, vocabulary, losses, hub, obtain, whole=bool(split or fold))
    if split == "all" or fold:
        sources = {"train" if fold else "test": chain.from_iterable(sources.values())}
    if keep:
        sources = {name: kept(documents, keep) for name, documents in sources.items()}
    intake = Intake(split_by, losses)
    files = {name: Path(cache_dir) / f"{name}.arrow" for name in SPLITS if name in sources}
    for name, file in files.items():
        write_arrow(intake.admitted(sources[name], name), file)
        if not intake.documents[name]:
            raise DataError(f"{path or vocabulary}: no documents in {name}{left_out(losses)}")
    learnt = "train" if "train" in files else "test"
    if require_spans and not intake.spans[learnt]:
        raise DataError(f"{path or vocabulary}: no spans in {learnt}; is it annotated?{left_out(losses)}")
    fingerprint = intake.fingerprint()
    documents = {name: open_arrow(file, f"{fingerprint}-{name}") for name, file in files.items()}
    if fold:
        whole, share = documents["train"], (fractions or {}).get("validation", 0.0)
        parts = fold_indices(intake.groups("train"), **fold, validation=share, seed=seed)
        ordered = DatasetDict({name: whole.select(parts[name]) for name in reversed(SPLITS) if name in parts})
        return Corpus(ordered, losses, vocabulary, fingerprint, dict(label_map or {}))
    cut = {name: share for name, share in (fractions or {}).items() if share and name not in files}
    if cut and "train" in files:
        shares = {**cut, "train": 1 - sum(cut.values())}
        whole = documents["train"]
        parts = split_indices(intake.groups("train"), shares, seed)
        documents.update({name: whole.select(indices) for name, indices in parts.items()})
    ordered = DatasetDict({name: documents[name] for name in reversed(SPLITS) if name in documents})
    return Corpus(ordered, losses, vocabulary, fingerprint, dict(label_map or {}))


def kept(documents: Iterable[Document], keep: Mapping[str, str | Sequence[str]]) -> Iterator[Document]:
    """The documents whose meta has, for every key of `keep`, its value or one of its values."""
    one = (str, int, float)
    wanted = {key: {str(v)} if isinstance(v, one) else set(map(str, v)) for key, v in keep.items()}
    return (d for d in documents if all(d.meta.get(key) in values for key, values in wanted.items()))


def _check_settings(splits: Mapping[str, object], fractions: Mapping[str, float], split: str | None) -> None:
    if unknown := sorted(set(splits) - set(SPLITS)):
        raise ConfigError(f"data.splits has {', '.join(unknown)}; expected train, validation, test")
    if unknown := sorted(set(fractions) - {"validation", "test"}):
        raise ConfigError(f"data.fractions has {', '.join(unknown)}; expected validation, test (train is the rest)")
    if any(not 0 <= share < 1 for share in fractions.values()) or sum(fractions.values()) >= 1:
        raise ConfigError(f"data.fractions {dict(fractions)} must lie in [0, 1) and leave something for train")
    if split not in (None, "all"):
        raise ConfigError(f"data.split is {split!r}; expected all or null")


def _sources(
    reader: Reader,
    path: str | Path | None,
    splits: Mapping[str, str | Sequence[str] | None],
    vocabulary: str,
    losses: Losses,
    hub: HubReader | None,
    obtain: str,
    whole: bool,
) -> dict[str, Iterable[Document]]:
    """The documents of each split, not read yet; a corpus without splits is all train."""
    stated = {
        name: [part] if isinstance(part, str) else list(part) for name, part in splits.items() if part is not None
    }
    if path is None:
        if hub is not None:
            return {name: hub(name, losses) for name in stated}
        raise ConfigError(f"where is the corpus ({vocabulary})? Set data.path=FOLDER. {obtain}".rstrip())
    root = Path(path).expanduser()
    if not root.exists():
        raise DataError(f"{path} does not exist; set data.path=FOLDER. {obtain}".rstrip())
    found = {name: [(part, _matching(root, part)) for part in parts] for name, parts in stated.items()}
    present = [name for name, parts in found.items() if any(files for _, files in parts)]
    if not present:
        return {"train": reader(root, losses)}
    # A pattern may match nothing, a name must be there; and nothing can be cut from a train that is not.
    missing = [
        part
        for name, parts in found.items()
        for part, files in parts
        if not files and (name == "train" or "*" not in part)
    ]
    if missing and not whole:
        raise DataError(
            f"{path} has no {', '.join(missing)}; mend data.splits, or set that split to null to cut it from train"
        )
    return {
        name: chain.from_iterable(reader(file, losses) for _, files in parts for file in files)
        for name, parts in found.items()
        if name in present
    }


def _matching(root: Path, part: str) -> list[Path]:
    if Path(part).is_absolute():
        return [Path(part)] if Path(part).exists() else []
    return sorted(root.glob(part)) if root.is_dir() else []
