"""Train on each, test on all: `python scripts/matrix.py 'corpora=[synthetic,meddocan]' labels=jsl7 model=minilm`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from deidlab import grids, runs

OWN = ("corpora", "institutions", "axis")
ROOT = Path(__file__).parents[1]


@hydra.main(version_base="1.3", config_path="../conf", config_name="matrix")
def main(cfg: DictConfig) -> None:
    """Plan the cells, run those without a report, draw the matrix."""
    with runs.mendable_errors():
        told = HydraConfig.get()
        matrix(cfg, grids.handed_on(told.overrides.task, OWN, told.runtime.choices, ROOT))


def matrix(cfg: DictConfig, overrides: tuple[str, ...]) -> None:
    from deidlab import reporting, transfer

    reporting.check_formats(cfg.report.formats)
    folder = Path(cfg.output_dir)
    given = {key: runs.plain(cfg[key]) or None for key in ("corpora", "institutions")}
    corpora = transfer.chosen(given["corpora"], given["institutions"], cfg.axis)
    grids.run_cells(transfer.cells(corpora, folder, overrides), folder, ROOT)
    content = transfer.collect(corpora, folder)
    title = cfg.name or f"Trained on one, tested on all: {', '.join(corpora)}"
    page = (content, transfer.sections(content), transfer.figures)
    reporting.write_page(folder, "matrix", title, *page, cfg.report.formats, cfg.report.figures)
    print(f"{folder}/: matrix.html, matrix.md, matrix.json")


if __name__ == "__main__":
    main()
