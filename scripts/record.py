"""Keep a run's figures: `python scripts/record.py experiments/meddocan NAME outputs/003 "python train.py ..."`."""

import sys
from pathlib import Path

from deidlab import experiments, runs

if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    experiment, name, run, command = sys.argv[1:]
    with runs.mendable_errors():
        experiments.record(Path(experiment) / "results.json", name, Path(run), command)
