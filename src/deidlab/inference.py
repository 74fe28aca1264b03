"""A PyTorch model's scores of documents; how they are cut, batched and stitched is the same for every runtime."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from transformers import PreTrainedModel

from deidlab import stitching
from deidlab.cheaper_steps import quicken_dropout
from deidlab.crf import LinearChainCRF, left_packed
from deidlab.encoding import Encoded, Encoder
from deidlab.hardware import Precision, Resolved, autocast, enough_memory, keep_freed_memory, pick_precision
from deidlab.last_layer import can_be_asked
from deidlab.stitching import Forward, framed, score_documents
from deidlab.types import Document, TokenScores, Window

LESS_MEMORY = "lower batch_tokens (system.batch_tokens; of a training run evaluation.batch_tokens) or model.max_length"


def pad(windows: Sequence[Window], encoder: Encoder, length: int | None = None) -> dict[str, torch.Tensor]:
    """Model inputs of some windows: special tokens added, padded to the longest or to `length` if that is more.

    Labels are among them when the windows have some.
    """
    return {name: torch.from_numpy(values) for name, values in framed(windows, encoder, length).items()}


def score(
    model: PreTrainedModel,
    encoder: Encoder,
    documents: Iterable[Document],
    *,
    batch_tokens: int = 8192,
    precision: Precision = "auto",
) -> Iterator[TokenScores]:
    """Score documents, yielding in their order; `batch_tokens` counts tokens in a batch, padding included."""
    model.eval()
    forward = forward_of(model, encoder, pick_precision(precision, model.device))
    return score_documents(documents, encoder, forward, model.config.num_labels, batch_tokens)


def score_encoded(
    model: PreTrainedModel, encoder: Encoder, encoded: Sequence[Encoded], batch_tokens: int, precision: Resolved
) -> Iterator[TokenScores]:
    """Score encoded documents, holding the scores of all of them; the model is in evaluation mode already."""
    forward = forward_of(model, encoder, precision)
    return stitching.score_encoded(encoded, encoder, forward, model.config.num_labels, batch_tokens)


@contextmanager
def dropout_on(model: PreTrainedModel, share: float) -> Iterator[None]:
    """While this lasts, dropout of hidden states is at work with that share, as in training; scoring leaves it on.

    Attention dropout stays off: it would take attention off its fast path.
    """
    quicken_dropout(model)
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    before = [(layer.p, layer.training) for layer in layers]
    model.eval()
    for layer in layers:
        layer.p = share
        layer.train()
    try:
        yield
    finally:
        for layer, (p, training) in zip(layers, before, strict=True):
            layer.p = p
            layer.train(training)


def forward_of(model: PreTrainedModel, encoder: Encoder, precision: Resolved) -> Forward:
    """The model as a function of arrays, on its device, in that precision."""
    before = len(encoder.frame[0])
    partly = can_be_asked(model)
    keep_freed_memory()

    @torch.inference_mode()
    def forward(inputs: dict[str, np.ndarray], asked: np.ndarray, rows: Sequence[tuple[Window, Encoded]]) -> np.ndarray:
        tensors = {name: torch.from_numpy(values).to(model.device) for name, values in inputs.items()}
        at = torch.from_numpy(asked).to(model.device)
        with autocast(model.device, precision), enough_memory(LESS_MEMORY):
            logits = model(**tensors, asked=at).logits if partly else model(**tensors).logits
        if (crf := getattr(model, "crf", None)) is not None:
            scores = crf_scores(crf, logits.float(), rows, before)[at]
        else:
            scores = torch.log_softmax((logits[: asked.sum()] if partly else logits[at]).float(), dim=-1)
        return scores.cpu().numpy()

    return forward


def crf_scores(
    crf: LinearChainCRF, logits: torch.Tensor, rows: Sequence[tuple[Window, Encoded]], before: int
) -> torch.Tensor:
    """Log-probabilities (rows, positions, tags) of logits of that shape; each row is a window of an encoded document.

    They are what a CRF knows of a unit at its first subword, given all units of the window; elsewhere there is nothing.
    """
    firsts = torch.zeros(logits.shape[:2], dtype=torch.bool)
    for row, (window, encoded) in enumerate(rows):
        start, end = np.searchsorted(encoded.unit_firsts, (window.first, window.first + len(window.input_ids)))
        firsts[row, encoded.unit_firsts[start:end] - window.first + before] = True
    emissions, lengths, order = left_packed(logits, firsts.to(logits.device))
    posteriors = crf.log_posteriors(emissions, lengths)
    scores = torch.full_like(logits, torch.nan)
    for row, length in enumerate(lengths.tolist()):
        scores[row, order[row, :length]] = posteriors[row, :length]
    return scores
