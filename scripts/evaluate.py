"""Evaluate any system on any corpus: `python scripts/evaluate.py system=checkpoint system.path=RUN data=meddocan`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).parents[1])  # else this file hides the library `evaluate`

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs
from deidlab.types import Losses

if TYPE_CHECKING:
    from deidlab.corpora.loading import Corpus
    from deidlab.labels import LabelSet
    from deidlab.metrics.familiarity import KnownNames


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    """Compose, instantiate, evaluate, report."""
    with runs.mendable_errors():
        evaluate_system(cfg)


def evaluate_system(cfg: DictConfig) -> None:
    from deidlab import reporting
    from deidlab.evaluation import evaluate

    runs.log_to_terminal()
    labels = runs.instantiate(cfg.labels)
    system = runs.instantiate(cfg.system, labels=labels)
    judging = runs.instantiate(cfg.evaluation)
    reporting.check_formats(cfg.report.formats)
    config = OmegaConf.to_yaml(cfg, resolve=True)
    reads = (cfg.system.get("path"), cfg.data.get("path"))
    folder = runs.begin(config, cfg.output_dir, cfg.overwrite, reads)

    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data, cache_dir=cache, require_spans=False)
        split = corpus.judged_split(cfg.split)
        notes = corpus.typed(labels)(split)
        judging.check(corpus.meta_keys(split))
        if cfg.only_predicted:
            notes = (note for note in notes if note.id in system.ids)
        judged = evaluate(
            system,
            notes,
            labels,
            total=None if cfg.only_predicted else len(corpus.documents[split]),
            predictions_file=folder / "predictions.jsonl",
            official=cfg.official,
            judging=judging,
            known_names=names_of_training(corpus, labels) if judging.wants("rare_name") and split != "train" else None,
            excerpts=cfg.report.show_text,
        )

    corpus.losses.counts.update(system.losses.counts)
    origin = runs.provenance(config, cfg.seed, corpus, system=system.name)
    title = f"{cfg.name or folder.name}: {system.name} on {corpus.vocabulary}"
    reporting.publish(folder, judged, corpus.losses, origin, title, **cfg.report)
    runs.write_json(folder / "timings.json", judged.timings)
    print(f"{folder}/: report.html, report.json, predictions.jsonl, losses.json")


def names_of_training(corpus: Corpus, labels: LabelSet) -> KnownNames | None:
    """The names of the corpus' train split, if it has one; what does not map is counted where the notes are judged."""
    from deidlab.metrics.familiarity import KnownNames

    if "train" not in corpus.documents:
        return None
    return KnownNames.of(replace(corpus, losses=Losses("count")).typed(labels)("train"), labels.names)


if __name__ == "__main__":
    main()
