"""Does `deidlab deidentify` keep its memory however many notes there are, and end the same after kill -9?

python scripts/benchmark_bulk.py [--notes 1000 10000 100000] [--kill 10000 100000] [--model RUN] [--seed 0]
    [--out experiments/bulk]

Each size is a file of short made-up notes and a process of its own, whose peak of resident memory the kernel tells. For
the sizes of `--kill` the job is done again, killed at a random moment and resumed, and the two outputs are compared.
Without `--model` the rules stand alone: the job around them is the same, and 100,000 notes take minutes.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

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
    results = {"command": " ".join(["python scripts/benchmark_bulk.py", *sys.argv[1:]]),
               "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
               "processors": os.cpu_count(), "machine": platform.machine(), "rows": []}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for number in args.notes:
            source, whole = Path(folder) / f"{number}.jsonl", Path(folder) / f"{number}.out.jsonl"
            write(source, number, draw)
            row = {"notes": number, **undisturbed(source, whole, args.model)}
            row["each_note_once"] = ids(whole) == [f"n{i}" for i in range(number)]
            results["rows"].append(row)
            keep(results, args.out)
            if number in args.kill:
                row |= disturbed(source, whole, args.model, row["seconds"], draw)
                keep(results, args.out)


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


def undisturbed(source: Path, out: Path, model: Path | None) -> dict:
    began = time.perf_counter()
    process = subprocess.Popen(command(source, out, model))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the job ended with status {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 1), "notes_per_second": round(len(ids(out)) / seconds, 1),
            "peak_rss_mb": round(usage.ru_maxrss / 1024, 1)}  # fmt: skip


def disturbed(source: Path, whole: Path, model: Path | None, seconds: float, draw: random.Random) -> dict:
    """Kill the job at a random moment between 15 % and 85 % of its notes, resume it, and compare."""
    out = whole.with_name(f"killed-{whole.name}")
    shards = out.with_name(f"{out.name}.part") / "shards"
    point = draw.uniform(0.15, 0.85) * len(ids(whole)) / 256
    process = subprocess.Popen(command(source, out, model))
    while process.poll() is None and not (shards.exists() and len(list(shards.iterdir())) >= point):
        time.sleep(0.02)
    time.sleep(draw.uniform(0, 0.2))
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(list(shards.iterdir())) if shards.exists() else 0
    if out.exists():
        raise SystemExit("the job was over before it was killed: nothing is shown")
    subprocess.run([*command(source, out, model), "--resume"], check=True)
    return {"killed_after_shards": done, "resumed_to_the_same_bytes": digest(out) == digest(whole)}


def ids(file: Path) -> list[str]:
    return list(read_ids(file))


def read_ids(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)["id"]


def digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(results: dict, folder: Path | None) -> None:
    print(json.dumps(results["rows"][-1]), flush=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bulk.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
