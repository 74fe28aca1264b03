"""Write synthetic notes to files: `python scripts/synthesize.py count=1000 format=brat output_dir=FOLDER`."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs


@hydra.main(version_base="1.3", config_path="../conf", config_name="synthesize")
def main(cfg: DictConfig) -> None:
    """Compose, generate, export."""
    with runs.mendable_errors():
        synthesize(cfg)


def synthesize(cfg: DictConfig) -> None:
    from deidlab.synthesis.export import export
    from deidlab.synthesis.noise import noise_of
    from deidlab.synthesis.stream import generate
    from deidlab.synthesis.twins import twins

    settings = runs.instantiate(cfg.settings, noise=noise_of(cfg.settings.noise))
    labels = runs.instantiate(cfg.labels) if cfg.get("labels") else None
    if cfg.format == "nemotron" and labels is None:  # its columns hold its own labels, first and last names apart
        labels = runs.instantiate(OmegaConf.load(Path(__file__).parents[1] / "conf" / "labels" / "nemotron55.yaml"))
        settings = replace(settings, convention="parts")
    if cfg.twins:
        cells = [tuple(cell) for cell in cfg.cells] if cfg.cells else None
        notes = twins(settings, cfg.count, cfg.seed, cells)
    else:
        notes = generate(settings, cfg.count, cfg.seed, start=cfg.start, workers=cfg.workers)
    folder = Path(cfg.output_dir or f"outputs/synthetic-{cfg.seed}")
    losses = export(notes, folder, cfg.format, labels)
    if losses.counts:
        # Beside the folder: in it, a reader of .json would take it for notes.
        runs.write_json(folder.with_name(f"{folder.name}.losses.json"), losses.rows())
    print(f"{folder}/: {cfg.format}")


if __name__ == "__main__":
    main()
