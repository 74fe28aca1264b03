"""Does the service answer many clients at once, each its own question, and how soon?

python scripts/benchmark_service.py [--model RUN] [--clients 64] [--seconds 60] [--out experiments/service]

Starts `deidlab serve` on a free port of this machine (the rules alone without `--model`) and asks without a pause. Each
note says a name that no other note of the run has: an answer with another id or name, or of another length, is mixed
up. A model may mask that name; then id and length tell. `results.json` and the table of `README.md` in `--out` are
renewed.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Thread
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # else a file beside this one hides the library `evaluate`

import httpx

from deidlab.experiments import hardware, renew
from deidlab.runs import write_json

RIGHT = {"right", "right, its name masked"}


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
    assert server.stderr is not None
    announced = server.stderr.readline()
    if "http" not in announced:
        raise SystemExit(f"the service did not begin: {announced}{server.stderr.read()}")
    address = announced.split()[-1]
    Thread(target=server.stderr.read, daemon=True).start()  # a log that nobody reads would stop the server
    try:
        results = asyncio.run(asked(address, args.clients, args.seconds))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
    results |= {
        "command": " ".join(["python scripts/benchmark_service.py", *sys.argv[1:]]),
        "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
        "hardware": hardware(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    print(json.dumps(results, indent=2))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        write_json(args.out / "results.json", {**results, **table(results)})
        if (args.out / "README.md").is_file():
            renew(args.out / "README.md")
    if results["outcomes"].keys() - RIGHT:
        raise SystemExit(1)


def table(results: dict[str, Any]) -> dict[str, Any]:
    right = sum(results["outcomes"].get(outcome, 0) for outcome in RIGHT)
    wrong = {outcome: number for outcome, number in results["outcomes"].items() if outcome not in RIGHT}
    row = [
        str(results["clients"]), f"{results['seconds']:g}", f"{right:,}",
        ", ".join(f"{outcome} {number:,}" for outcome, number in wrong.items()) or "none",
        f"{results['requests_per_second']:,.0f}", *(f"{results[f'p{n}_ms']:,} ms" for n in (50, 95, 99)),
    ]  # fmt: skip
    return {"columns": ["clients", "seconds", "right answers", "any others", "requests/s", "p50", "p95", "p99"],
            "rows": [row]}  # fmt: skip


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
    return judged(note["id"], note["text"], name, words, mrn)


def judged(answered_id: str, text: str, name: str, words: str, mrn: str) -> str:
    """Whose answer it is: by its id, by the names of notes that it says, by how long it is.

    A model may take the name of a note for an identifier and mask it; then the rest tells.
    """
    names = set(re.findall(r"c\d+t\d+", text))
    if answered_id != name or names - {name} or text.count("stable and ") != words.count("stable and "):
        return "mixed up"
    if mrn in text:
        return "MRN left"
    return "right" if names else "right, its name masked"


if __name__ == "__main__":
    main()
