"""Make every table of the README files from the results they name: `python scripts/tables.py`."""

from pathlib import Path

from deidlab import experiments

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    for file in [ROOT / "README.md", *sorted(ROOT.glob("experiments/*/README.md"))]:
        before, after = file.read_text(encoding="utf-8"), experiments.render(file)
        if before != after:
            file.write_text(after, encoding="utf-8")
            print(f"{file.relative_to(ROOT)}: tables made anew")
