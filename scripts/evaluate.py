"""Evaluate any system on any corpus: `python scripts/evaluate.py system=checkpoint system.path=RUN data=meddocan`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else this file hides the library `evaluate`

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs


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
    folder = runs.run_folder(cfg.output_dir, cfg.overwrite)
    config = OmegaConf.to_yaml(cfg, resolve=True)
    (folder / "config.yaml").write_text(config, encoding="utf-8")

    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data, cache_dir=cache, require_spans=False)
        split = cfg.split or ("test" if "test" in corpus.documents else "train")
        notes = corpus.typed(labels)(split)
        if cfg.only_predicted:
            notes = (note for note in notes if note.id in system.ids)
        judged = evaluate(
            system,
            notes,
            labels,
            total=None if cfg.only_predicted else len(corpus.documents[split]),
            predictions_file=folder / "predictions.jsonl",
            official=cfg.official,
        )

    corpus.losses.counts.update(system.losses.counts)
    origin = runs.provenance(config, cfg.seed, corpus, system=system.name)
    reporting.publish(
        folder, judged, corpus.losses, origin, f"{cfg.name or folder.name}: {system.name} on {corpus.vocabulary}"
    )
    runs.write_json(folder / "timings.json", judged.timings)
    print(f"{folder}/: report.md, report.json, predictions.jsonl, losses.json")


if __name__ == "__main__":
    main()
