"""Fine-tuning, as one story from top to bottom: encode, batch, step, validate, keep the best.

Runs under plain Python or `accelerate launch`; the same encoder and decoder serve here and in use.
"""

from __future__ import annotations

import logging
import math
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import get_scheduler

from deidlab.encoding import label_units
from deidlab.hardware import Precision, pick_precision
from deidlab.inference import length_batches, pad, score
from deidlab.labels import IGNORED
from deidlab.metrics.families import strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable
from deidlab.models import Checkpoint, load_checkpoint
from deidlab.progress import progress_bar
from deidlab.types import ConfigError, DataError, Document, Losses, Window

log = logging.getLogger(__name__)
POOL = 4096  # windows that are sorted by length together


@dataclass
class TrainingResult:
    """The kept checkpoint; `history` has a row per validation (deterministic), `timings` the seconds and rates."""

    checkpoint: Checkpoint
    history: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, Any] = field(default_factory=dict)


def train(
    checkpoint: Checkpoint,
    documents: Sequence[Document],
    validation: Sequence[Document],
    *,
    folder: Path,
    losses: Losses,
    epochs: int,
    learning_rate: float,
    batch_tokens: int,
    weight_decay: float = 0.01,
    warmup: float = 0.1,
    schedule: Literal["linear", "cosine"] = "linear",
    clip: float = 1.0,
    accumulation: int = 1,
    precision: Precision = "auto",
    device: str = "auto",
    patience: int | None = None,
    validations_per_epoch: int = 1,
    max_steps: int | None = None,
    keep_empty: float = 1.0,
    head_learning_rate: float | None = None,
    seed: int = 42,
) -> TrainingResult:
    """Fine-tune `checkpoint.model` and keep the weights with the best strict F1 on `validation` in `folder`.

    `documents` carry types of the checkpoint's label set; `batch_tokens` counts tokens in a batch, padding included;
    `warmup` is a share of all steps; `keep_empty` is the share of windows without any span that an epoch visits, drawn
    anew each time; training ends after `max_steps`, or after `patience` validations without a better F1. Without
    `validation` the last weights are kept. Raises `DataError` when there is nothing to learn or the loss is not finite.
    """
    if not documents:
        raise DataError("no training documents: is data.splits.train right?")
    counts = (epochs, batch_tokens, accumulation, validations_per_epoch, max_steps or epochs)
    if min(counts) < 1 or max_steps == 0:
        raise ConfigError(
            "training.epochs, batch_tokens, accumulation, validations_per_epoch and max_steps (unless null) must be at "
            "least 1"
        )
    set_seed(seed)
    accelerator = Accelerator(
        cpu=device == "cpu",
        mixed_precision=mixed_precision(precision, device),
        dataloader_config=DataLoaderConfiguration(even_batches=False),
    )
    model, encoder = checkpoint.model, checkpoint.encoder

    # Spans become subword labels; what a label cannot say is counted in `losses`.
    windows = encode_training(checkpoint, documents, losses)
    batches = LengthBatches(windows, batch_tokens, seed, keep_empty)
    loader = DataLoader(windows, batch_sampler=batches, collate_fn=lambda rows: pad(rows, encoder))  # type: ignore[arg-type]

    at_once = accumulation * accelerator.num_processes
    steps_in = {epoch: math.ceil(len(batches.plan(epoch)) / at_once) for epoch in range(1, epochs + 1)}
    total = min(sum(steps_in.values()), max_steps or sum(steps_in.values()))
    optimizer = torch.optim.AdamW(
        parameter_groups(model, learning_rate, weight_decay, head_learning_rate), lr=learning_rate, fused=True
    )
    scheduler = get_scheduler(schedule, optimizer, num_warmup_steps=round(warmup * total), num_training_steps=total)
    # The scheduler stays ours: it steps once per optimizer step, whatever the number of processes.
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

    result = TrainingResult(checkpoint)
    best, stale, step, tokens, busy = -1.0, 0, 0, 0, 0.0
    with progress_bar(disable=not accelerator.is_main_process) as progress:
        task = progress.add_task("training", total=total, note="")
        for epoch in range(1, epochs + 1):
            batches.epoch = epoch
            validate_at = {
                math.ceil(steps_in[epoch] * i / validations_per_epoch) for i in range(1, validations_per_epoch + 1)
            }
            model.train()
            running, labelled_since, started = 0.0, 0, time.perf_counter()
            for step_in_epoch, group in enumerate(grouped(loader, accumulation), start=1):
                # The mean is over the labelled subwords of the whole step, so accumulation changes no gradient.
                labelled = sum((batch["labels"] != IGNORED).sum() for batch in group)
                everywhere = accelerator.reduce(labelled, "sum")
                for number, batch in enumerate(group, start=1):
                    with accelerator.no_sync(model) if number < len(group) else accelerator.autocast():
                        with accelerator.autocast():
                            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                        total_loss = cross_entropy(
                            logits.float().flatten(0, 1),
                            batch["labels"].flatten(),
                            ignore_index=IGNORED,
                            reduction="sum",
                        )
                        accelerator.backward(total_loss / everywhere.clamp(min=1) * accelerator.num_processes)
                        running += float(total_loss.detach())
                        tokens += int(batch["attention_mask"].sum())
                if not math.isfinite(running):
                    raise DataError(
                        f"the loss is not finite at epoch {epoch}, step {step}: lower training.learning_rate"
                    )
                accelerator.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
                step += 1
                labelled_since += int(labelled)
                rate = tokens / (busy + time.perf_counter() - started)
                progress.update(
                    task, advance=1, note=f"loss {running / max(labelled_since, 1):.4f}  {rate:,.0f} tokens/s"
                )
                if step_in_epoch not in validate_at and step < total:
                    continue

                busy += time.perf_counter() - started
                accelerator.wait_for_everyone()
                f1 = None
                if validation:
                    f1 = strict_f1(accelerator.unwrap_model(model), checkpoint, validation, batch_tokens, precision)
                row = {"epoch": round(epoch - 1 + step_in_epoch / steps_in[epoch], 3), "step": step,
                       "loss": running / max(labelled_since, 1), "validation_strict_f1": f1}  # fmt: skip
                result.history.append(row)
                stale = 0 if f1 is None or f1 > best else stale + 1
                if stale == 0:
                    best = best if f1 is None else f1
                    if accelerator.is_main_process:
                        save_atomically(checkpoint, folder)
                shown = (
                    "no validation split" if f1 is None else f"strict F1 {f1:.4f}" + (" (best)" if not stale else "")
                )
                progress.console.print(f"epoch {row['epoch']:g}/{epochs}  loss {row['loss']:.4f}  validation {shown}")
                model.train()
                started = time.perf_counter()
                if step == total or (patience is not None and stale >= patience):
                    break
            else:
                continue
            if step < total:
                progress.console.print(f"stopped: {patience} validations without a better strict F1")
            break

    accelerator.wait_for_everyone()
    result.checkpoint = load_checkpoint(folder)
    result.checkpoint.model.to(accelerator.device)
    result.timings = {
        "training_seconds": round(busy, 3),
        "tokens": tokens,
        "tokens_per_second": round(tokens / busy, 1),
    }
    return result


def mixed_precision(precision: Precision, device: str) -> str:
    from deidlab.hardware import pick_device

    resolved = pick_precision(precision, pick_device(device))
    return "no" if resolved == "fp32" else resolved


def encode_training(checkpoint: Checkpoint, documents: Sequence[Document], losses: Losses) -> list[Window]:
    """Labelled windows of all documents. Raises `DataError` when no subword of them carries a label."""
    encoder, labels = checkpoint.encoder, checkpoint.labels
    windows: list[Window] = []
    seen: set[str] = set()
    for document, encoded in zip(documents, encoder.encode(documents), strict=True):
        tags = label_units(document.spans, encoded.unit_spans, labels, losses)
        seen.update(labels.tags[tag].partition("-")[2] for tag in np.unique(tags[tags > 0]))
        windows += encoder.windows(encoded, tags)
    if not seen:
        raise DataError("the training documents hold no span of any type of the label set: nothing can be learned")
    for label in labels.types:
        if label not in seen:
            losses.count("not_in_train", label)
    return [window for window in windows if len(window.input_ids)]


class LengthBatches:
    """Batches of window indices under a token budget, new every `epoch` and the same for the same seed.

    Windows are shuffled, sorted by length within large pools (so that padding is small and batches differ between
    epochs), and the batches are shuffled again.
    """

    def __init__(self, windows: Sequence[Window], batch_tokens: int, seed: int, keep_empty: float = 1.0) -> None:
        if not 0 <= keep_empty <= 1:
            raise ConfigError(f"training.keep_empty is {keep_empty}; expected a share from 0 to 1")
        self.windows, self.batch_tokens, self.seed, self.epoch = windows, batch_tokens, seed, 1
        full = [bool((window.labels > 0).any()) for window in windows]
        self.full = [i for i, has_span in enumerate(full) if has_span]
        self.empty = [i for i, has_span in enumerate(full) if not has_span]
        self.kept = round(keep_empty * len(self.empty))

    def plan(self, epoch: int) -> list[list[int]]:
        rng = random.Random(f"{self.seed}-{epoch}")
        order = self.full + rng.sample(self.empty, self.kept)
        rng.shuffle(order)
        batches = []
        for at in range(0, len(order), POOL):
            pool = order[at : at + POOL]
            batches += [
                [pool[i] for i in b] for b in length_batches([self.windows[i] for i in pool], self.batch_tokens)
            ]
        rng.shuffle(batches)
        return batches

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.plan(self.epoch))

    def __len__(self) -> int:
        return len(self.plan(self.epoch))


def grouped(loader: Iterable[dict[str, torch.Tensor]], size: int) -> Iterator[list[dict[str, torch.Tensor]]]:
    """Consecutive batches in groups of `size`: one optimizer step each."""
    batches = iter(loader)
    while group := list(islice(batches, size)):
        yield group


def parameter_groups(
    model: torch.nn.Module, learning_rate: float, weight_decay: float, head_learning_rate: float | None
) -> list[dict[str, Any]]:
    """Weight decay for matrices only; the new head may learn faster than the pretrained body."""
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            head = name.split(".")[0] in ("classifier", "score")
            rate = head_learning_rate if head and head_learning_rate else learning_rate
            decay = weight_decay if parameter.ndim >= 2 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]


def strict_f1(
    model: Any, checkpoint: Checkpoint, documents: Sequence[Document], batch_tokens: int, precision: Precision
) -> float:
    """Micro strict F1 of `model` on documents whose spans carry the checkpoint's types; 0 when undefined."""
    scores = score(model, checkpoint.encoder, documents, batch_tokens=batch_tokens, precision=precision)
    predicted = [checkpoint.decoder(one) for one in scores]
    types = checkpoint.labels.types
    counts = strict(exact(SpanTable.of([d.spans for d in documents], types), SpanTable.of(predicted, types)))
    return rows(counts, "strict")[0]["f1"] or 0.0  # the first row is micro


def save_atomically(checkpoint: Checkpoint, folder: Path) -> None:
    """Replace `folder` by the checkpoint: at any moment there is a whole one."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    checkpoint.save(partial)
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
