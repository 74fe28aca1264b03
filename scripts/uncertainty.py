"""Which uncertainty puts misses first, and what review is worth: `python scripts/uncertainty.py run=outputs/001`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf

from deidlab import runs


@hydra.main(version_base="1.3", config_path="../conf", config_name="uncertainty")
def main(cfg: DictConfig) -> None:
    """Compose, score notes in several ways, judge the ways."""
    with runs.mendable_errors():
        compare(cfg)


def compare(cfg: DictConfig) -> None:
    from deidlab import calibrating, reporting
    from deidlab import uncertainty as u
    from deidlab import uncertainty_sources as sources
    from deidlab.flagging import Flagging
    from deidlab.scored_notes import scored_notes
    from deidlab.systems import checkpoint
    from deidlab.views import uncertainty as shown

    runs.log_to_terminal()
    reporting.check_formats(cfg.report.formats)
    flagging = Flagging(cfg.false_alarm, cfg.sure)
    run = Path(cfg.run)
    ran = OmegaConf.create(calibrating.settings_of(run))
    labels = runs.instantiate(ran.labels)
    system = checkpoint.load(run, cfg.batch_tokens)
    others = [checkpoint.load(path, cfg.batch_tokens) for path in cfg.ensemble]
    config = OmegaConf.to_yaml(cfg, resolve=True)
    folder = runs.begin(config, cfg.output_dir, cfg.overwrite, [cfg.run, *cfg.ensemble])

    with runs.private_cache(folder) as cache:
        corpus = runs.instantiate(cfg.data or ran.data, cache_dir=cache)
        documents = list(corpus.typed(labels)(cfg.split))[: cfg.notes]
        notes = list(scored_notes(documents, system.scores(documents), system.labels, corpus.losses))

    decoder = system.checkpoint.decoder
    units = sources.units_of(notes, decoder)
    found = sources.own_sources(units)
    found["rules disagree"] = u.contradiction(units.probs, units.inside, sources.found_by_rules(notes))
    length = cfg.window.max_length or system.checkpoint.encoder.max_length // 2
    stride = cfg.window.stride if cfg.window.stride is not None else length // 4
    found["windows disagree"] = u.disagreement(units.probs, sources.other_windows(system, notes, length, stride))
    if cfg.passes:
        passes = np.stack(list(sources.dropout_passes(system, notes, cfg.passes, cfg.dropout, cfg.seed)))
        found["MC dropout, mean"] = u.doubt(passes.mean(axis=0), units.inside)
        found["MC dropout, disagreement"] = u.mutual_information(passes)
    if others:
        members = np.stack([units.probs, *(sources.member(system, other, notes) for other in others)])
        found["ensemble, mean"] = u.doubt(members.mean(axis=0), units.inside)
        found["ensemble, disagreement"] = u.mutual_information(members)

    predictions = [decoder.prediction(note.document, note.scores) for note in notes]
    work = sources.work(documents, predictions, flagging, cfg.seconds_per_question)
    content = {
        "schema": 1,
        "notes": len(notes),
        "words": len(units.inside),
        "calibrated": decoder.calibration is not None,
        "sources": sources.judged(found, units, [note.patient for note in notes], seed=cfg.seed),
        "queue": sources.queues(documents, predictions, flagging),
        "seconds_per_question": cfg.seconds_per_question,
        "workload": {name: values.tolist() for name, values in vars(work).items()},
        "curves": sources.risk_curves(found, units),
        "provenance": runs.provenance(config, cfg.seed, corpus, run=run.name),
    }
    page = (content, shown.sections(content), shown.figures)
    title = cfg.name or f"Uncertainty of {run.name} on {corpus.vocabulary}"
    reporting.write_page(folder, "uncertainty", title, *page, cfg.report.formats, cfg.report.figures)
    for line in content["sources"]:
        top = 100 * (line["top_0.05"] or 0)
        print(f"{line['source']:28} AURC {line['aurc']:.6f}  top 5 %: {top:.1f} % of what is missed")
    print(f"{folder}/: uncertainty.html, uncertainty.md, uncertainty.json")


if __name__ == "__main__":
    main()
