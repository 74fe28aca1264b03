"""Fine-tuning, as one story from top to bottom: encode, batch, step, validate, keep the best.

Runs under plain Python or `accelerate launch`; the same encoder and decoder serve here and in use.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, set_seed

from deidlab.adapters import is_adapted, merged
from deidlab.augmentation import Augmentation
from deidlab.batching import LengthBatches, encode_replay, encode_training, epoch_steps, feed, subwords_of
from deidlab.cheaper_steps import learn_all_subwords, learn_seen_subwords, lower_activations, quicken_dropout
from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.forgetting import blended, check_protection, copied, shares_of_rate, slowed
from deidlab.frozen_layers import check_layers, raised, upper_layers
from deidlab.hardware import (
    Precision,
    check_compiler,
    enough_memory,
    keep_freed_memory,
    peak_memory,
    pick_device,
    pick_precision,
)
from deidlab.labels import IGNORED
from deidlab.last_layer import can_be_asked
from deidlab.objectives import Objective
from deidlab.optimization import Schedule, check_rates, parameter_groups, rate_factor
from deidlab.progress import progress_bar
from deidlab.resuming import STATE, Place, load_state, mend_interrupted, save_atomically, save_state, writing
from deidlab.types import ConfigError, DataError, Document, Losses
from deidlab.validation import Validation

log = logging.getLogger(__name__)


@dataclass
class TrainingResult:
    """The kept checkpoint; `history` has a row per validation (deterministic), `timings` the seconds and rates."""

    checkpoint: Checkpoint
    history: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, Any] = field(default_factory=dict)


@enough_memory(
    "lower training.batch_tokens (training.accumulation keeps what a step learns from) or model.max_length, or set "
    "training.gradient_checkpointing=true"
)
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
    schedule: Schedule = "linear",
    clip: float = 1.0,
    accumulation: int = 1,
    precision: Precision = "auto",
    device: str = "auto",
    patience: int | None = None,
    validations_per_epoch: int = 1,
    validate_every: int | None = None,
    min_steps: int | None = None,
    max_steps: int | None = None,
    keep_empty: float = 1.0,
    head_learning_rate: float | None = None,
    layer_decay: float = 1.0,
    freeze_words: bool = False,
    freeze_layers: int = 0,
    blend: float = 1.0,
    protect: float = 0.0,
    replay: Sequence[Document] = (),
    replay_share: float = 0.2,
    objective: Mapping[str, Any] | None = None,
    augmentation: Mapping[str, Any] | None = None,
    pad_to: int | None = None,
    gradient_checkpointing: bool = False,
    compile: bool = False,
    save_every: int | None = None,
    resume: bool = False,
    track: Callable[[int, Mapping[str, float]], None] = lambda step, values: None,
    seed: int = 42,
) -> TrainingResult:
    """Fine-tune `checkpoint.model` and keep the weights with the best strict F1 on `validation` in `folder`.

    `documents` carry types of the checkpoint's label set; `batch_tokens` counts tokens in a batch, padding included;
    `warmup` is a share of training; `keep_empty` is the share of windows without any span that an epoch visits, drawn
    anew each time. Of `replay`, notes of another corpus, an epoch visits so many windows, drawn anew, that they are
    `replay_share` of all. Training ends after `epochs` (more of them where they make less than `min_steps`), after
    `max_steps`, or after `patience` validations without a better F1; there are `validations_per_epoch`, or one every
    `validate_every` steps. Without `validation` the last weights are kept. `objective` and `augmentation` are settings
    of `deidlab.objectives` and `deidlab.augmentation`, `layer_decay` one of `deidlab.optimization`. `freeze_words`
    leaves word embeddings as they were, `freeze_layers` all embeddings and so many of the lowest layers
    (`deidlab.frozen_layers`); with `protect` a weight that `replay` needs learns more slowly, and of what was learnt
    `blend` is validated and kept (`deidlab.forgetting`). The state is saved at every validation and every
    `save_every` steps; with `resume` a run goes on from there and ends as it would have. `track` is told of every step.
    Raises `DataError` when there is nothing to learn or the loss is not finite,
    `ConfigError` for settings that cannot work, are not those resumed, or need more memory than there is.
    """
    if not documents:
        raise DataError("no training documents: is data.splits.train right?")
    check_counts(
        epochs=epochs, batch_tokens=batch_tokens, accumulation=accumulation, min_steps=min_steps, max_steps=max_steps,
        validations_per_epoch=validations_per_epoch, validate_every=validate_every, save_every=save_every,
    )  # fmt: skip
    check_rates(learning_rate, head_learning_rate, weight_decay, warmup, schedule, clip, layer_decay)
    if patience is not None and patience < 1:
        raise ConfigError("training.patience counts validations without a better F1: 1 or more, or null")
    settings = {
        "documents": digest(documents), "validation": digest(validation), "tags": checkpoint.labels.tags, "seed": seed,
        "epochs": epochs, "min_steps": min_steps, "max_steps": max_steps, "patience": patience, "schedule": schedule,
        "validations_per_epoch": validations_per_epoch, "validate_every": validate_every, "warmup": warmup,
        "learning_rate": learning_rate, "head_learning_rate": head_learning_rate, "layer_decay": layer_decay,
        "freeze_words": freeze_words, "freeze_layers": freeze_layers, "blend": blend, "protect": protect,
        "weight_decay": weight_decay, "clip": clip, "batch_tokens": batch_tokens, "pad_to": pad_to,
        "keep_empty": keep_empty, "replay": digest(replay), "replay_share": replay_share,
        "objective": dict(objective or {}), "augmentation": dict(augmentation or {}),
    }  # fmt: skip
    set_seed(seed)
    keep_freed_memory()
    quicken_dropout(checkpoint.model)
    lower_activations(checkpoint.model)
    resolved = pick_precision(precision, pick_device(device))
    AcceleratorState._reset_state()  # an earlier training in this process may have had another precision
    accelerator = Accelerator(cpu=device == "cpu", mixed_precision="no" if resolved == "fp32" else resolved)
    process, processes = accelerator.process_index, accelerator.num_processes
    sharded = accelerator.distributed_type == DistributedType.FSDP
    check_protection(blend, protect, replay, sharded)
    check_layers(checkpoint.model, freeze_layers, sharded)
    at_once = accumulation * processes
    settings["batches_in_a_step"] = at_once
    model, encoder = checkpoint.model, checkpoint.encoder

    # Spans become subword labels; what a label cannot say is counted in `losses`.
    windows = encode_training(checkpoint, documents, losses)
    replayed = encode_replay(checkpoint, replay, losses)
    loss = Objective(**(objective or {})).loss(windows, len(checkpoint.labels.tags), getattr(model, "crf", None))
    augmented = Augmentation(**(augmentation or {}))
    if min_steps:  # few notes need more passes
        plan = LengthBatches(windows, batch_tokens, seed, keep_empty, replayed, replay_share).plan(1)
        epochs = max(epochs, math.ceil(min_steps / math.ceil(len(plan) / at_once)))
    # Of a model cut into shards every process must compute every batch of validation along.
    judge = Validation(checkpoint, validation, batch_tokens, *((0, 1) if sharded else (process, processes)))

    if gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if freeze_words:
        model.get_input_embeddings().weight.requires_grad_(False)
    learner = upper_layers(model, freeze_layers)
    # Fresh notes hold other subwords; what weights matter is compared over all of them; and shards are of whole tables.
    if not (augmented.active or protect or sharded):
        settings["subwords_that_learn"] = learn_seen_subwords(model, subwords_of([*windows, *replayed], encoder))
    partly = not compile and can_be_asked(learner)  # how many are labelled differs from batch to batch
    groups = parameter_groups(model, learning_rate, weight_decay, head_learning_rate, layer_decay)
    rates = [group["lr"] for group in groups]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, fused=True)
    if freeze_layers:
        model.to(accelerator.device)  # the learner has not all of it
    model, optimizer = accelerator.prepare(learner, optimizer)
    if compile:
        check_compiler(accelerator.device)
        model.compile(dynamic=True)
    start = copied(model) if blend < 1 else []
    quiet = not accelerator.is_main_process
    shares = shares_of_rate(checkpoint, windows, replayed, loss, protect, accelerator.autocast, seed, quiet)

    at, state = Place(), folder.with_name(STATE)
    if resume and state.exists():
        if accelerator.is_main_process:
            mend_interrupted(folder)
        at = load_state(state, model, optimizer.optimizer, settings)
        log.info("resumed at step %d", at.step)

    started = time.perf_counter()
    from_below = partial(
        raised, model=checkpoint.model, number=freeze_layers, encoder=encoder, batch_tokens=batch_tokens,
        autocast=accelerator.autocast, quiet=quiet,
    )  # fmt: skip
    if not at.finished:
        replayed, windows = from_below(replayed), windows if augmented.active else from_below(windows)
    at.seconds += time.perf_counter() - started

    def say(line: str) -> None:
        if accelerator.is_main_process:
            progress.console.print(line)

    def save(best: bool) -> None:
        """Put the state, and the checkpoint when it is the best so far, in place of what was saved before."""
        accelerator.wait_for_everyone()
        with writing(folder.parent, at.step):
            if best:
                with blended(model, start, blend):
                    weights = accelerator.get_state_dict(model) if sharded else None
                    if accelerator.is_main_process:
                        save_atomically(checkpoint, folder, weights)
            save_state(state, model, optimizer.optimizer, at, settings, write=accelerator.is_main_process)

    with progress_bar(disable=quiet) as progress:
        task = progress.add_task("training", total=max_steps, completed=at.step, note="")
        while not at.finished:
            if augmented.active:
                fresh = augmented.documents(documents, checkpoint.labels, seed, at.epoch)
                windows = from_below(encode_training(checkpoint, fresh, Losses("count")))
            sampler = LengthBatches(windows, batch_tokens, seed, keep_empty, replayed, replay_share)
            steps = epoch_steps(sampler.windows, sampler.plan(at.epoch), encoder, at_once, process, processes, pad_to)
            validate_at = {
                math.ceil(len(steps) * i / validations_per_epoch) for i in range(1, validations_per_epoch + 1)
            }
            progress.update(task, total=min(len(steps) * epochs, max_steps or len(steps) * epochs))
            model.train()
            started = time.perf_counter()
            for step, batches in feed(steps[at.step_in_epoch :], encoder, accelerator.device, pad_to):
                # What a step draws at random depends on seed, step and process alone: a resumed run draws the same.
                torch.manual_seed((seed * 1_000_003 + at.step) * 1009 + process)
                # The rate follows the share of training that is done, half a step ahead, so that no step has rate 0.
                done = (at.epoch - 1 + (at.step_in_epoch + 0.5) / len(steps)) / epochs
                done = max(done, (at.step + 0.5) / max_steps if max_steps else 0)
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * rate_factor(done, warmup, schedule)

                # The mean is over the labelled units of the whole step: accumulation and processes change no gradient.
                mass = loss.mass(step.everyone)
                summed = torch.zeros((), device=accelerator.device)
                for number, batch in enumerate(batches, start=1):
                    labels = batch.pop("labels")
                    if partly:
                        batch["asked"] = labels != IGNORED
                        labels = labels[batch["asked"]]
                    with nullcontext() if number == len(batches) else accelerator.no_sync(model):
                        with accelerator.autocast():
                            logits = model(**batch).logits
                        part = loss(logits[: len(labels)] if partly else logits, labels)
                        accelerator.backward(part * (processes / max(mass, 1e-9)))
                    summed += part.detach()
                value = float(accelerator.reduce(summed, "sum"))
                if not math.isfinite(value):
                    raise DataError(
                        f"the loss is not finite at epoch {at.epoch}, step {at.step + 1} ({step.mentioned()}): lower "
                        "training.learning_rate, or try training.precision=fp32. What was saved before is whole"
                    )
                accelerator.clip_grad_norm_(model.parameters(), clip)
                with slowed(model, shares):
                    optimizer.step()
                optimizer.zero_grad()

                at.step, at.step_in_epoch = at.step + 1, at.step_in_epoch + 1
                at.loss, at.mass = at.loss + value, at.mass + mass
                at.tokens, at.padded = at.tokens + step.tokens, at.padded + step.padded
                seconds = at.seconds + time.perf_counter() - started
                note = f"loss {at.loss / max(at.mass, 1e-9):.4f}  {at.tokens / seconds:,.0f} tokens/s"
                progress.update(task, advance=1, note=note)
                told = {
                    "loss": value / max(mass, 1e-9),
                    "learning_rate": optimizer.param_groups[0]["lr"],
                    "seconds": seconds,
                    "tokens_per_second": at.tokens / seconds,
                    "padding_share": 1 - at.tokens / at.padded,
                    "memory_bytes": peak_memory(accelerator.device),
                }
                track(at.step, told)
                ended = at.step_in_epoch == len(steps)
                last = at.step == max_steps or (at.epoch == epochs and ended)
                due = at.step % validate_every == 0 if validate_every else at.step_in_epoch in validate_at
                if not (due or last):
                    if ended:
                        at.epoch, at.step_in_epoch, at.seconds = at.epoch + 1, 0, seconds
                    if save_every and at.step % save_every == 0:
                        at.seconds, started = seconds, time.perf_counter()
                        save(best=False)
                    continue

                at.seconds = seconds
                with blended(model, start, blend):
                    whole = checkpoint.model if freeze_layers else accelerator.unwrap_model(model)
                    f1, leak = judge(whole, precision) if validation else (None, None)
                row: dict[str, Any] = {
                    "epoch": round(at.epoch - 1 + at.step_in_epoch / len(steps), 3),
                    "step": at.step,
                    "loss": at.loss / max(at.mass, 1e-9),
                    "validation_strict_f1": f1,
                    "validation_leak": leak,
                }
                at.history.append(row)
                at.stale = 0 if f1 is None or f1 > at.best else at.stale + 1
                at.best = max(at.best, f1 or 0.0)
                at.loss = at.mass = 0.0
                if f1 is not None:
                    track(at.step, {k: v for k, v in row.items() if k.startswith("validation")})
                scored = "no validation split" if f1 is None else f"strict F1 {f1:.4f}{'' if at.stale else ' (best)'}"
                say(f"epoch {row['epoch']:g}/{epochs}  loss {row['loss']:.4f}  validation {scored}")
                at.finished = last
                if patience is not None and at.stale >= patience and not at.finished:
                    say(f"stopped: {patience} validations without a better strict F1")
                    at.finished = True
                if ended:
                    at.epoch, at.step_in_epoch = at.epoch + 1, 0
                save(best=at.stale == 0)
                if at.finished or at.step_in_epoch == 0:
                    break
                model.train()
                started = time.perf_counter()

    accelerator.wait_for_everyone()
    unmerged = (folder / "adapter_config.json").is_file()  # not so where a run is resumed that had come to its end
    if unmerged and is_adapted(checkpoint.model) and checkpoint.model.merge_when_done and accelerator.is_main_process:
        plain = merged(load_checkpoint(folder).model if sharded else accelerator.unwrap_model(model), folder)
        save_atomically(Checkpoint(plain, encoder, checkpoint.decoder), folder)
    accelerator.wait_for_everyone()
    learn_all_subwords(checkpoint.model)
    kept = load_checkpoint(folder)
    kept.model.to(accelerator.device)
    timings = {
        "training_seconds": round(at.seconds, 3),
        "tokens": at.tokens,
        "tokens_per_second": round(at.tokens / max(at.seconds, 1e-9), 1),
        "padding_share": round(1 - at.tokens / max(at.padded, 1), 4),
        "peak_memory_bytes": peak_memory(accelerator.device),
    }
    return TrainingResult(kept, at.history, timings)


def check_counts(**counts: int | None) -> None:
    """Raise `ConfigError` for a training that would never begin."""
    if wrong := [name for name, number in counts.items() if number is not None and number < 1]:
        raise ConfigError(f"training.{', '.join(wrong)} must be at least 1 (unless null, where it may be)")


def digest(documents: Sequence[Document]) -> str:
    """Sixteen hexadecimal digits that tell two lists of annotated documents apart."""
    told = hashlib.sha256()
    for document in documents:
        told.update(f"{document.id} {document.fingerprint} {document.spans}".encode())
    return told.hexdigest()[:16]
