"""How fast is training, and how fast could it be? Our loop and the stock `Trainer` recipe on the same windows.

Rates count real tokens, padding left out. What a token costs is estimated as 6 operations a weight outside of the
embeddings and 12 x layers x width x length for attention, forward and backward together (PaLM, appendix B).
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import DataCollatorForTokenClassification, Trainer, TrainerCallback, TrainingArguments

from deidlab.batching import encode_training
from deidlab.checkpoints import Checkpoint
from deidlab.hardware import has_fast_bf16, peak_memory, pick_device, processor
from deidlab.training import train
from deidlab.types import Document, Losses
from deidlab.validation import Validation

WARM = 3  # first steps, in which memory is claimed and kernels are chosen: not timed


@dataclass
class Speed:
    """What one training run cost; `reached` is (seconds of training, strict F1) of each validation."""

    tokens_per_second: float
    seconds: float
    tokens: int
    peak_memory_bytes: int
    padding_share: float
    strict_f1: float | None = None
    reached: list[tuple[float, float]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def rate(steps: Sequence[tuple[float, int]], warm: int = WARM) -> float:
    """Tokens per second of (seconds, tokens) so far at each step; the first few do not count where there are more."""
    skipped = warm if len(steps) > 2 * warm else 0
    (began, before), (ended, after) = (steps[skipped - 1] if skipped else (0.0, 0)), steps[-1]
    return round((after - before) / (ended - began), 1)


def ours(
    checkpoint: Checkpoint, documents: Sequence[Document], validation: Sequence[Document], **settings: Any
) -> Speed:
    """Train with `deidlab.training.train` under these settings; validations are not part of the seconds."""
    reached: list[tuple[float, float]] = []
    steps: list[tuple[float, int]] = []  # seconds and tokens so far

    def track(step: int, values: Mapping[str, float]) -> None:
        if "seconds" in values:
            steps.append((values["seconds"], round(values["tokens_per_second"] * values["seconds"])))
        else:
            reached.append((round(steps[-1][0], 3), values["validation_strict_f1"]))

    with tempfile.TemporaryDirectory() as folder:
        result = train(
            checkpoint,
            documents,
            validation,
            folder=Path(folder) / "checkpoint",
            losses=Losses("count"),
            track=track,
            **settings,
        )
    told = result.timings
    return Speed(
        # What frozen layers compute before the first step is a part of the training.
        tokens_per_second=rate(steps, warm=0 if settings.get("freeze_layers") else WARM),
        seconds=told["training_seconds"],
        tokens=told["tokens"],
        peak_memory_bytes=told["peak_memory_bytes"],
        padding_share=told["padding_share"],
        strict_f1=reached[-1][1] if reached else None,
        reached=reached,
    )


def stock(
    checkpoint: Checkpoint,
    documents: Sequence[Document],
    validation: Sequence[Document],
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int = 8,
    max_steps: int | None = None,
    bf16: bool = False,
    device: str = "auto",
    seed: int = 42,
    weight_decay: float = 0.01,
) -> Speed:
    """Train with the usual recipe: `Trainer`, dynamic padding, batches of `batch_size` windows, fp32 unless `bf16`.

    The windows, the labels and the judge are ours, so that only the training differs. The dropout is the model's own.
    """
    windows = encode_training(checkpoint, documents, Losses("count"))
    before, after = checkpoint.encoder.frame
    rows = [
        {
            "input_ids": [*before, *window.input_ids.tolist(), *after],
            "labels": [*[-100] * len(before), *window.labels.tolist(), *[-100] * len(after)],
        }
        for window in windows
    ]
    plain = DataCollatorForTokenClassification(checkpoint.encoder.tokenizer)
    seen = {"tokens": 0, "padded": 0}
    steps: list[tuple[float, int]] = []

    def collate(batch: list[dict]) -> dict[str, torch.Tensor]:
        tensors = plain(batch)
        seen["tokens"] += int(tensors["attention_mask"].sum())
        seen["padded"] += tensors["attention_mask"].numel()
        return tensors

    class Ticking(TrainerCallback):
        def on_step_end(self, *args: Any, **more: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            steps.append((time.perf_counter() - started, seen["tokens"]))

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=epochs, max_steps=max_steps or -1, learning_rate=learning_rate, seed=seed,
            per_device_train_batch_size=batch_size, weight_decay=weight_decay, bf16=bf16, report_to="none",
            save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=device == "cpu",
            dataloader_pin_memory=torch.cuda.is_available(),
        )  # fmt: skip
        trainer = Trainer(
            checkpoint.model, arguments, data_collator=collate, train_dataset=rows, callbacks=[Ticking()]
        )  # fmt: skip
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    memory = peak_memory(pick_device(device))
    f1 = None
    if validation:
        f1, _ = Validation(checkpoint, validation, 4096)(checkpoint.model, "auto" if bf16 else "fp32")
    return Speed(
        tokens_per_second=rate(steps),
        seconds=round(seconds, 3),
        tokens=seen["tokens"],
        peak_memory_bytes=memory,
        padding_share=round(1 - seen["tokens"] / seen["padded"], 4),
        strict_f1=f1,
        reached=[] if f1 is None else [(round(seconds, 3), f1)],
    )


def operations_per_token(model: torch.nn.Module, length: int) -> float:
    """Floating-point operations of a training step for one token of a window of `length` tokens.

    A frozen weight needs no gradient of its own: 4 operations in place of 6.
    """
    config: Any = model.config
    embedded = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    weights = sum((6 if p.requires_grad else 4) * p.numel() for p in model.parameters() if id(p) not in embedded)
    seen = length
    if config.model_type == "longformer":  # local attention: a token sees its window
        seen = min(length, max(config.attention_window))
    return weights + 12 * config.num_hidden_layers * config.hidden_size * seen


def product_rate(device: torch.device, dtype: torch.dtype, size: int | None = None, seconds: float = 0.5) -> float:
    """Operations per second of a large matrix product: what this machine can do at best."""
    size = size or (8192 if device.type == "cuda" else 1024)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        a @ b
    wait()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(3):
            a @ b
        wait()
        count += 3
    return 2 * size**3 * count / (time.perf_counter() - began)


def hardware() -> dict[str, Any]:
    """What figures were measured on, and what it can do: a ratio seen with bf16 hardware is not to be had without."""
    device = pick_device()
    told: dict[str, Any] = {
        "machine": platform.machine(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "cpu_instructions": torch.backends.cpu.get_cpu_capability(),
        "cpu_bf16_in_hardware": has_fast_bf16(torch.device("cpu")),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "torch": torch.__version__,
        "fp32_operations_per_second": round(product_rate(device, torch.float32), -9),
    }
    if has_fast_bf16(device):
        told["bf16_operations_per_second"] = round(product_rate(device, torch.bfloat16), -9)
    if device.type == "cuda":  # what these products held is no part of what training holds
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return told
