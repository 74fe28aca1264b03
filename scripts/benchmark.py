"""How fast is it, against what others use? Each part writes `results.json` and the table of `README.md` in its folder.

python scripts/benchmark.py training [--data meddocan] [--recipe SETTING ...] [--recipe ...] [--out FOLDER]
python scripts/benchmark.py metrics [--out experiments/metrics_speed]
python scripts/benchmark.py inference --run RUN --notes FOLDER [--int8 FOLDER] [--threads 2] [--out FOLDER]
python scripts/benchmark.py systems 'systems={rules: {system: rules}, ours: {system: checkpoint, system.path: RUN}}'
"""

import argparse
import json
import math
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECIPE = "recipe-"  # a contender, and which `--recipe` it is, from 1
sys.path[0] = str(HERE.parent)  # else a file beside this one hides the library `evaluate`


def main() -> None:
    # Doors of their own: one sets threads before numpy is imported, one is Hydra's.
    if sys.argv[1:2] in (["metrics"], ["systems"], ["inference"]):
        sys.argv = [str(HERE / f"benchmark_{sys.argv[1]}.py"), *sys.argv[2:]]
        runpy.run_path(sys.argv[0], run_name="__main__")
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("training", "metrics", "systems", "inference"))
    parser.add_argument("--data", default="meddocan")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--stock-length", type=int, default=512, help="subwords in a window of stock")
    parser.add_argument("--epochs", type=int, default=4, help="passes over the training notes, of both")
    parser.add_argument("--learning-rate", type=float, help="of both; that of the model's config if not given")
    parser.add_argument("--max-steps", type=int, help="stop early, for a trial")
    parser.add_argument("--notes", type=int, help="use so many training and a quarter as many dev notes, for a trial")
    parser.add_argument("--dev-notes", type=int, help="use so many dev notes")
    parser.add_argument(
        "--recipe", nargs="+", action="append", default=[], metavar="SETTING",
        help="settings of train.py with which ours takes part again; may be given again",
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, taken in turn; figures are medians")
    parser.add_argument("--set", nargs="*", default=[], help="further settings of train.py, e.g. data.path=FOLDER")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()
    if args.contender and args.contender not in contenders(args.recipe):
        parser.error(f"no such contender; there are {', '.join(contenders(args.recipe))}")
    if args.contender:
        print(json.dumps(contend(args)))
    else:
        compare(args)


def contenders(recipes: list[list[str]]) -> dict[str, str]:
    """Who takes part, and what the table calls them."""
    again = {f"{RECIPE}{number}": f"deidlab, {' '.join(recipe)}" for number, recipe in enumerate(recipes, start=1)}
    return {"stock": "stock `Trainer`", "ours": "deidlab", **again}


def compare(args: argparse.Namespace) -> None:
    """Each contender in a process of its own, so that one's memory is not the other's; in turn, so that both see the
    same neighbours. With `--out`, a comparison that was broken off goes on behind the last contender that ended."""
    setting = {k: v for k, v in vars(args).items() if k not in ("out", "contender", "part")}
    runs: dict[str, list[dict]] = {contender: [] for contender in contenders(args.recipe)}
    unfinished = (args.out or Path()) / "unfinished.json"
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        if unfinished.is_file() and (before := json.loads(unfinished.read_text("utf-8")))["setting"] == setting:
            runs = before["runs"]
    for repeat in range(args.repeats):
        for contender, done in runs.items():
            if len(done) > repeat:
                continue
            command = [sys.executable, __file__, *sys.argv[1:], "--contender", contender, "--seed", str(42 + repeat)]
            ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if ended.returncode:
                sys.exit(f"{contender} failed (status {ended.returncode})")
            done.append(json.loads(ended.stdout.splitlines()[-1]))
            print(f"{contender} {repeat + 1}/{args.repeats}: {done[-1]['tokens_per_second']:,.0f} tokens/s", flush=True)
            if args.out:
                unfinished.write_text(json.dumps({"setting": setting, "runs": runs}), "utf-8")
    results = {"setting": setting, "hardware": runs["ours"][0]["hardware"], **summary(runs), "runs": runs}
    table = table_of(results)
    print(table)
    if args.out:
        unfinished.unlink()
        (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        readme = args.out / "README.md"
        text = readme.read_text("utf-8") if readme.exists() else "# Training speed\n\n<!-- table -->\n<!-- end -->\n"
        readme.write_text(re.sub(r"(<!-- table -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", text, flags=re.S), "utf-8")


def summary(runs: dict[str, list[dict]]) -> dict:
    """Medians of each contender, and their ratios."""
    keys = ("tokens_per_second", "seconds", "peak_memory_bytes", "padding_share", "strict_f1", "share_of_peak",
            "preparing_seconds")  # fmt: skip
    told: dict = {
        who: {key: statistics.median(run[key] for run in done) for key in keys if done[0][key] is not None}
        for who, done in runs.items()
    }
    for who in runs.keys() - {"stock"}:
        told[who]["times_faster"] = round(told[who]["tokens_per_second"] / told["stock"]["tokens_per_second"], 2)
        aim = told["stock"].get("strict_f1", math.inf)
        ratios = [
            stock["seconds"] / max(min(s for s, f1 in own["reached"] if f1 >= aim), 1e-9)
            for stock, own in zip(runs["stock"], runs[who], strict=True)
            if any(f1 >= aim for _, f1 in own["reached"])
        ]
        if ratios:
            told[who]["times_sooner_at_the_f1_of_stock"] = round(statistics.median(ratios), 2)
    return told


def table_of(results: dict) -> str:
    headings = contenders(results["setting"]["recipe"])

    def cell(side: dict, key: str, form: str, scale: float = 1.0) -> str:
        return format(side[key] / scale, form) if key in side else "-"

    lines = [("", *headings.values()), ("---", *("---:" for _ in headings))]
    for name, key, form, scale in (
        ("real tokens per second", "tokens_per_second", ",.0f", 1),
        ("share of the machine's matrix-product rate", "share_of_peak", ".1%", 1),
        ("peak memory, MiB", "peak_memory_bytes", ",.0f", 2**20),
        ("padding", "padding_share", ".1%", 1),
        ("seconds of training", "seconds", ",.1f", 1),
        ("strict F1 on dev", "strict_f1", ".4f", 1),
        ("loading and encoding all training notes, warm, seconds", "preparing_seconds", ".2f", 1),
        ("times faster", "times_faster", "g", 1),
        ("times sooner at the F1 of stock", "times_sooner_at_the_f1_of_stock", "g", 1),
    ):
        lines.append((name, *(cell(results[who], key, form, scale) for who in headings)))
    machine = results["hardware"]
    bf16 = "with" if machine["cpu_bf16_in_hardware"] or "bf16_operations_per_second" in machine else "without"
    where = machine["gpu"] or f"{machine['processor']}, {machine['threads']} threads, {machine['cpu_instructions']}"
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\nOn {where}; {bf16} bf16 in hardware."


def contend(args: argparse.Namespace) -> dict:
    """One run of one contender, with the hardware and the share of its peak that was reached."""
    import torch
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from deidlab import profiling, runs
    from deidlab.batching import encode_training
    from deidlab.checkpoints import Checkpoint
    from deidlab.decoding import Decoder
    from deidlab.types import Document, Losses

    again = args.contender.startswith(RECIPE)
    recipe = args.recipe[int(args.contender.removeprefix(RECIPE)) - 1] if again else []
    with initialize_config_dir(str(HERE.parent / "conf"), version_base="1.3"):
        cfg = compose("train", overrides=[f"data={args.data}", f"model={args.model}", *args.set, *recipe])
    labels = runs.instantiate(cfg.labels)
    if args.contender == "stock":
        for own in {"dropout", "attention_dropout"} & set(cfg.model):
            cfg.model[own] = None  # as pretrained
        cfg.model.max_length, cfg.model.stride = args.stock_length, args.stock_length // 4
        if "word_shapes" in cfg.model:
            cfg.model.word_shapes = False
    backbone = runs.instantiate(cfg.model)
    source = backbone.locate()
    checkpoint = Checkpoint(backbone.model(source, labels, args.seed), backbone.encoder(source), Decoder(labels))

    def read(data: Any, *splits: str) -> list[list[Document]]:
        with tempfile.TemporaryDirectory() as folder, runs.private_cache(Path(folder)) as cache:
            notes = runs.instantiate(data, cache_dir=cache).typed(labels)
            return [list(notes(split)) for split in splits]

    train, dev = read(cfg.data, "train", "test")
    alone = OmegaConf.merge(cfg.data, {"splits": {"test": None}, "fractions": None} if "splits" in cfg.data else {})
    prepared = []
    for _ in range(6):
        started = time.perf_counter()
        (notes,) = read(alone, "train")
        encode_training(checkpoint, notes, Losses("count"))
        prepared.append(time.perf_counter() - started)
    train, dev = train[: args.notes], dev[: args.dev_notes or (args.notes and max(args.notes // 4, 1))]
    shared = {key: getattr(args, key) for key in ("epochs", "learning_rate", "max_steps", "seed")}
    shared["learning_rate"] = shared["learning_rate"] or cfg.training.learning_rate
    print(f"{args.contender}: {len(train)} notes", file=sys.stderr)
    hardware = profiling.hardware()
    cost = profiling.operations_per_token(checkpoint.model, backbone.max_length)
    settings = runs.plain(cfg.training)
    if not again:
        settings = {key: settings[key] for key in ("batch_tokens", "freeze_words")}
    if args.contender == "stock":
        speed = profiling.stock(checkpoint, train, dev, batch_size=8, **shared)
    else:
        every = {"validations_per_epoch": 2} if not args.max_steps else {}
        speed = profiling.ours(checkpoint, train, dev, **({"precision": "auto"} | settings | every | shared))
    peak = hardware.get("bf16_operations_per_second", hardware["fp32_operations_per_second"])
    return {
        **speed.to_dict(),
        # The first was not warm; stock is given our windows.
        "preparing_seconds": None if args.contender == "stock" else statistics.median(prepared[1:]),
        # Of frozen layers most operations are not done at all.
        "share_of_peak": None if settings.get("freeze_layers") else speed.tokens_per_second * cost / peak,
        "hardware": hardware,
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main()
