"""Does the service answer many clients at once, each its own question, and how soon?

python scripts/benchmark_service.py [--model RUN] [--clients 64] [--seconds 60] [--out experiments/service]

Starts `deidlab serve` on a free port of this machine (the rules alone without `--model`) and asks without a pause. Each
note holds numbers that no other note of the run holds: an answer without those of its own note, or with its MRN, is
counted as mixed up.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import httpx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run, or an exported one; the rules alone without")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    finder = ["--model", str(args.model)] if args.model else ["--rules-only"]
    command = [sys.executable, "-m", "deidlab", "serve", *finder, "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, bufsize=1)
    address = server.stderr.readline().split()[-1]
    Thread(target=server.stderr.read, daemon=True).start()  # a log that nobody reads would stop the server
    try:
        results = asyncio.run(asked(address, args.clients, args.seconds))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
    results |= {
        "command": " ".join(["python scripts/benchmark_service.py", *sys.argv[1:]]),
        "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
        "processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    print(json.dumps(results, indent=2))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "service.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if results["outcomes"].keys() != {"right"}:
        raise SystemExit(1)


async def asked(address: str, clients: int, seconds: float) -> dict:
    outcomes: Counter[str] = Counter()
    times: list[float] = []
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:

        async def one(number: int) -> None:
            draw, turn = random.Random(number), 0
            while time.monotonic() < end:
                turn += 1
                began = time.perf_counter()
                outcomes[await ask(client, f"c{number}t{turn}", draw)] += 1
                times.append(time.perf_counter() - began)

        await asyncio.gather(*(one(number) for number in range(clients)))
    cuts = statistics.quantiles(times, n=100)
    return {
        "clients": clients,
        "seconds": seconds,
        "outcomes": dict(outcomes),
        "requests_per_second": round(len(times) / seconds, 1),
        **{f"p{n}_ms": round(1000 * cuts[n - 1]) for n in (50, 95, 99)},
    }


async def ask(client: httpx.AsyncClient, name: str, draw: random.Random) -> str:
    """Ask about a note that says its own name and an MRN, and judge the answer."""
    mrn = str(draw.randint(10**7, 10**8))
    words = "stable and " * draw.randint(1, 20)
    text = f"Turn {name}: MRN: {mrn}, seen on 03/04/2012, {words}well; turn {name} ends"
    try:
        answer = await client.post("/deidentify", json={"notes": [{"id": name, "text": text}]})
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code != 200:
        return str(answer.status_code)
    (note,) = answer.json()["notes"]
    if note["failed"] is not None:
        return "failed"
    whole = note["text"].startswith(f"Turn {name}: ") and note["text"].endswith(f"{words}well; turn {name} ends")
    return "right" if note["id"] == name and whole and mrn not in note["text"] else "mixed up"


if __name__ == "__main__":
    main()
