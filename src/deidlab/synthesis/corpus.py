"""The synthetic corpus as a corpus like any other: splits in Arrow files, loaded by `data=synthetic`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets import DatasetDict

from deidlab.corpora.intake import Intake
from deidlab.corpora.loading import Corpus
from deidlab.corpora.schema import open_arrow, write_arrow
from deidlab.labels import LabelSet
from deidlab.synthesis.grammar import SPLITS, Shares
from deidlab.synthesis.noise import noise_of
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.statistics import Statistics, overlap
from deidlab.synthesis.stream import generate
from deidlab.synthesis.twins import twins as counterfactual
from deidlab.synthesis.vocabulary import NAMES, Convention
from deidlab.types import ConfigError, DataError, Document, Losses

VOCABULARY = "synthetic"

# A list, weights, or either by split; null: the usual (`settings.NOTE_TYPES`), all institutions.
Chosen = Sequence[str] | Mapping[str, float] | Mapping[str, Sequence[str] | Mapping[str, float] | None] | None


@dataclass(frozen=True)
class SyntheticCorpus(Corpus):
    """A corpus that knows why a label set may have no place for its names."""

    def typed(self, labels: LabelSet) -> Callable[[str], Iterator[Document]]:
        """As `Corpus.typed`; raises `ConfigError` where only the convention of names stands in the way."""
        try:
            return super().typed(labels)
        except DataError as error:
            placed = {*labels.maps.get(self.vocabulary, {}), *self.label_map}
            if set(self.label_counts()) - placed <= set(NAMES):
                raise ConfigError(
                    f"label set {labels.name} has first and last names apart: set data.convention=parts"
                ) from error
            raise


def load_synthetic(
    *,
    cache_dir: str | Path,
    seed: int,
    sizes: Mapping[str, int],
    note_types: Chosen = None,
    institutions: Chosen = None,
    cultures: Mapping[str, float] | Mapping[str, Mapping[str, float]] | None = None,
    genders: Mapping[str, float] | None = None,
    balanced: Sequence[str] = (),
    twins: Sequence[str] = (),
    mixing: float | Mapping[str, float] = 0.3,
    abroad: float | Mapping[str, float] = 0.15,
    native_script: float = 0.0,
    long: float = 0.02,
    convention: Convention = "whole",
    noise: Mapping[str, float] | None = None,
    disjoint: bool = True,
    held_out: Mapping[str, float] | None = None,
    workers: int = 1,
    label_map: Mapping[str, str] | None = None,
    require_spans: bool = True,
) -> Corpus:
    """Write the splits named in `sizes` below `cache_dir` and load them.

    `note_types` and `institutions` are lists or weights, or such by split (null: the usual note types, all
    institutions); `cultures` gives weights, or by split such weights (null: `settings.CULTURES`); `balanced` names
    splits in which cultures and genders take turns, so that each cell has its share exactly; `twins` names splits
    in which every note is written once for each such cell, so that `sizes` counts families. With `disjoint`,
    identifiers and sentence templates of a split occur in no other (`held_out` is the share of templates kept for
    validation and for test). `require_spans` is for corpora that may lack them; this one never does. Raises
    `ConfigError` that lists the choices.
    """
    settings = settings_by_split(
        sizes, note_types, institutions, cultures, genders, balanced, mixing, abroad, disjoint, held_out,
        native_script=native_script, long=long, convention=convention, noise=noise_of(noise),
    )  # fmt: skip
    losses = Losses("raise")
    intake = Intake("document", losses)
    files = {split: Path(cache_dir) / f"{split}.arrow" for split in settings}
    for split, file in files.items():
        if split in twins:
            notes = counterfactual(settings[split], sizes[split], seed, cells(settings[split]))
        else:
            notes = generate(settings[split], sizes[split], seed, workers=workers)
        write_arrow(intake.admitted(notes, split), file)
    fingerprint = intake.fingerprint()
    documents = DatasetDict({split: open_arrow(file, f"{fingerprint}-{split}") for split, file in files.items()})
    corpus = SyntheticCorpus(documents, losses, VOCABULARY, fingerprint, dict(label_map or {}))
    return replace(corpus, provenance={"overlap_with_train": measured_overlap(corpus)})


def cells(settings: Settings) -> list[tuple[str, str]]:
    """Every culture and gender that notes of these settings may have."""
    return [(c, g) for c, share in settings.cultures.items() if share for g, part in settings.genders.items() if part]


def measured_overlap(corpus: Corpus) -> dict[str, Mapping[str, float]]:
    """What share of the names, identifiers and sentences of the other splits the notes of train contain too."""
    if "train" not in corpus.documents:
        return {}
    known = {split: Statistics.of(corpus.iterate(split), lexical=False) for split in corpus.documents}
    return {split: overlap(known["train"], held) for split, held in known.items() if split != "train"}


def settings_by_split(
    sizes: Mapping[str, int],
    note_types: Chosen,
    institutions: Chosen,
    cultures: Mapping | None,
    genders: Mapping[str, float] | None,
    balanced: Sequence[str],
    mixing: float | Mapping[str, float],
    abroad: float | Mapping[str, float],
    disjoint: bool,
    held_out: Mapping[str, float] | None,
    **others: Any,
) -> dict[str, Settings]:
    """One `Settings` for each split, in the order train, validation, test."""
    if wrong := sorted({*sizes, *balanced} - set(SPLITS)):
        raise ConfigError(f"unknown split {', '.join(wrong)}; choose from {', '.join(SPLITS)}")
    if genders:
        others["genders"] = dict(genders)
    shares: dict[str, Any] = dict(held_out or {})
    base = Settings(**others, shares=Shares(**shares))
    if any(size < 1 for size in sizes.values()) or not sizes:
        raise ConfigError(f"sizes are {dict(sizes)}; expected at least one note in each split named")
    return {
        split: replace(
            base,
            note_types=_of_split(note_types, split),
            institutions=_of_split(institutions, split),
            cultures=_of_split(cultures, split),
            mixing=_of_split(mixing, split),
            abroad=_of_split(abroad, split),
            balanced=split in balanced,
            split=split if disjoint else None,
            series=split,
        )
        for split in SPLITS
        if split in sizes
    }


def _of_split(chosen, split: str):
    """A setting that may be given for all splits or split by split."""
    if isinstance(chosen, Mapping) and set(chosen) <= set(SPLITS):
        return chosen.get(split)
    return chosen
