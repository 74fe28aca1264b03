"""How many local notes are needed: `python scripts/learning_curve.py source=RUN data=jsonl data.path=NOTES`."""

import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from deidlab import grids, runs
from deidlab.types import ConfigError

OWN = ("source", "forget", "sizes", "repeats", "fewer", "target")
ROOT = Path(__file__).parents[1]


@hydra.main(version_base="1.3", config_path="../conf", config_name="learning_curve")
def main(cfg: DictConfig) -> None:
    """Plan the cells, run those without a report, draw the curve."""
    with runs.mendable_errors():
        told = HydraConfig.get()
        learning_curve(cfg, grids.handed_on(told.overrides.task, OWN, told.runtime.choices, ROOT))


def learning_curve(cfg: DictConfig, overrides: tuple[str, ...]) -> None:
    from deidlab import learning_curve as curve
    from deidlab import reporting

    reporting.check_formats(cfg.report.formats)
    folder = Path(cfg.output_dir)
    if cfg.source and "pretrained" not in cfg.model:
        raise ConfigError("source=RUN takes the place of model.pretrained: choose a model that has it, not model=tiny")
    settings: Any = OmegaConf.to_container(cfg)
    fewer = settings["fewer"]
    sizes = curve.checked(settings["sizes"], cfg.repeats, cfg.source, fewer)
    forget = grids.choosing(settings["forget"]) if cfg.forget else None
    plan = curve.cells(sizes, cfg.repeats, folder, overrides, cfg.source, forget, cfg.seed, fewer)
    grids.run_cells(plan, folder, ROOT)
    content = curve.collect(sizes, cfg.repeats, folder, bool(forget), cfg.target, fewer)
    title = cfg.name or "How many local notes"
    page = (content, curve.sections(content, cfg.target), curve.figures)
    reporting.write_page(folder, "curve", title, *page, cfg.report.formats, cfg.report.figures)
    print(f"{folder}/: curve.html, curve.md, curve.json")


if __name__ == "__main__":
    main()
