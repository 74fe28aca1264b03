"""How fast does a run find identifiers, against `transformers.pipeline` with the same weights?

python scripts/benchmark_inference.py --run RUN --fp32 ONNX_FOLDER --int8 ONNX_FOLDER --notes FOLDER_OF_I2B2_XML
    [--number 16] [--rounds 3] [--threads 2] [--prices published_ec2] [--presidio es] [--out experiments/...]

The pipeline's best batch size is found first; then contenders take turns on the same notes: the model alone in each
precision, and all that `deidlab.load(RUN).deidentify` does (rules, consistency and masks too). One thread each, and
rates are per second of processor time, which on one thread is time itself, less what neighbours on the machine take;
with more `--threads` they are of real time, and `deidentify` takes part with as many processes (`--workers`), too.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[0] = str(ROOT)  # else a file beside this one hides the library `evaluate`
os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # before anything reads them

from deidlab import deidentifier
from deidlab.bulk import engines
from deidlab.bulk.notes import Note
from deidlab.corpora import i2b2_2014
from deidlab.experiments import hardware, price_sheet, renew
from deidlab.pricing import PriceSheet, per_million_notes
from deidlab.runs import write_json
from deidlab.types import Document, Losses

WORDS_A_NOTE = 500  # of the million notes whose cost is told
PROCESSORS = 2  # of the machine that is priced
BATCH_SIZES = (1, 8, 32)  # of the pipeline, of which the best counts
Timed = Callable[[list[Document]], float]  # seconds that finding takes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="a run's folder")
    parser.add_argument("--fp32", type=Path, help="its export")
    parser.add_argument("--int8", type=Path, help="its export in 8 bits")
    parser.add_argument("--notes", type=Path, required=True, help="a folder of notes in i2b2 2014's format")
    parser.add_argument("--number", type=int, default=16, help="of notes, those nearest to 500 words")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of each contender")
    parser.add_argument("--prices", default="published_ec2", help="a sheet of conf/prices, for the cost")
    parser.add_argument("--presidio", metavar="LANGUAGE", help="time Presidio's patterns on the notes too (en, es)")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    sheet = price_sheet(ROOT / "conf" / "prices", args.prices)
    every = i2b2_2014.read(args.notes, Losses("count"))
    notes = sorted(every, key=lambda note: abs(len(note.text.split()) - WORDS_A_NOTE))[: args.number]
    stock = pipelines(args)
    tried = {name: seconds(name, timed, notes) for name, timed in stock.items()}
    best = min(tried, key=tried.__getitem__)
    contenders = {best: stock[best], **ours(args)}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(args.rounds):
        for name, timed in contenders.items():
            taken[name].append(seconds(name, timed, notes))
        results = told(notes, tried, taken, sheet, args.threads)
        if args.out:  # after every round, so that a run that is ended leaves what it found
            args.out.mkdir(parents=True, exist_ok=True)
            write_json(args.out / "results.json", results)
    print(json.dumps(results["rows"], indent=1))
    if args.out:
        renew(args.out / "README.md")


def pipelines(args: argparse.Namespace) -> dict[str, Timed]:
    """The stock pipeline over the run's weights, as a user of transformers would set it up for long notes."""
    import torch
    from transformers import pipeline

    from deidlab.checkpoints import load_checkpoint

    torch.set_num_threads(args.threads)
    stored = load_checkpoint(args.run)
    tokenizer = stored.encoder.tokenizer
    tokenizer.model_max_length = min(tokenizer.model_max_length, stored.model.config.max_position_embeddings)
    stock = pipeline("token-classification", model=stored.model, tokenizer=tokenizer,
                     aggregation_strategy="simple", stride=128)  # fmt: skip

    def piped(size: int) -> Timed:
        return clocked(lambda notes: list(stock([note.text for note in notes], batch_size=size)), args.threads)

    return {f"pipeline, batch {size}": piped(size) for size in BATCH_SIZES}


def ours(args: argparse.Namespace) -> dict[str, Timed]:
    from deidlab.hardware import has_fast_bf16, pick_device
    from deidlab.systems import checkpoint, onnx

    systems: dict[str, Any] = {"deidlab, PyTorch fp32": checkpoint.load(args.run, precision="fp32", device="cpu")}
    if has_fast_bf16(pick_device("cpu")):
        systems["deidlab, PyTorch bf16"] = checkpoint.load(args.run, precision="bf16", device="cpu")
    for name, folder in (("deidlab, ONNX fp32", args.fp32), ("deidlab, ONNX int8", args.int8)):
        if folder:
            systems[name] = onnx.load(folder, threads=args.threads)
    if args.presidio:
        systems[f"Presidio, patterns only ({args.presidio})"] = presidio(args.presidio)

    def found_by(system: Any) -> Timed:
        return clocked(lambda notes: list(system.predict(notes)), args.threads)

    deidentify = partial(deidentifier.load, args.run, device="cpu")
    timed = {name: found_by(system) for name, system in systems.items()}
    timed["deidentify, PyTorch"] = clocked(deidentify().deidentify, args.threads)
    if args.threads > 1:
        timed[f"deidentify, {args.threads} processes"] = partial(in_processes, deidentify, args.threads)
    return timed


def clocked(find: Callable[[list[Document]], object], threads: int) -> Timed:
    """The seconds that a call takes: of processor time on one thread, of real time on more."""
    clock = time.process_time if threads == 1 else time.perf_counter

    def timed(notes: list[Document]) -> float:
        began = clock()
        find(notes)
        return clock() - began

    return timed


def in_processes(make: engines.Make, workers: int, notes: list[Document]) -> float:
    """Seconds that the notes take where a job has started: models loaded, every process at work until the end.

    The clock starts with shards under way, whose notes do not count.
    """
    started, under_way, counted = 2 * workers, workers, 12 * workers
    shards = (
        engines.Shard(number, [Note(note.id, note) for note in notes])
        for number in range(started + under_way + counted)
    )
    for shard, _ in engines.processes(make, workers)(shards):
        if shard.number == started - 1:
            began = time.perf_counter()
    return (time.perf_counter() - began) / counted


def presidio(language: str) -> Any:
    """Presidio as `conf/system/presidio.yaml` sets it up: without a spaCy model, with which it is slower."""
    from hydra import compose, initialize_config_dir

    from deidlab.runs import instantiate, instantiate_system

    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("evaluate", ["system=presidio", f"system.language={language}"])
    return instantiate_system(cfg.system, instantiate(cfg.labels))


def seconds(name: str, timed: Timed, notes: list[Document]) -> float:
    """What a contender takes, told as it comes."""
    taken = timed(notes)
    print(f"{name}: {words_of(notes) / taken:,.0f} words/s", flush=True)
    return taken


def words_of(notes: list[Document]) -> int:
    return sum(len(note.text.split()) for note in notes)


def told(
    notes: list[Document], tried: dict[str, float], taken: dict[str, list[float]], sheet: PriceSheet, threads: int
) -> dict[str, Any]:
    """Everything measured, and the rows of its table: medians of the rounds; the first row is the pipeline's."""
    words, machine = words_of(notes), sheet.price("machine")
    medians = {name: statistics.median(times) for name, times in taken.items()}
    stock = next(iter(medians.values()))
    rows = []
    for name, median in medians.items():
        measured = {"seconds": median, "notes": len(notes), "words": words, "usage": None}
        # A thread keeps one of the priced machine's processors busy: others do as much meanwhile.
        cost = per_million_notes(machine, measured, WORDS_A_NOTE) * threads / PROCESSORS
        rows.append([name, f"{words / median:,.0f}", f"{stock / median:.2f}", f"{cost:,.2f} {sheet.currency}"])
    return {
        "columns": [
            f"{threads} threads" if threads > 1 else "one thread",
            "words/s",
            "times the pipeline",
            "a million notes of 500 words",
        ],
        "rows": rows,
        "notes": len(notes),
        "words": words,
        "hardware": hardware(),
        "price": {"what": machine.what, **machine.amounts, "source": machine.source, "date": machine.date},
        "tried_seconds": tried,
        "seconds": taken,
    }


if __name__ == "__main__":
    main()
