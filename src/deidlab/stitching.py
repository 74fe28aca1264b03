"""Documents -> windows -> batches of nearly equal length -> a model -> the scores of whole documents.

Knows no framework: PyTorch and ONNX Runtime differ in the `Forward` that they give. Every unit is scored once, at its
first subword in the window where that is no context, and the scores come back in the documents' order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from deidlab.encoding import Encoded, Encoder
from deidlab.types import Document, TokenScores, Window

CHUNK_CHARACTERS = 400_000  # documents in flight: enough windows to sort by length, little enough to hold their scores

# Model inputs (rows, positions) of some windows, and where they are asked, (rows, positions) bool -> log-probabilities
# (asked, tags). What each window was cut from comes along for models to which a word is more than its subwords.
Forward = Callable[[dict[str, np.ndarray], np.ndarray, Sequence[tuple[Window, Encoded]]], np.ndarray]


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


def framed(windows: Sequence[Window], encoder: Encoder, length: int | None = None) -> dict[str, np.ndarray]:
    """Model inputs of some windows, int64 (rows, positions): special tokens added, padded to the longest or `length`.

    Labels are among them when the windows have some, word shapes as token types when they were encoded.
    """
    before, after = encoder.frame
    length = max(length or 0, max(len(w.input_ids) for w in windows) + len(before) + len(after))
    size = (len(windows), length)
    inputs = {"input_ids": np.full(size, encoder.padding, np.int64), "attention_mask": np.zeros(size, np.int64)}
    if encoder.global_first:
        inputs["global_attention_mask"] = np.zeros(size, np.int64)
        inputs["global_attention_mask"][:, 0] = 1
    if windows[0].shapes is not None:
        inputs["token_type_ids"] = np.zeros(size, np.int64)
    if windows[0].labels is not None:
        inputs["labels"] = np.full(size, -100, np.int64)
    for row, window in enumerate(windows):
        here = slice(len(before), len(before) + len(window.input_ids))
        end = here.stop + len(after)
        inputs["input_ids"][row, : here.start] = before
        inputs["input_ids"][row, here] = window.input_ids
        inputs["input_ids"][row, here.stop : end] = after
        inputs["attention_mask"][row, :end] = 1
        if window.shapes is not None:
            inputs["token_type_ids"][row, here] = window.shapes
        if window.labels is not None:
            inputs["labels"][row, here] = window.labels
    return inputs


def score_documents(
    documents: Iterable[Document], encoder: Encoder, forward: Forward, tags: int, batch_tokens: int
) -> Iterator[TokenScores]:
    """Score documents, yielding in their order, in memory that does not grow with their number."""
    for chunk in chunks(documents):
        yield from score_encoded(list(encoder.encode(chunk)), encoder, forward, tags, batch_tokens)


def score_encoded(
    encoded: Sequence[Encoded], encoder: Encoder, forward: Forward, tags: int, batch_tokens: int
) -> Iterator[TokenScores]:
    """Score encoded documents, holding the scores of all of them; `batch_tokens` counts padding too."""
    before = len(encoder.frame[0])
    windows: list[Window] = []
    owners: list[int] = []
    units: list[tuple[int, int]] = []  # those whose first subword lies in a window's core
    places: list[np.ndarray] = []  # of these in the window
    for number, one in enumerate(encoded):
        firsts = one.unit_firsts
        for window in encoder.windows(one):
            start, end = np.searchsorted(firsts, (window.core_start, window.core_end)).tolist()
            windows.append(window)
            owners.append(number)
            units.append((start, end))
            places.append(firsts[start:end] - window.first + before)
    # An empty note still has one (empty) window and empty scores.
    log_probs = [np.empty((len(one.unit_spans), tags), dtype=np.float32) for one in encoded]
    for batch in length_batches(windows, batch_tokens):
        inputs = framed([windows[i] for i in batch], encoder)
        asked = np.zeros(inputs["input_ids"].shape, bool)
        for row, index in enumerate(batch):
            asked[row, places[index]] = True
        scores = forward(inputs, asked, [(windows[i], encoded[owners[i]]) for i in batch])
        at = 0
        for index in batch:
            start, end = units[index]
            log_probs[owners[index]][start:end] = scores[at : at + end - start]
            at += end - start
    for one, values in zip(encoded, log_probs, strict=True):
        yield TokenScores(one.document_id, one.unit_spans, values)
