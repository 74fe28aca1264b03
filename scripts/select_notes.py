"""Choose what to annotate next: `python scripts/select_notes.py run=RUN data=jsonl data.path=NOTES n=50 out=next.json`.

Not called select.py, because that would hide the module of the standard library from every script beside it.
"""

import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else evaluate.py beside this file hides the library `evaluate`

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf

from deidlab import runs
from deidlab.types import ConfigError


@hydra.main(version_base="1.3", config_path="../conf", config_name="select_notes")
def main(cfg: DictConfig) -> None:
    """Compose, look at every note once, choose."""
    with runs.mendable_errors():
        select(cfg)


def select(cfg: DictConfig) -> None:
    from deidlab import calibrating, selecting
    from deidlab.corpora.splits import drawn, read_ids
    from deidlab.flagging import Flagging
    from deidlab.review import queue
    from deidlab.systems import checkpoint

    runs.log_to_terminal()
    if Path(cfg.out).exists() and not cfg.overwrite:
        raise ConfigError(f"out={cfg.out} exists: choose another, or say overwrite=true")
    ran = OmegaConf.create(calibrating.settings_of(Path(cfg.run)))
    labels = runs.instantiate(ran.labels)
    system = checkpoint.load(cfg.run, cfg.batch_tokens)
    have = read_ids(cfg.have) if cfg.have else []
    with tempfile.TemporaryDirectory() as place, runs.private_cache(Path(place)) as cache:
        corpus = runs.instantiate(cfg.data or ran.data, cache_dir=cache, require_spans=False)
        documents = list(corpus.typed(labels)(cfg.split))
    known = [one for one in documents if one.id in set(have)]
    left = [one for one in documents if one.id not in set(have)]
    left = drawn(left, min(cfg.pool, len(left)) if cfg.pool else None, cfg.seed)
    if missing := len(set(have)) - len(known):
        raise ConfigError(f"have={cfg.have}: {missing} of its ids are not in the split {cfg.split}")
    # Only what the strategy goes by is looked at.
    doubts, places = (part in cfg.strategy for part in ("uncertain", "divers"))
    pool = selecting.Pool(
        [one.meta.get("patient") or one.id for one in left],
        selecting.worth_of_review(system, left, Flagging()) if doubts else np.zeros(len(left)),
        selecting.embeddings(system, left) if places else np.zeros((len(left), 1)),
        selecting.embeddings(system, known) if places else np.zeros((0, 1)),
    )
    picked = [left[i] for i in selecting.chosen(pool, cfg.n, cfg.strategy, cfg.seed)]
    selecting.write_ids(cfg.out, [*have, *(one.id for one in picked)], cfg.strategy)
    if cfg.queue:
        predictions = system.predict(picked)
        queue.write((Flagging().queued(d, p) for d, p in zip(picked, predictions, strict=True)), cfg.queue)
    print(f"{cfg.out}: {len(picked)} notes chosen by {cfg.strategy}, {len(have) + len(picked)} in all")


if __name__ == "__main__":
    main()
