"""Judge a run on notes of another hand: label-blind character recall of names, ages and dates, false spans a note.

    python experiments/synthetic_generalisation/judge.py RUN [probe.txt visits.txt] [--show] [--save] [--bias B ...]

A false span touches nothing that is marked; `strict` counts those on professions, places and the like (marked
{O:...}) as false too, as a gold standard of names, ages and dates alone would. `--bias` judges at other operating
points than the run's own (`decoding.outside_bias`). `--save` keeps the figures beside the notes, `--show` prints what
was missed and what invented: the notes are written for this project, so that their text may be shown.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from probe import documents

from deidlab.systems.checkpoint import load

FOLDER = Path(__file__).parent


@dataclass
class Tally:
    """What was found in one file of notes."""

    characters: dict[str, int]
    found: dict[str, int]
    missed: list[str]
    invented: list[str]
    strict: int  # false spans if only names, ages and dates are gold


def tally(notes, predictions) -> Tally:
    result = Tally({}, {}, [], [], 0)
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


def main(run: str, files: list[str], show: bool, save: bool, biases: list[float | None]) -> None:
    for file in files:
        notes = list(documents(FOLDER / file))
        for bias in biases or [None]:  # None: as the run was trained to decode
            system = load(run, decoding={"outside_bias": bias})
            seen = tally(notes, system.predict(notes))
            recall = {label: seen.found[label] / n for label, n in sorted(seen.characters.items())}
            false, strict = len(seen.invented) / len(notes), seen.strict / len(notes)
            print(
                f"{file} at {system.checkpoint.decoder.outside_bias}: "
                + ", ".join(f"{label} {r:.4f}" for label, r in recall.items()),
                end="",
            )
            print(f"; false spans a note {false:.2f}, strict {strict:.2f}")
            if show:
                print("\n".join(["missed:", *seen.missed, "invented:", *seen.invented]))
            if save:
                figures = {
                    "notes": len(notes), "characters": seen.characters,
                    "recall": {label: round(r, 4) for label, r in recall.items()},
                    "false_spans_per_note": round(false, 4), "strict_false_spans_per_note": round(strict, 4),
                }  # fmt: skip
                (FOLDER / file).with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("files", nargs="*", default=["probe.txt", "visits.txt"])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--bias", type=float, nargs="*", default=[])
    a = parser.parse_args()
    main(a.run, a.files, a.show, a.save, a.bias)
