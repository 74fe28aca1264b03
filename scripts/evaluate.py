"""Evaluate any system on any corpus: `python scripts/evaluate.py system=checkpoint system.path=RUN data=meddocan`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[0] = str(Path(__file__).parents[1])  # else this file hides the library `evaluate`

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs
from deidlab.corpora.splits import sampled
from deidlab.types import ConfigError, DataError, Document, Losses

if TYPE_CHECKING:
    from deidlab.attacks.outcome import Outcome
    from deidlab.corpora.loading import Corpus
    from deidlab.evaluation import System
    from deidlab.judging import Judging
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
    system = runs.instantiate_system(cfg.system, labels)
    if cfg.only_predicted and not hasattr(system, "ids"):
        raise ConfigError("only_predicted=true is for system=predictions: any other system answers every note")
    judging = runs.instantiate(cfg.evaluation)
    reporting.check_formats(cfg.report.formats)
    config = OmegaConf.to_yaml(cfg, resolve=True)
    settings = runs.dotted(runs.plain(cfg.system))
    reads = [cfg.data.get("path"), *(value for key, value in settings.items() if key.split(".")[-1] == "path")]
    folder = runs.begin(config, cfg.output_dir, cfg.overwrite, reads)

    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data, cache_dir=cache, require_spans=False)
        split = corpus.judged_split(cfg.split)
        notes = iter(sampled(corpus.typed(labels)(split), cfg.notes.test))
        judging.check(corpus.meta_keys(split))
        if cfg.only_predicted:
            notes = (note for note in notes if note.id in system.ids)
        timed: Counter[tuple[str, str]] = Counter()  # lost while timed, on notes that are judged once more
        if cfg.speed.notes:  # before judging, whose memory is not the system's
            before = Counter(system.losses.counts)
            first = list(islice(notes, cfg.speed.notes))
            if speed := measured(system, first, cfg.speed.one_by_one):
                runs.write_json(folder / "speed.json", speed)
            timed = Counter(system.losses.counts) - before
            notes = chain(first, notes)
        judged = evaluate(
            system,
            notes,
            labels,
            total=None if cfg.only_predicted else cfg.notes.test or len(corpus.documents[split]),
            predictions_file=folder / "predictions.jsonl",
            official=cfg.official,
            judging=judging,
            known_names=names_of_training(corpus, labels) if judging.wants("rare_name") and split != "train" else None,
            excerpts=cfg.report.show_text,
        )
        attack = attacked(cfg, corpus, split, labels, system, judging, folder, cache) if cfg.get("attack") else None

    corpus.losses.counts.update(Counter(system.losses.counts) - timed)
    origin = runs.provenance(config, cfg.seed, corpus, system=system.name)
    title = f"{cfg.name or folder.name}: {system.name} on {corpus.vocabulary}"
    reporting.publish(folder, judged, corpus.losses, origin, title, attack=attack, **cfg.report)
    runs.write_json(folder / "timings.json", judged.timings)
    print(f"{folder}/: report.html, report.json, predictions.jsonl, losses.json")


def measured(system: System, notes: list[Document], one_by_one: int) -> dict[str, Any] | None:
    """The speed of a system on some notes, and the machine it was measured on; None for answers made elsewhere."""
    from deidlab.experiments import hardware
    from deidlab.speed import measurable, measure

    if not notes:
        raise DataError("no notes to measure the speed on: is data.splits.test (or data.path) right?")
    if not measurable(system):
        return None
    return {**measure(system, notes, one_by_one).to_dict(), "hardware": hardware()}


def attacked(
    cfg: DictConfig,
    corpus: Corpus,
    split: str,
    labels: LabelSet,
    system: System,
    judging: Judging,
    folder: Path,
    cache: Path,
) -> Outcome:
    """What an attack makes of the notes that were just judged; they are read again, and were counted the first time."""
    notes = sampled(replace(corpus, losses=Losses("count")).typed(labels)(split), cfg.notes.test)
    if cfg.only_predicted:
        notes = (note for note in notes if note.id in system.ids)  # type: ignore[attr-defined]  # looked for above
    return runs.instantiate(
        cfg.attack,
        system=system,
        documents=list(notes),
        predictions=folder / "predictions.jsonl",
        labels=labels,
        judging=judging,
        losses=corpus.losses,
        cache=cache,
    )


def names_of_training(corpus: Corpus, labels: LabelSet) -> KnownNames | None:
    """The names of the corpus' train split, if it has one; what does not map is counted where the notes are judged."""
    from deidlab.metrics.familiarity import KnownNames

    if "train" not in corpus.documents:
        return None
    return KnownNames.of(replace(corpus, losses=Losses("count")).typed(labels)("train"), labels.names)


if __name__ == "__main__":
    main()
