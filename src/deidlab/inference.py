"""Documents -> token scores, in memory that does not grow with their number.

Windows of several documents are sorted by length and packed into batches of a token budget; every subword is scored
once, in the window where it is no context, and the scores come back in the documents' order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from deidlab.crf import left_packed
from deidlab.encoding import Encoded, Encoder
from deidlab.hardware import Precision, Resolved, autocast, enough_memory, pick_precision
from deidlab.types import Document, TokenScores, Window

LESS_MEMORY = "lower batch_tokens (system.batch_tokens; of a training run evaluation.batch_tokens) or model.max_length"
CHUNK_CHARACTERS = 400_000  # documents in flight: enough windows to sort by length, little enough to hold their scores


def chunks(documents: Iterable[Document], characters: int = CHUNK_CHARACTERS) -> Iterator[list[Document]]:
    """Consecutive documents of about `characters` characters together."""
    chunk: list[Document] = []
    size = 0
    for document in documents:
        chunk.append(document)
        size += len(document.text)
        if size >= characters:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def length_batches(windows: Sequence[Window], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of windows, longest first, in batches of at most `batch_tokens` tokens with padding (one at least)."""
    order = sorted(range(len(windows)), key=lambda i: -len(windows[i].input_ids))
    batch: list[int] = []
    for index in order:
        longest = len(windows[batch[0]].input_ids) if batch else len(windows[index].input_ids)
        if batch and longest * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def pad(windows: Sequence[Window], encoder: Encoder, length: int | None = None) -> dict[str, torch.Tensor]:
    """Model inputs of some windows: special tokens added, padded to the longest or to `length` if that is more.

    Labels are among them when the windows have some.
    """
    before, after = encoder.frame
    length = max(length or 0, max(len(w.input_ids) for w in windows) + len(before) + len(after))
    ids = torch.full((len(windows), length), encoder.tokenizer.pad_token_id or 0, dtype=torch.long)
    mask = torch.zeros_like(ids)
    shapes = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100) if windows[0].labels is not None else None
    for row, window in enumerate(windows):
        framed = [*before, *window.input_ids.tolist(), *after]
        ids[row, : len(framed)] = torch.tensor(framed)
        mask[row, : len(framed)] = 1
        if window.shapes is not None:
            shapes[row, len(before) : len(before) + len(window.shapes)] = torch.from_numpy(window.shapes)
        if labels is not None and window.labels is not None:
            labels[row, len(before) : len(before) + len(window.labels)] = torch.from_numpy(window.labels)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if encoder.global_first:
        inputs["global_attention_mask"] = torch.zeros_like(ids)
        inputs["global_attention_mask"][:, 0] = 1
    if windows[0].shapes is not None:
        inputs["token_type_ids"] = shapes
    return inputs if labels is None else {**inputs, "labels": labels}


def score(
    model: PreTrainedModel,
    encoder: Encoder,
    documents: Iterable[Document],
    *,
    batch_tokens: int = 8192,
    precision: Precision = "auto",
) -> Iterator[TokenScores]:
    """Score documents, yielding in their order; `batch_tokens` counts tokens in a batch, padding included."""
    resolved = pick_precision(precision, model.device)
    model.eval()
    for chunk in chunks(documents):
        yield from score_encoded(model, encoder, list(encoder.encode(chunk)), batch_tokens, resolved)


@torch.inference_mode()
def score_encoded(
    model: PreTrainedModel, encoder: Encoder, encoded: Sequence[Encoded], batch_tokens: int, precision: Resolved
) -> Iterator[TokenScores]:
    """Score encoded documents, holding the scores of all of them; the model is in evaluation mode already."""
    device = model.device
    before = len(encoder.frame[0])
    windows, owners = [], []
    for number, one in enumerate(encoded):
        for window in encoder.windows(one):
            windows.append(window)
            owners.append(number)
    # An empty note still has one (empty) window and empty scores.
    log_probs = [np.empty((len(one.input_ids), model.config.num_labels), dtype=np.float32) for one in encoded]
    for batch in length_batches(windows, batch_tokens):
        inputs = {k: v.to(device) for k, v in pad([windows[i] for i in batch], encoder).items()}
        with autocast(device, precision), enough_memory(LESS_MEMORY):
            logits = model(**inputs).logits
        scores = log_probabilities(model, logits.float(), [(windows[i], encoded[owners[i]]) for i in batch], before)
        for row, index in enumerate(batch):
            window = windows[index]
            here = slice(before + window.core_start - window.first, before + window.core_end - window.first)
            log_probs[owners[index]][window.core_start : window.core_end] = scores[row, here]
    for one, values in zip(encoded, log_probs, strict=True):
        yield TokenScores(one.document_id, one.units, one.unit_spans, values)


def log_probabilities(
    model: PreTrainedModel, logits: torch.Tensor, rows: Sequence[tuple[Window, Encoded]], before: int
) -> np.ndarray:
    """Log-probabilities (rows, positions, tags) of logits of that shape; each row is a window of an encoded document.

    A model with a CRF says what it knows of a unit at its first subword, given all units of the window.
    """
    scores = torch.log_softmax(logits, dim=-1)
    if (crf := getattr(model, "crf", None)) is not None:
        firsts = torch.zeros(logits.shape[:2], dtype=torch.bool)
        for row, (window, encoded) in enumerate(rows):
            inside = encoded.unit_firsts - window.first
            firsts[row, before + inside[(inside >= 0) & (inside < len(window.input_ids))]] = True
        emissions, lengths, order = left_packed(logits, firsts.to(logits.device))
        posteriors = crf.log_posteriors(emissions, lengths)
        for row, length in enumerate(lengths.tolist()):
            scores[row, order[row, :length]] = posteriors[row, :length]
    return scores.cpu().numpy()
