"""How many notes does it take until the scores of spans are true? Fitted to some test notes, judged on the others.

    python experiments/calibration/notes_needed.py RUN [--predictions FILE] [--repeats 50]

RUN is a run of train.py that was never calibrated; its predictions on its test notes are read (or those of a later
`scripts/evaluate.py`), no model runs. The curve of spans is fitted as `scripts/calibrate.py` does, common to all types
and with what each type adds to it, to the scores as they come. `notes-needed.json` is kept, and the README's table made
of it.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from deidlab import calibrating, experiments, runs
from deidlab.calibration.fitting import with_spans
from deidlab.calibration.measures import brier, reliability
from deidlab.calibration.scaling import Calibration, sigmoid, span_odds

FOLDER = Path(__file__).parent
SIZES = (10, 25, 50, 100)
OFTEN = 80  # spans of a type, from which on its own error is judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--predictions", type=Path, help="those of the run if not given")
    parser.add_argument("--repeats", type=int, default=50)
    args = parser.parse_args()
    with runs.mendable_errors():
        note, score, right, label = spans_of(args.run, args.predictions or args.run / "predictions.jsonl")
    rows = []
    for size in SIZES:
        found = defaultdict(list)
        for repeat in range(args.repeats):
            drawn = np.random.default_rng(repeat).permutation(note.max() + 1)[:size]
            fit, rest = np.isin(note, drawn), ~np.isin(note, drawn)
            for name, kinds in (("common to all types", np.full(len(label), "any")), ("of each type", label)):
                calibration = with_spans(Calibration(), score[fit], right[fit], kinds[fit])
                found[name].append(
                    judged(probabilities(calibration, score[rest], kinds[rest]), right[rest], label[rest])
                )
            found["none"].append(judged(score[rest], right[rest], label[rest]))
        for name in ("none", "common to all types", "of each type"):
            ece, of_types, squared = np.array(found[name]).T
            spread = f"{ece.mean():.4f} ({np.quantile(ece, 0.9):.4f})"
            rows.append([size, name, spread, f"{of_types.mean():.4f}", f"{squared.mean():.4f}"])
    columns = ["notes", "curve", "ECE, mean (nine of ten below)", "mean ECE of the types", "Brier"]
    content = {"run": args.run.name, "repeats": args.repeats, "spans": len(right), "columns": columns, "rows": rows}
    runs.write_json(FOLDER / "notes-needed.json", content)
    experiments.renew(FOLDER / "README.md")


def spans_of(run: Path, predictions: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each span that the run found in its test notes: number of the note, score, whether it is right, type."""
    ran = OmegaConf.create(calibrating.settings_of(run))
    labels = runs.instantiate(ran.labels)
    with tempfile.TemporaryDirectory() as cache:
        gold = {
            one.id: set(one.spans) for one in runs.instantiate(ran.data, cache_dir=Path(cache)).typed(labels)("test")
        }
    found = []
    for number, line in enumerate(predictions.read_text("utf-8").splitlines()):
        row = json.loads(line)
        theirs = {(span.start, span.end, span.label) for span in gold[row["id"]]}
        found += [(number, s["score"], (s["start"], s["end"], s["label"]) in theirs, s["label"]) for s in row["spans"]]
    note, score, right, label = zip(*found, strict=True)
    return np.array(note), np.array(score), np.array(right), np.array(label)


def probabilities(calibration: Calibration, score: np.ndarray, label: np.ndarray) -> np.ndarray:
    """What `span_probability` says of many spans, (spans,)."""
    slope, intercept = calibration.span
    types, type_of = np.unique(label, return_inverse=True)
    added = np.array([dict(calibration.span_types).get(t, 0.0) for t in types])
    return sigmoid(slope * span_odds(score) + intercept + added[type_of])


def judged(said: np.ndarray, right: np.ndarray, label: np.ndarray) -> tuple[float, float, float]:
    """ECE of all spans, the mean of those of the frequent types, and Brier score."""
    types, counts = np.unique(label, return_counts=True)
    own = [reliability(said[label == t], right[label == t]).ece for t in types[counts >= OFTEN]]
    return reliability(said, right).ece, float(np.mean(own)), brier(said, right) or 0.0


if __name__ == "__main__":
    main()
