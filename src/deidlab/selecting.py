"""Which notes to annotate next: those that the model doubts, those that are unlike the ones it knows, or any.

Whole patients are chosen, so that none is on both sides of a later split.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from deidlab import stitching
from deidlab.encoding import Encoded
from deidlab.flagging import Flagging
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.types import ConfigError, Document, Window

Strategy = Literal["random", "uncertainty", "diversity", "uncertain_and_diverse"]
WIDER = 3  # so many times the wanted patients are doubtful enough to be chosen from for diversity


@dataclass(frozen=True)
class Pool:
    """Notes that could be annotated: the patient, worth of review per character, and embedding of each.

    `worth` is (notes,), `embeddings` (notes, width), `known` (known notes, width) those annotated already.
    """

    patients: Sequence[str]
    worth: np.ndarray
    embeddings: np.ndarray
    known: np.ndarray


def worth_of_review(system: CheckpointSystem, documents: Sequence[Document], flagging: Flagging) -> np.ndarray:
    """What the questions about each note are worth, for each of its characters: long notes take long to annotate."""
    predictions = system.predict(documents)
    values = [flagging.queued(d, p).value / max(len(d.text), 1) for d, p in zip(documents, predictions, strict=True)]
    return np.array(values)


def embeddings(system: CheckpointSystem, documents: Sequence[Document]) -> np.ndarray:
    """Mean of the last hidden states of a note's words, at their first subwords, (notes, width), each of length one."""
    model, encoder = system.checkpoint.model, system.checkpoint.encoder
    model.eval()

    @torch.inference_mode()
    def forward(inputs: dict[str, np.ndarray], asked: np.ndarray, rows: Sequence[tuple[Window, Encoded]]) -> np.ndarray:
        tensors = {name: torch.from_numpy(values).to(model.device) for name, values in inputs.items()}
        return model.base_model(**tensors).last_hidden_state.float().cpu().numpy()[asked]

    width = model.config.hidden_size
    states = stitching.score_documents(documents, encoder, forward, width, system.batch_tokens)
    means = [one.log_probs.mean(axis=0) if len(one.log_probs) else np.zeros(width) for one in states]
    vectors = np.array(means, dtype=np.float64).reshape(-1, width)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def chosen(pool: Pool, notes: int, strategy: Strategy, seed: int = 0) -> list[int]:
    """Indices of the notes to annotate next, whole patients at a time, at least `notes` of them, in order of choice.

    Raises `ConfigError` for an unknown strategy, and for more notes than there are.
    """
    if strategy not in get_args(Strategy):
        raise ConfigError(f"strategy={strategy}: expected one of {', '.join(get_args(Strategy))}")
    if not 1 <= notes <= len(pool.patients):
        raise ConfigError(f"n={notes}: expected between 1 and the notes that are left ({len(pool.patients)})")
    names = sorted(set(pool.patients))
    members = [np.flatnonzero(np.array(pool.patients) == name) for name in names]
    picked: list[int] = []
    for group in ranked(pool, members, strategy, notes, seed):
        picked += members[group].tolist()
        if len(picked) >= notes:
            break
    return picked


def ranked(pool: Pool, members: Sequence[np.ndarray], strategy: Strategy, notes: int, seed: int) -> Iterator[int]:
    """Patients, by number, in the order in which a strategy wants them."""
    worth = np.array([pool.worth[own].mean() for own in members])
    centres = np.stack([pool.embeddings[own].mean(axis=0) for own in members])
    by_worth = np.argsort(-worth, kind="stable")
    match strategy:
        case "random":
            yield from np.random.default_rng(seed).permutation(len(members)).tolist()
        case "uncertainty":
            yield from by_worth.tolist()
        case "diversity":
            yield from furthest_first(centres, pool.known, int(by_worth[0]))
        case "uncertain_and_diverse":
            wide = by_worth[: WIDER * notes]
            yield from (int(wide[place]) for place in furthest_first(centres[wide], pool.known, 0))
            yield from by_worth[WIDER * notes :].tolist()


def furthest_first(points: np.ndarray, known: np.ndarray, first: int) -> Iterator[int]:
    """Each time the point furthest from all taken and `known` ones (k-center greedy: Sener and Savarese 2018).

    Without known ones it begins with `first`.
    """
    if len(known):
        nearest = np.min([((points - one) ** 2).sum(axis=1) for one in known], axis=0)
    else:
        nearest = np.where(np.arange(len(points)) == first, np.inf, 1e300)
    for _ in range(len(points)):
        here = int(nearest.argmax())
        yield here
        nearest = np.minimum(nearest, ((points - points[here]) ** 2).sum(axis=1))
        nearest[here] = -1.0


def write_ids(file: str | Path, ids: Sequence[str], strategy: str) -> None:
    """Keep ids of notes and how they were chosen; no text."""
    Path(file).write_text(json.dumps({"strategy": strategy, "ids": list(ids)}, indent=1) + "\n", encoding="utf-8")
