"""Adapt a model to an institution and report: `python scripts/institution.py source=RUN data=jsonl data.path=NOTES`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deidlab import grids, runs
from deidlab.types import ConfigError

OWN = ("source", "forget", "target_leak", "folds", "sizes", "repeats", "alphas", "timed", "prices", "experiment")
ROOT = Path(__file__).parents[1]


@hydra.main(version_base="1.3", config_path="../conf", config_name="institution")
def main(cfg: DictConfig) -> None:
    """Plan the runs, do those without a report, tell what they say."""
    with runs.mendable_errors():
        adapt(cfg, grids.passed_on(HydraConfig.get().overrides.task, OWN))


def adapt(cfg: DictConfig, overrides: tuple[str, ...]) -> None:
    from deidlab import institution, reporting
    from deidlab.institution import Adaptation

    reporting.check_formats(cfg.report.formats)
    if cfg.source and "pretrained" not in cfg.model:
        raise ConfigError("source=RUN takes the place of model.pretrained: choose a model that has it, not model=tiny")
    settings = OmegaConf.to_container(cfg)
    chosen = HydraConfig.get().runtime.choices.get("experiment")
    forget = grids.choosing(settings["forget"]) if cfg.forget else None
    curve = None
    if cfg.sizes:
        told = f"forget={grids.written(settings['forget'])}"
        curve = (f"sizes={grids.written(settings['sizes'])}", f"repeats={cfg.repeats}", told)
    plan = Adaptation(
        cfg.source, (*([f"experiment={chosen}"] if chosen else []), *overrides), forget, cfg.folds, curve,
        tuple(cfg.alphas), cfg.timed,
    )  # fmt: skip
    folder = Path(cfg.output_dir)
    grids.run_cells(plan.cells(folder), folder, ROOT)
    if cfg.folds:
        institution.join_folds(folder, cfg.folds)
        grids.run_cells([plan.pooled(folder)], folder, ROOT)
    grids.run_cells([plan.threshold(folder)], folder, ROOT)
    content = institution.collect(folder, cfg.target_leak, runs.instantiate(cfg.prices) if cfg.get("prices") else None)
    title = cfg.name or "Is it good enough here?"
    reporting.write_page(
        folder, "institution", title, content, institution.sections(content), lambda _: {}, cfg.report.formats
    )
    print(f"good enough (leak at most {cfg.target_leak:g}): {content['leak']['answer']}")
    print(f"{folder}/: institution.html, institution.md, institution.json; the model is {folder}/{institution.MODEL}")


if __name__ == "__main__":
    main()
