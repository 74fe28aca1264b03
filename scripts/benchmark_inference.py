"""How fast does a run find identifiers, against `transformers.pipeline` with the same weights?

python scripts/benchmark_inference.py --run RUN --fp32 ONNX_FOLDER --int8 ONNX_FOLDER --notes FOLDER_OF_I2B2_XML
    [--number 32] [--rounds 3] [--price-an-hour DOLLARS] [--out experiments/inference_speed]

Contenders take turns on the same notes; a figure is the median of the rounds.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # else a file beside this one hides the library `evaluate`

from deidlab.corpora import i2b2_2014
from deidlab.types import Document, Losses

WORDS_A_NOTE = 500  # of the million notes whose cost is told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="a run's folder")
    parser.add_argument("--fp32", type=Path, help="its export")
    parser.add_argument("--int8", type=Path, help="its export in 8 bits")
    parser.add_argument("--notes", type=Path, required=True, help="a folder of notes in i2b2 2014's format")
    parser.add_argument("--number", type=int, default=32, help="of notes, those nearest to 500 words")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--price-an-hour", type=float, help="of this machine, for the cost of a million notes")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    every = i2b2_2014.read(args.notes, Losses("count"))
    notes = sorted(every, key=lambda note: abs(len(note.text.split()) - WORDS_A_NOTE))[: args.number]
    words = sum(len(note.text.split()) for note in notes)
    contenders = prepared(args)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(args.rounds):
        for name, find in contenders.items():
            began = time.perf_counter()
            find(notes)
            seconds[name].append(time.perf_counter() - began)
            print(f"{name}: {words / seconds[name][-1]:,.0f} words/s", flush=True)
    results = told(args, len(notes), words, seconds)
    table = table_of(results)
    print(table)
    if args.out:
        keep(results, table, args.out)


def prepared(args: argparse.Namespace) -> dict[str, Callable[[list[Document]], object]]:
    """Each contender as a function of notes; the stock pipeline in the batch sizes of which the best will count."""
    from transformers import pipeline

    from deidlab.models import load_checkpoint
    from deidlab.systems import checkpoint, onnx

    stored = load_checkpoint(args.run)
    tokenizer = stored.encoder.tokenizer
    tokenizer.model_max_length = min(tokenizer.model_max_length, stored.model.config.max_position_embeddings)
    stock = pipeline("token-classification", model=stored.model, tokenizer=tokenizer,
                     aggregation_strategy="simple", stride=128)  # fmt: skip

    def piped(batch_size: int) -> Callable[[list[Document]], object]:
        return lambda notes: list(stock([note.text for note in notes], batch_size=batch_size))

    def of(system) -> Callable[[list[Document]], object]:
        return lambda notes: list(system.predict(notes))

    contenders = {f"pipeline, batch {size}": piped(size) for size in (1, 8, 32)}
    contenders["deidlab, PyTorch"] = of(checkpoint.load(args.run))
    if args.fp32:
        contenders["deidlab, ONNX fp32"] = of(onnx.load(args.fp32))
    if args.int8:
        contenders["deidlab, ONNX int8"] = of(onnx.load(args.int8))
    return contenders


def told(args: argparse.Namespace, notes: int, words: int, seconds: dict[str, list[float]]) -> dict:
    from deidlab.profiling import hardware

    rates = {name: words / statistics.median(times) for name, times in seconds.items()}
    stock = max(rate for name, rate in rates.items() if name.startswith("pipeline"))
    contenders = {
        name: {
            "words_per_second": round(rate, 1),
            "times_the_pipeline": round(rate / stock, 2),
            "dollars_a_million_notes": round(1e6 * WORDS_A_NOTE / rate / 3600 * args.price_an_hour, 2)
            if args.price_an_hour
            else None,
            "seconds": [round(one, 3) for one in seconds[name]],
        }
        for name, rate in rates.items()
    }
    return {"notes": notes, "words": words, "rounds": args.rounds, "price_an_hour": args.price_an_hour,
            "hardware": hardware(), "contenders": contenders}  # fmt: skip


def table_of(results: dict) -> str:
    lines = ["| | words/s | times the best pipeline | hours a million 500-word notes |", "| --- | ---: | ---: | ---: |"]
    for name, one in results["contenders"].items():
        hours = 1e6 * WORDS_A_NOTE / one["words_per_second"] / 3600
        lines.append(f"| {name} | {one['words_per_second']:,.0f} | {one['times_the_pipeline']:.2f} | {hours:,.1f} |")
    machine = results["hardware"]
    bf16 = "with" if machine["cpu_bf16_in_hardware"] else "without"
    lines += [
        "",
        f"{results['notes']} notes of {results['words'] / results['notes']:.0f} words, medians of {results['rounds']} "
        f"rounds; {machine['processor']}, {machine['threads']} threads, {machine['cpu_instructions']}, {bf16} bf16.",
    ]
    return "\n".join(lines)


def keep(results: dict, table: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    readme = folder / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else "# Inference speed\n\n<!-- speed -->\n<!-- end -->\n"
    readme.write_text(re.sub(r"(<!-- speed -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", text, flags=re.S), "utf-8")


if __name__ == "__main__":
    main()
