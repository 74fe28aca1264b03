"""One call, under eight minutes on a GPU: do the fast paths work there, and what do they reach against stock `Trainer`?

    python scripts/gpu_check.py [--out experiments/gpu_speed]

Architectures with random weights (they cost what pretrained ones cost) on synthetic notes of natural length, in bf16;
without a GPU the smallest case alone, in fp32. Writes `results.json` and prints a table.
"""

import argparse
import datetime
import gc
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).parents[1])  # else a file beside this one hides the library `evaluate`

import torch

from deidlab import profiling
from deidlab.adapters import Lora
from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.labels import LabelSet
from deidlab.random_backbones import RandomBackbone
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.stream import generate
from deidlab.synthesis.vocabulary import FINE_TYPES

BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
QUIET = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
LONG = {"vocab_size": 50265, "attention_window": [512] * 12}
PHI = {
    "hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
    "intermediate_size": 8192, "vocab_size": 32064,
}  # fmt: skip
MODERN = {
    "hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12, "intermediate_size": 1152,
    "vocab_size": 50368, "cls_token_id": 1, "sep_token_id": 2,
}  # fmt: skip
# name, model type, window, shape, what stock has in place of our settings, LoRA, tokens in a batch, rows of stock
CASES = [
    ("BERT-base", "bert", 512, {**BASE, "vocab_size": 30522}, QUIET, None, 32_768, 32),
    ("Longformer", "longformer", 4096, {**BASE, **LONG}, QUIET, None, 32_768, 4),
    ("ModernBERT-base", "modernbert", 4096, MODERN, {}, None, 65_536, 8),
    ("Phi-3-mini LoRA", "phi3", 2048, PHI, {}, Lora(), 16_384, 4),
]  # fmt: skip
SMALLEST = ("tiny BERT", "bert", 128, {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 128}, QUIET, None, 1024, 8)  # fmt: skip


def check(case: tuple, notes: list, labels: LabelSet, steps: int, gpu: bool, peak: float) -> list[dict]:
    """Both contenders on one case; a case that fails is a row that says so, and the others go on."""
    name, model_type, length, shape, quiet, lora, tokens, rows = case
    told = []
    for contender in ("stock", "deidlab"):
        gc.collect()
        if gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        settings = {**shape, **(quiet if contender == "deidlab" else {})}
        backbone = RandomBackbone(model_type, length, settings, lora=lora)
        row = {"case": name, "window": length, "contender": contender}
        try:
            checkpoint = Checkpoint(backbone.model("", labels), backbone.encoder(""), Decoder(labels))
            cost = profiling.operations_per_token(checkpoint.model, length)
            common: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-4, "max_steps": steps}
            if contender == "stock":
                speed = profiling.stock(checkpoint, notes, [], batch_size=rows, bf16=gpu, **common)
            else:
                speed = profiling.ours(checkpoint, notes, [], batch_tokens=tokens, precision="auto", **common)
            used = speed.tokens_per_second * cost / peak
            row |= {**speed.to_dict(), "share_of_peak": round(used, 4)}
        except Exception as error:  # out of memory, a missing kernel: a figure too
            traceback.print_exc()
            row["failed"] = f"{type(error).__name__}: {str(error)[:200]}"
        told.append(row)
        print(line(row), flush=True)
    return told


def line(row: dict) -> str:
    head = f"| {row['case']} | {row['window']} | {row['contender']} | "
    if "failed" in row:
        return head + f"failed: {row['failed']} |"
    return head + (
        f"{row['tokens_per_second']:,.0f} | {row['share_of_peak']:.1%} | {row['peak_memory_bytes'] / 2**30:.1f} GiB | "
        f"{row['padding_share']:.1%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="of each contender; 40 on a GPU, 8 without")
    parser.add_argument("--notes", type=int, help="2,000 on a GPU, 30 without")
    parser.add_argument("--minutes", type=float, default=7.5, help="no case begins after so many")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    began, gpu = time.monotonic(), torch.cuda.is_available()
    hardware = profiling.hardware()
    peak = hardware.get("bf16_operations_per_second", hardware["fp32_operations_per_second"])
    labels = LabelSet("fine", FINE_TYPES, "BIO")
    notes = list(generate(Settings(), args.notes or (2000 if gpu else 30), 0))
    print(json.dumps(hardware))
    print("| case | window | | tokens/s | share of peak | memory | padding |\n|---|---:|---|---:|---:|---:|---:|")
    told = []
    for case in CASES if gpu else [SMALLEST]:
        if time.monotonic() - began > 60 * args.minutes:
            print(f"{case[0]}: no time left")
            continue
        told += check(case, notes, labels, args.steps or (40 if gpu else 8), gpu, peak)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        when = datetime.datetime.now(datetime.UTC).date().isoformat()
        results = {"date": when, "hardware": hardware, "cases": told}
        (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if any("failed" in row for row in told):
        sys.exit(1)


if __name__ == "__main__":
    main()
