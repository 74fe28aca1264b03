"""Make a run's probabilities true and let it promise recall: `python scripts/calibrate.py run=outputs/001`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
from omegaconf import DictConfig, OmegaConf

from deidlab import runs
from deidlab.types import ConfigError
from deidlab.views.elements import Estimate


@hydra.main(version_base="1.3", config_path="../conf", config_name="calibrate")
def main(cfg: DictConfig) -> None:
    """Compose, score notes once, learn from them, judge, store."""
    with runs.mendable_errors():
        calibrate(cfg)


def calibrate(cfg: DictConfig) -> None:
    from deidlab import calibrating, reporting
    from deidlab.checkpoints import store_decoder
    from deidlab.scored_notes import scored_notes
    from deidlab.systems import checkpoint
    from deidlab.views import calibration as shown

    runs.log_to_terminal()
    reporting.check_formats(cfg.report.formats)
    run = Path(cfg.run)
    ran = calibrating.settings_of(run)
    labels = runs.instantiate(OmegaConf.create(ran["labels"]))
    system = checkpoint.load(run, cfg.batch_tokens)
    decoder = calibrating.plain(system.checkpoint.decoder, None)
    config = OmegaConf.to_yaml(cfg, resolve=True)
    folder = runs.begin(config, cfg.output_dir, cfg.overwrite, [cfg.run])

    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data or OmegaConf.create(ran["data"]), cache_dir=cache)
        given = runs.plain(cfg.data)
        trained = len(corpus.documents.get("train", ()))
        if cfg.judge == cfg.split:
            raise ConfigError(f"judge={cfg.judge} is the split that is calibrated on: choose another, or null")
        chosen_on = calibrating.check_unseen(run, ran, given, corpus.fingerprint, cfg.split, trained)
        if cfg.judge:
            calibrating.check_unseen(run, ran, given, corpus.fingerprint, cfg.judge, trained)
        typed = corpus.typed(labels)

        def scored(split: str):
            documents = list(typed(split))
            return list(scored_notes(documents, system.scores(documents), system.labels, corpus.losses))

        notes = scored(cfg.split)
        judge = scored(cfg.judge) if cfg.judge else None

    calibration = calibrating.calibrated(notes, decoder, cfg.method)
    curve = calibrating.risk_curve(notes, decoder, cfg.seed)
    content = {
        "schema": 1,
        "method": cfg.method,
        "notes": len(notes),
        "patients": curve.patients,
        "judged_on": f"the split {cfg.judge}" if cfg.judge else "patients that each fit left out",
        "chosen_on_these_notes": chosen_on,
        "calibration": calibration.to_dict(),
        **calibrating.before_and_after(notes, decoder, cfg.method, judge, cfg.seed),
        "seconds_per_question": cfg.seconds_per_question,
        "prices": [line for sure in cfg.confidences
                   for line in calibrating.prices(curve, list(cfg.alphas), sure, cfg.seconds_per_question)],
        "losses": corpus.losses.rows(),
        "provenance": runs.provenance(config, cfg.seed, corpus, run=run.name),
    }  # fmt: skip
    page = (content, shown.sections(content), shown.figures)
    title = cfg.name or f"Calibration of {run.name} on {corpus.vocabulary}"
    reporting.write_page(folder, "calibration", title, *page, cfg.report.formats, cfg.report.figures)
    if cfg.store:
        store_decoder(run, calibrating.stored(system.checkpoint.decoder, calibration, curve))
    for kind, about in calibrating.KINDS.items():
        before, after = (Estimate(content[when][kind]["ece"]) for when in ("before", "after"))
        print(f"ECE of {about}: {before} before, {after} after")
    print(f"{folder}/: calibration.html, calibration.md, calibration.json" + (f"; kept in {run}" if cfg.store else ""))


if __name__ == "__main__":
    main()
