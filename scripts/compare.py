"""Compare runs on the same notes: `python scripts/compare.py 'runs=[outputs/001,outputs/002]'`."""

import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs


@hydra.main(version_base="1.3", config_path="../conf", config_name="compare")
def main(cfg: DictConfig) -> None:
    """Compose, instantiate, judge every run's predictions, compare."""
    with runs.mendable_errors():
        compare(cfg)


def compare(cfg: DictConfig) -> None:
    from deidlab import comparing, reporting
    from deidlab.evaluation import evaluate
    from deidlab.systems import predictions

    runs.log_to_terminal()
    folders = comparing.named_runs(runs.plain(cfg.runs))
    ran: dict[str, Any] = {name: OmegaConf.load(path / "config.yaml") for name, path in folders.items()}
    base = next(iter(ran.values()))
    labels = runs.instantiate(cfg.labels or base.labels)
    judging = runs.instantiate(cfg.evaluation)
    config = OmegaConf.to_yaml(cfg, resolve=True)
    folder = runs.begin(config, cfg.output_dir, cfg.overwrite, map(str, folders.values()))

    origins = {name: comparing.origin(path) for name, path in folders.items()}
    judged = {}
    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data or base.data, cache_dir=cache)
        split = corpus.judged_split(cfg.split or base.get("split"))
        notes = corpus.typed(labels)
        for name, path in folders.items():
            system = predictions.load(
                path / "predictions.jsonl",
                labels,
                vocabulary=ran[name].labels.name,
                on_error=cfg.on_error,
                setting="on_error",
            )
            judged[name] = evaluate(system, notes(split), labels, total=len(corpus.documents[split]), judging=judging)

    first = next(iter(judged.values()))
    content = {
        "schema": 1,
        "systems": list(judged),
        "rows": comparing.compare_all(judged, judging.replicates or 1000, judging.seed),
        "replicates": judging.replicates or 1000,
        "clusters": first.judge.clusters,
        "provenance": runs.provenance(config, cfg.seed, corpus, runs=origins),
    }
    page = (content, comparing.sections(content), comparing.figures)
    title = cfg.name or " and ".join(judged)
    reporting.write_page(folder, "comparison", title, *page, cfg.report.formats, cfg.report.figures)
    print(f"{folder}/: comparison.html, comparison.md, comparison.json")


if __name__ == "__main__":
    main()
