"""Make every table and picture of the README files from the results they name: `python scripts/tables.py`."""

from pathlib import Path

from deidlab import experiments

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    for file in [ROOT / "README.md", *sorted(ROOT.glob("experiments/*/README.md"))]:
        if experiments.renew(file):
            print(f"{file.relative_to(ROOT)}: tables made anew")
