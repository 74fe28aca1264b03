"""Judge a run on the probe notes: label-blind character recall of names and ages, false spans a note.

    python experiments/synthetic_generalisation/judge.py RUN [--show] [--save]

`--save` keeps the figures in `probe.json` beside this file.

The probe is written for this project, so that its text may be shown.
"""

import json
import sys
from pathlib import Path

from probe import documents

from deidlab.systems.checkpoint import load


def main(run: str, show: bool, save: bool) -> None:
    notes = list(documents(Path(__file__).with_name("probe.txt")))
    predictions = load(run).predict(notes)
    hit, total, false, missed, invented = {}, {}, 0, [], []
    for note, prediction in zip(notes, predictions, strict=True):
        covered = {i for span in prediction.spans for i in range(span.start, span.end)}
        gold = {i for span in note.spans for i in range(span.start, span.end)}
        for span in note.spans:
            letters = [i for i in range(span.start, span.end) if not note.text[i].isspace()]
            found = sum(i in covered for i in letters)
            total[span.label] = total.get(span.label, 0) + len(letters)
            hit[span.label] = hit.get(span.label, 0) + found
            if found < len(letters):
                missed.append(f"{note.id} {span.label}: ...{note.text[max(0, span.start - 25) : span.end + 15]!r}")
        for span in prediction.spans:
            if gold.isdisjoint(range(span.start, span.end)):
                false += 1
                invented.append(f"{note.id} {span.label}: {note.text[span.start : span.end]!r}")
    if save:
        recall = {label: round(hit[label] / total[label], 4) for label in sorted(total)}
        figures = {
            "notes": len(notes),
            "characters": total,
            "recall": recall,
            "false_spans_per_note": false / len(notes),
        }
        Path(__file__).with_name("probe.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for label in sorted(total):
        print(f"{label}: recall {hit[label] / total[label]:.4f} of {total[label]} characters")
    print(f"false spans: {false / len(notes):.2f} a note, {len(notes)} notes")
    if show:
        print("\n".join(["missed:", *missed, "invented:", *invented]))


if __name__ == "__main__":
    main(sys.argv[1], "--show" in sys.argv, "--save" in sys.argv)
