"""Evaluate any system on any corpus: `python scripts/evaluate.py system=checkpoint system.path=RUN data=meddocan`."""

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
        corpus = runs.instantiate(cfg.data, cache_dir=cache, seed=cfg.seed, require_spans=False)
        split = "test" if "test" in corpus.documents else "train"
        judged = evaluate(
            system,
            corpus.typed(labels)(cfg.split or split),
            labels,
            total=len(corpus.documents[cfg.split or split]),
            predictions_file=folder / "predictions.jsonl",
            official=cfg.official,
        )
