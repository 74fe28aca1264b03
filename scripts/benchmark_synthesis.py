"""How fast are synthetic notes written, and does memory stay flat?

    python scripts/benchmark_synthesis.py [--notes 100000] [--out experiments/synthesis_speed]

Writes `results.json` there. One process; processor time, so that a busy machine counts less.
"""

import argparse
import json
import platform
import time
from pathlib import Path

from deidlab.synthesis.people import cultures
from deidlab.synthesis.settings import Settings, note_types
from deidlab.synthesis.stream import generate


def resident_mebibytes() -> float:
    """Memory of this process that is in RAM now (Linux)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return round(int(fields["VmRSS"].split()[0]) / 1024, 1)


def speed(settings: Settings, count: int) -> dict[str, float]:
    """Notes a second of processor time, words a note, and the same as notes of 300 words a second."""
    start, words = time.process_time(), 0
    for note in generate(settings, count, seed=1):
        words += len(note.text.split())
    seconds = time.process_time() - start
    return {
        "notes_per_second": round(count / seconds),
        "words_per_note": round(words / count, 1),
        "notes_of_300_words_per_second": round(words / 300 / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("experiments/synthesis_speed"))
    arguments = parser.parse_args()
    everyone = dict.fromkeys(cultures(), 1.0)
    for _ in generate(Settings(cultures=everyone), 1000, seed=0):  # load names and compile templates
        pass
    results: dict = {"machine": platform.processor() or platform.machine()}
    results["memory_mib"] = {"1000": resident_mebibytes()}
    results["by_type"] = {kind: speed(Settings(cultures=everyone, note_types=[kind]), 500) for kind in note_types()}
    results["all_types"] = speed(Settings(cultures=everyone), arguments.notes)
    results["memory_mib"][str(arguments.notes)] = resident_mebibytes()
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
