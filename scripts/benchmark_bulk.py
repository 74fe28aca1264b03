"""Does `deidlab deidentify` keep its memory however many notes there are, and end the same after kill -9?

python scripts/benchmark_bulk.py [--notes 1000 10000 100000] [--kill 10000 100000] [--model RUN] [--seed 0]
    [--out experiments/bulk]

Each size is a file of short made-up notes and a process of its own, whose peak of resident memory the kernel tells. For
the sizes of `--kill` the job is done again, killed at a random moment and resumed, and the two outputs are compared.
Without `--model` the rules stand alone: the job around them is the same, and 100,000 notes take minutes. `results.json`
and the table of `README.md` in `--out` are renewed after every size.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # else a file beside this one hides the library `evaluate`

from deidlab.experiments import renew
from deidlab.runs import write_json

NAMES = ("Smith", "Muñoz", "O'Neil", "Ng", "Jones", "Abara", "Rossi", "Kowalska")
TAILS = ("for chest pain.", "with her daughter.", "and was given aspirin 81 mg daily.", "after a fall at home.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--kill", type=int, nargs="*", default=[10_000, 100_000], help="of these, also killed")
    parser.add_argument("--model", type=Path, help="a run; the rules alone without")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    draw = random.Random(args.seed)
    about = {
        "command": " ".join(["python scripts/benchmark_bulk.py", *sys.argv[1:]]),
        "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
        "hardware": hardware_apart(),
    }
    sizes: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in args.notes:
            source, whole = Path(folder) / f"{number}.jsonl", Path(folder) / f"{number}.out.jsonl"
            write(source, number, draw)
            row = {"notes": number, **undisturbed(source, whole, args.model)}
            row["each_note_once"] = ids(whole) == [f"n{i}" for i in range(number)]
            sizes.append(row)
            keep(about, sizes, args.out)
            if number in args.kill:
                row |= disturbed(source, whole, args.model, draw)
                keep(about, sizes, args.out)
    if not all(row["each_note_once"] and row.get("resumed_to_the_same_bytes", True) for row in sizes):
        raise SystemExit("the outputs are not what they should be")


def hardware_apart() -> str:
    """The machine in words, asked in another process: a job is told the peak of memory of who began it as its own."""
    ask = "from deidlab.experiments import hardware; print(hardware())"
    return subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def write(file: Path, number: int, draw: random.Random) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for i in range(number):
            name, doctor = draw.choice(NAMES), draw.choice(NAMES)
            text = (
                f"Mr. {name} (MRN {draw.randint(10**6, 10**7)}), {draw.randint(20, 99)} years old, was seen on "
                f"{draw.randint(1, 12):02}/{draw.randint(1, 28):02}/{draw.randint(1990, 2024)} by Dr. {doctor} "
                f"{draw.choice(TAILS)} Call 555-{draw.randint(100, 999)}-{draw.randint(1000, 9999)}. {name} agreed."
            )
            stream.write(json.dumps({"id": f"n{i}", "text": text}, ensure_ascii=False) + "\n")


def command(source: Path, out: Path, model: Path | None) -> list[str]:
    finder = ["--model", str(model)] if model else ["--rules-only"]
    return [sys.executable, "-m", "deidlab", "deidentify", str(source), *finder, "--out", str(out), "--quiet"]


def undisturbed(source: Path, out: Path, model: Path | None) -> dict[str, Any]:
    began = time.perf_counter()
    process = subprocess.Popen(command(source, out, model))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the job ended with status {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 1), "notes_per_second": round(len(ids(out)) / seconds, 1),
            "peak_rss_mb": round(usage.ru_maxrss / 1024, 1)}  # fmt: skip


def disturbed(source: Path, whole: Path, model: Path | None, draw: random.Random) -> dict[str, Any]:
    """Kill the job at a random moment between 15 % and 85 % of its notes, resume it, and compare."""
    out = whole.with_name(f"killed-{whole.name}")
    shards = out.with_name(f"{out.name}.part") / "shards"
    point = draw.uniform(0.15, 0.85) * len(ids(whole))
    process = subprocess.Popen(command(source, out, model))
    while process.poll() is None and notes_in(shards) < point:
        time.sleep(0.1)
    time.sleep(draw.uniform(0, 0.2))
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = notes_in(shards)
    if out.exists():
        raise SystemExit("the job was over before it was killed: nothing is shown")
    subprocess.run([*command(source, out, model), "--resume"], check=True)
    return {"killed_after_notes": done, "resumed_to_the_same_bytes": digest(out) == digest(whole)}


def notes_in(shards: Path) -> int:
    """How many notes the shards hold that are done."""
    files = (file for file in shards.glob("*/done.json") if file.parent.name.isdigit())
    return sum(json.loads(file.read_text("utf-8"))["notes"] for file in files)


def ids(file: Path) -> list[str]:
    return list(read_ids(file))


def read_ids(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)["id"]


def digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(about: dict[str, Any], sizes: list[dict[str, Any]], folder: Path | None) -> None:
    """Print the latest figures; write all so far, and the table of them."""
    print(json.dumps(sizes[-1]), flush=True)
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    columns = [
        "notes",
        "seconds",
        "notes/s",
        "peak memory",
        "each note once",
        "killed after",
        "resumed to the same bytes",
    ]
    rows = [
        [f"{size['notes']:,}", f"{size['seconds']:,.1f}", f"{size['notes_per_second']:,.0f}",
         f"{size['peak_rss_mb']:,.0f} MiB", yes(size["each_note_once"]),
         f"{size['killed_after_notes']:,} notes" if "killed_after_notes" in size else "-",
         yes(size.get("resumed_to_the_same_bytes"))]
        for size in sizes
    ]  # fmt: skip
    write_json(folder / "results.json", {**about, "columns": columns, "rows": rows, "sizes": sizes})
    if (folder / "README.md").is_file():
        renew(folder / "README.md")


def yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "NO"


if __name__ == "__main__":
    main()
