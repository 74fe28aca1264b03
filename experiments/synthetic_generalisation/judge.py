"""Judge a run on notes of another hand: label-blind character recall of names, ages and dates, false spans a note.

    python experiments/synthetic_generalisation/judge.py RUN [--bias 0 1 2] [--show] [--save NAME]

A false span touches nothing that is marked; `strict` counts those on professions, places and the like (marked
{O:...}) as false too, as a gold standard of names, ages and dates alone would. `--bias` judges at other operating
points than the run's own (`decoding.outside_bias`). `--save` keeps the figures in `judged.json` under a name and makes
the README's table anew; `--show` prints what was missed and what invented: these notes are written for this project,
so that their text may be shown.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from probe import documents

from deidlab.systems.checkpoint import load

FOLDER = Path(__file__).parent
FILES = ("probe.txt", "visits.txt", "ambulatory.txt")
COLUMNS = ("PATIENT", "AGE", "DATE", "false", "strict")
BEGIN, END = "<!-- judged -->\n", "<!-- end judged -->"


@dataclass
class Tally:
    """What was found in one file of notes."""

    notes: int
    characters: dict[str, int]
    found: dict[str, int]
    missed: list[str]
    invented: list[str]
    strict: int  # false spans if only names, ages and dates are gold

    def figures(self) -> dict[str, float]:
        """Recall by label, then false spans a note."""
        recall = {label: round(self.found[label] / n, 4) for label, n in sorted(self.characters.items())}
        false = {"false": len(self.invented) / self.notes, "strict": self.strict / self.notes}
        return recall | {name: round(value, 3) for name, value in false.items()}


def tally(notes, predictions) -> Tally:
    result = Tally(len(notes), {}, {}, [], [], 0)
    for note, prediction in zip(notes, predictions, strict=True):
        covered = {i for span in prediction.spans for i in range(span.start, span.end)}
        gold = {i for span in note.spans for i in range(span.start, span.end)}
        asked = {i for span in note.spans if span.label != "LOCATION-OTHER" for i in range(span.start, span.end)}
        for span in note.spans:
            letters = [i for i in range(span.start, span.end) if not note.text[i].isspace()]
            hit = sum(i in covered for i in letters)
            result.characters[span.label] = result.characters.get(span.label, 0) + len(letters)
            result.found[span.label] = result.found.get(span.label, 0) + hit
            if hit < len(letters):
                result.missed.append(f"{note.id} {span.label}: {note.text[max(0, span.start - 25) : span.end + 15]!r}")
        for span in prediction.spans:
            place = range(span.start, span.end)
            result.strict += asked.isdisjoint(place)
            if gold.isdisjoint(place):
                result.invented.append(f"{note.id} {span.label}: {note.text[span.start : span.end]!r}")
    return result


def main(run: str, biases: list[float | None], show: bool, save: str | None) -> None:
    kept: dict[str, dict[str, dict[str, float]]] = {}
    for file in FILES:
        notes = list(documents(FOLDER / file))
        for bias in biases or [None]:  # None: as the run was trained to decode
            system = load(run, decoding={"outside_bias": bias})
            seen = tally(notes, system.predict(notes))
            point = f"{system.checkpoint.decoder.outside_bias:g}"
            kept.setdefault(file, {})[point] = seen.figures()
            print(f"{file} at {point}: " + ", ".join(f"{name} {value:g}" for name, value in seen.figures().items()))
            if show:
                print("\n".join(["missed:", *seen.missed, "invented:", *seen.invented]))
    if save:
        file = FOLDER / "judged.json"
        judged = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        judged[save] = kept
        file.write_text(json.dumps(judged, indent=1) + "\n", encoding="utf-8")
        write_table(judged)


def write_table(judged: dict) -> None:
    """The table of `judged.json` in the README, made anew."""
    lines = [
        "| run | notes | outside_bias | names | ages | dates | false | strict |",
        "| --- | --- " + "| ---: " * 6 + "|",
    ]
    for run, files in judged.items():
        for file, points in files.items():
            for point, figures in points.items():
                cells = [f"{figures[c]:.3f}" if c.isupper() else f"{figures[c]:.2f}" for c in COLUMNS]
                lines.append(f"| {run} | {file} | {point} | " + " | ".join(cells) + " |")
    readme = FOLDER / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest[rest.index(END) :]
    readme.write_text(before + BEGIN + "\n".join(lines) + "\n" + after, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--bias", type=float, nargs="*", default=[])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--save")
    asked = parser.parse_args()
    main(asked.run, asked.bias, asked.show, asked.save)
