"""Does it matter which notes are annotated? Learning curves of each way to choose them.

    python experiments/active_learning/run.py [--out outputs/active_learning] [--repeats 4] [--sizes 15 30 60] [--quick]
        [SETTING ...]

Each repeat starts from the same few random notes for every strategy; then the model that they taught chooses more, is
trained anew on all of them, and chooses again. SETTINGs go to the trainings. The same command resumes where it was
ended; figures are kept in `curve.json`, the README's table made of it. `--quick` tries it on synthetic notes with a
tiny model and keeps nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import get_args

from omegaconf import OmegaConf

from deidlab import experiments, grids, runs
from deidlab.calibrating import settings_of
from deidlab.corpora.splits import drawn
from deidlab.selecting import Strategy, write_ids
from deidlab.types import DeidlabError

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
STRATEGIES = get_args(Strategy)
MEDDOCAN = ("data=meddocan", "model=minilm", "notes.validation=0", "notes.test=60", "training.epochs=2",
            "training.min_steps=240", "training.batch_tokens=256", "training.learning_rate=3e-4",
            "training.freeze_words=true", "report.figures=false", "evaluation.replicates=0")  # fmt: skip
QUICK = ("data=synthetic", "data.sizes={train:20,validation:2,test:3}", "model=tiny", "notes.validation=0",
         "training.max_steps=2", "report.figures=false", "evaluation.replicates=0")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("outputs/active_learning"))
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--sizes", type=int, nargs="+", default=[15, 30, 60])
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    sizes, repeats = ((3, 6), 1) if args.quick else (tuple(sorted(args.sizes)), args.repeats)
    settings = (*(QUICK if args.quick else MEDDOCAN), *args.settings)
    with runs.mendable_errors():
        points = [point for seed in range(repeats) for point in curves(sizes, seed, settings, args.out)]
    content = {"command": ["python", "experiments/active_learning/run.py", *sys.argv[1:]], "sizes": sizes,
               "repeats": repeats, "hardware": experiments.hardware(), "points": points}  # fmt: skip
    runs.write_json(args.out / "curve.json", content)
    if not args.quick:
        runs.write_json(FOLDER / "curve.json", content)
        runs.write_json(FOLDER / "table.json", table(content))
        (FOLDER / "curve.svg").write_text(figure(content), encoding="utf-8")
        experiments.renew(FOLDER / "README.md")
    print(f"{args.out / 'curve.json'}: {len(points)} points")


def curves(sizes: tuple[int, ...], seed: int, settings: tuple[str, ...], out: Path) -> list[dict]:
    """The points of one repeat: every strategy at every size."""
    start = out / f"{seed}-start"
    # The first notes are drawn as `notes.train` draws them; their ids are those of the run's own split.
    trained(start, (*settings, f"notes.train={sizes[0]}", f"seed={seed}"))
    points = []
    for strategy in STRATEGIES:
        run, have = start, None
        points.append({"strategy": strategy, "notes": sizes[0], "repeat": seed, **figures(run)})
        for before, size in pairwise(sizes):
            ids = out / f"{seed}-{strategy}-{size}.json"
            if not ids.exists():
                first = have or first_ids(out, seed, sizes[0], settings)
                chosen = (f"run={run}", f"n={size - before}", f"strategy={strategy}", f"have={first}", f"out={ids}")
                called("scripts/select_notes.py", *chosen, "pool=80", f"seed={seed}")
            run, have = out / f"{seed}-{strategy}-{size}", ids
            trained(run, (*settings, f"notes.ids={ids}", f"seed={seed}"))
            points.append({"strategy": strategy, "notes": size, "repeat": seed, **figures(run)})
    return points


def first_ids(out: Path, seed: int, size: int, settings: tuple[str, ...]) -> Path:
    """A file with the ids that `notes.train` and the seed drew for the first run."""
    file = out / f"{seed}-start.json"
    ran = OmegaConf.create(settings_of(out / f"{seed}-start"))
    with tempfile.TemporaryDirectory() as cache:
        corpus = runs.instantiate(ran.data, cache_dir=Path(cache))
        write_ids(file, [one.id for one in drawn(list(corpus.iterate("train")), size, seed)], "random")
    return file


def trained(folder: Path, settings: tuple[str, ...]) -> None:
    if not (folder / "report.json").is_file():
        again = ("overwrite=true",) if folder.exists() else ()
        called("train.py", *settings, f"output_dir={folder}", *again)


def called(door: str, *settings: str) -> None:
    print(door, *settings, flush=True)
    if subprocess.run([sys.executable, str(ROOT / door), *settings]).returncode:
        raise DeidlabError(f"{door} failed; mend it and give the same command again: what is done is not done twice")


def figures(run: Path) -> dict[str, float | None]:
    return {name: found["value"] for name, found in grids.measured(run).items()}


def of_repeats(content: dict, strategy: str, size: int, measure: str) -> list[float]:
    here = [p for p in content["points"] if (p["strategy"], p["notes"]) == (strategy, size)]
    return [p[measure] for p in here if p[measure] is not None]


def figure(content: dict) -> str:
    """SVG of strict F1 by number of notes, a curve for each strategy; bands reach from least to most."""
    from deidlab.views import figures  # matplotlib takes a second

    series = []
    for strategy in STRATEGIES:
        values = [of_repeats(content, strategy, size, "strict F1") for size in content["sizes"]]
        means = [sum(v) / len(v) for v in values]
        series.append(figures.Series(strategy.replace("_", " "), means, [*map(min, values)], [*map(max, values)]))
    return figures.lines(content["sizes"], series, "annotated notes", "strict F1", spread=True, name="curve")


def table(content: dict) -> dict:
    """Mean (least to most) of strict F1 and leak over repeats, a row for each strategy and size."""
    rows = []
    for strategy in STRATEGIES:
        for size in content["sizes"]:
            cells = []
            for measure in ("strict F1", "character leak"):
                values = of_repeats(content, strategy, size, measure)
                mean = sum(values) / max(len(values), 1)
                cells.append(f"{mean:.4f} ({min(values):.4f} to {max(values):.4f})" if values else "-")
            rows.append([strategy.replace("_", " "), size, *cells])
    return {"columns": ["strategy", "notes", "strict F1", "character leak"], "rows": rows}


if __name__ == "__main__":
    main()
