"""Adapt a model to an institution and report: `python scripts/institution.py source=RUN data=jsonl data.path=NOTES`."""

import sys
from pathlib import Path
from typing import Any

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
        told = HydraConfig.get()
        adapt(cfg, grids.handed_on(told.overrides.task, OWN, told.runtime.choices, ROOT))


def adapt(cfg: DictConfig, overrides: tuple[str, ...]) -> None:
    from deidlab import institution, reporting
    from deidlab.institution import Adaptation

    reporting.check_formats(cfg.report.formats)
    if cfg.source and "pretrained" not in cfg.model:
        raise ConfigError("source=RUN takes the place of model.pretrained: choose a model that has it, not model=tiny")
    settings: Any = OmegaConf.to_container(cfg)
    check(settings)
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
    cells = plan.cells(folder)
    grids.run_cells(cells[:1], folder, ROOT)
    if cfg.folds and cfg.source:
        institution.check_folds(Path(cfg.source), folder / institution.MODEL)
    grids.run_cells(cells, folder, ROOT)
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


def check(settings: dict[str, Any]) -> None:
    """Raise `ConfigError` for what would fail only after the first training."""
    from deidlab import learning_curve

    folds, alphas = settings["folds"], settings["alphas"]
    if folds is not None and (not isinstance(folds, int) or folds < 2):
        raise ConfigError(f"folds is {folds!r}; expected 2 or more, or null")
    if folds and settings["notes"]["ids"]:
        raise ConfigError(
            "folds judges every note of the corpus, and notes.ids says that only some are annotated: give a corpus of "
            "these alone (deidlab review --export writes one)"
        )
    if not isinstance(alphas, list) or not all(isinstance(alpha, float) and 0 < alpha < 1 for alpha in alphas):
        raise ConfigError(f"alphas is {alphas!r}; expected a list of risks between 0 and 1, e.g. alphas=[0.05,0.01]")
    if settings["sizes"] is not None:
        learning_curve.checked(settings["sizes"], settings["repeats"], settings["source"])


if __name__ == "__main__":
    main()
