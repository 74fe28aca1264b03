"""Train and evaluate a de-identification model: `python train.py model=minilm data=synthetic`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import hydra
import yaml
from omegaconf import DictConfig, OmegaConf

from deidlab import runs

if TYPE_CHECKING:
    from deidlab.labels import LabelSet
    from deidlab.types import Document, Losses


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float | None:
    """Compose, instantiate, train, evaluate, report; the best validation F1 is what a search maximises."""
    with runs.mendable_errors():
        return train_and_evaluate(cfg)


def train_and_evaluate(cfg: DictConfig) -> float | None:
    # PyTorch is needed from here on only: `--help` and a mistyped setting answer at once.
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    from deidlab import model_card, reporting
    from deidlab.canaries import Canaries, planted
    from deidlab.checkpoints import Checkpoint
    from deidlab.corpora.splits import drawn, named, sampled
    from deidlab.decoding import Decoder
    from deidlab.evaluation import evaluate
    from deidlab.metrics.familiarity import KnownNames
    from deidlab.surgery import inherited_bias, stated
    from deidlab.systems.checkpoint import in_use
    from deidlab.tracking import untracked
    from deidlab.training import train

    here = PartialState(cpu=cfg.training.device == "cpu")  # one process, or one of those that accelerate launched
    if here.is_main_process:
        runs.log_to_terminal()

    # What the run stands on: a label set, weights, notes.
    labels = runs.instantiate(cfg.labels)
    backbone = runs.instantiate(cfg.model)
    source = backbone.locate()
    decoder = Decoder.stored(labels, inherited_bias(source), **cfg.decoding)
    judging = runs.instantiate(cfg.evaluation)
    reporting.check_formats(cfg.report.formats)
    canaries = Canaries.of(**runs.plain(cfg.canaries), types=labels.types) if cfg.canaries.secrets else None
    untrained = Checkpoint(backbone.model(source, labels, cfg.seed), backbone.encoder(source), decoder)
    if stated(source) is None:
        cfg.training.blend, cfg.training.protect = 1.0, 0.0  # weights that are of no run know nothing to be kept
    config = OmegaConf.to_yaml(cfg, resolve=True)
    folder = None
    if here.is_main_process:
        reads = (cfg.model.get("pretrained"), cfg.data.get("path"))
        folder = runs.begin(config, cfg.output_dir, cfg.overwrite, reads, cfg.resume)
    folder = broadcast_object_list([folder])[0]

    with runs.private_cache(folder, here.process_index) as cache:
        corpus = runs.instantiate(cfg.data, cache_dir=cache)
        notes = corpus.typed(labels)
        judging.check(corpus.meta_keys("test"))  # a mistyped slice is better known before training than after
        test_notes = sampled(notes("test"), cfg.notes.test)  # before hours of training too: are there so many?
        training_notes = drawn(named(notes("train"), cfg.notes.ids), cfg.notes.train, cfg.seed)
        held_back = list(notes(cfg.select_on)) if cfg.notes.validation != 0 else []
        validation_notes = drawn(held_back, cfg.notes.validation, cfg.seed)
        if cfg.select_on == "validation" and len(training_notes) < cfg.notes.validate_from:
            training_notes, validation_notes = [*training_notes, *validation_notes], []  # too few to choose by
        if canaries:
            training_notes, record = planted(training_notes, canaries, cfg.seed)
            runs.write_json(folder / "canaries.json", {"schema": 1, "seed": cfg.seed, "secrets": record})
        earlier_notes = replayed(cfg, labels, cache, corpus.losses) if cfg.replay.data else []

        # Fine-tune, keeping the weights that are best on the validation notes.
        tracking = runs.instantiate(cfg.tracking, folder=folder, settings=yaml.safe_load(config), name=folder.name)
        with tracking if here.is_main_process else untracked() as track:
            trained = train(
                untrained,
                training_notes,
                validation_notes,
                folder=folder / "checkpoint",
                losses=corpus.losses,
                seed=cfg.seed,
                resume=cfg.resume,
                track=track,
                replay=earlier_notes,
                replay_share=cfg.replay.share,
                **runs.plain(cfg.training),
            )
        if not here.is_main_process:
            return None

        # Judge them on notes that neither trained nor chose them.
        system = in_use(trained.checkpoint, judging.batch_tokens, cfg.training.precision)
        judged = evaluate(
            system,
            test_notes,
            labels,
            total=cfg.notes.test or len(corpus.documents["test"]),
            predictions_file=folder / "predictions.jsonl",
            judging=judging,
            known_names=KnownNames.of(training_notes, labels.names),
            excerpts=cfg.report.show_text,
        )

    told = {"replay": f"{len(earlier_notes)} notes, share {cfg.replay.share}"} if cfg.replay.data else {}
    origin = runs.provenance(config, cfg.seed, corpus, **backbone.provenance(source), **told)
    title = f"{cfg.name or folder.name}: {origin['model']} on {corpus.vocabulary}"
    reporting.publish(folder, judged, corpus.losses, origin, title, history=trained.history, **cfg.report)
    model_card.write(folder, corpus.vocabulary)
    runs.write_json(folder / "history.json", trained.history)
    runs.write_json(folder / "timings.json", {**trained.timings, **judged.timings})
    print(f"{folder}/: checkpoint, report.html, report.json, predictions.jsonl, losses.json")
    return max((row["validation_strict_f1"] or 0.0 for row in trained.history), default=0.0)


def replayed(cfg: DictConfig, labels: LabelSet, cache: Path, losses: Losses) -> list[Document]:
    """Train notes of the corpus that the model came from; what has no place among the labels is counted apart."""
    from deidlab.corpora.splits import drawn

    corpus = runs.instantiate(cfg.replay.data, cache_dir=cache / "replay")
    notes = list(corpus.typed(labels)("train"))
    notes = drawn(notes, min(cfg.replay.notes or len(notes), len(notes)), cfg.seed)
    for (reason, label), number in corpus.losses.counts.items():
        losses.count(f"replay_{reason}", label, number)
    return notes


if __name__ == "__main__":
    main()
