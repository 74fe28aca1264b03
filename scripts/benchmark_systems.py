"""Systems side by side, with speed and cost: `python scripts/benchmark.py systems 'systems={a: {system: rules}}'`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deidlab import grids, runs

OWN = ("systems", "system", "prices", "speed")


@hydra.main(version_base="1.3", config_path="../conf", config_name="systems")
def main(cfg: DictConfig) -> None:
    """Check prices, run every system that has no report, set them side by side."""
    with runs.mendable_errors():
        side_by_side(cfg, grids.passed_on(HydraConfig.get().overrides.task, OWN))


def side_by_side(cfg: DictConfig, overrides: tuple[str, ...]) -> None:
    from deidlab import reporting, standings

    reporting.check_formats(cfg.report.formats)
    folder = Path(cfg.output_dir)
    systems = standings.entries(runs.plain(cfg.systems) or None)
    sheet = runs.instantiate(cfg.prices) if cfg.get("prices") else None
    prices = standings.prices_of(systems, sheet)
    plan = standings.cells(systems, folder, overrides, cfg.speed.notes, cfg.speed.one_by_one)
    grids.run_cells(plan, folder, ROOT)
    content = standings.collect(systems, folder, prices, sheet)
    title = cfg.name or f"Systems: {', '.join(systems)}"
    page = (content, standings.sections(content), standings.figures)
    reporting.write_page(folder, "systems", title, *page, cfg.report.formats, cfg.report.figures)
    print(f"{folder}/: systems.html, systems.md, systems.json")


if __name__ == "__main__":
    main()
