"""Run an experiment, keep its figures and make its tables: `python scripts/experiment.py stanford`.

The runs are those of `experiments/NAME/plan.yaml`; the same command resumes where it was ended. `--quick` shrinks them
to seconds, to see that everything fits together; its figures say nothing and are kept in `--out` alone.
"""

import argparse
from pathlib import Path

from deidlab import experiments, grids, plans, runs

ROOT = Path(__file__).parents[1]


def main() -> None:
    names = sorted(file.parent.name for file in (ROOT / "experiments").glob("*/plan.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=names)
    parser.add_argument("--quick", action="store_true", help="tiny model, few notes, figures that say nothing")
    parser.add_argument("--out", type=Path, help="where the runs lie; outputs/NAME if not given")
    args = parser.parse_args()
    with runs.mendable_errors():
        run(args.name, args.quick, args.out or Path("outputs") / (args.name + ("-quick" if args.quick else "")))


def run(name: str, quick: bool, folder: Path) -> None:
    home = ROOT / "experiments" / name
    planned = plans.cells(plans.load(home / "plan.yaml"), folder, quick)
    grids.run_cells(planned, folder, ROOT)
    results = (folder if quick else home) / "results.json"
    plans.keep(planned, results)
    if not quick and (home / "README.md").is_file():
        experiments.renew(home / "README.md")
    print(f"{results}: {len(planned)} runs")


if __name__ == "__main__":
    main()
