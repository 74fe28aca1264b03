"""How well does a model remember what it learnt from? The exposure of canaries planted in its training notes.

Exposure is log2 |R| - log2 rank (Carlini et al., The Secret Sharer, USENIX Security 2019, section 4): the rank of the
canary among the secrets R that might have stood in its place, the one that surprises the model least first. A tagger
writes no text; what it can betray is how sure it is of the gold tags of a secret, in the sentence that it stood in. R
is a sample of the form's secrets: exposure ends at log2 |R|, and one that was never planted has 1.44 bits on average.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from deidlab.attacks.outcome import Outcome
from deidlab.canaries import Canaries, Form, digest
from deidlab.scored_notes import scored_notes
from deidlab.types import ConfigError, Losses

if TYPE_CHECKING:
    from deidlab.systems.checkpoint import CheckpointSystem

DRAWS = 10_000  # of blind ranks


def attack(*, system: CheckpointSystem, run: str, alternatives: int = 1023, **_: Any) -> Outcome:
    """Rank the canaries of a run among `alternatives` other secrets of their forms by the loss of their gold tags.

    Raises `ConfigError` when `run` planted none, or when its settings do not give those that it planted.
    """
    if not hasattr(system, "scores"):
        raise ConfigError("attack=canary needs the scores of a model trained here: system=checkpoint system.path=RUN")
    if alternatives < 2:
        raise ConfigError(f"attack.alternatives is {alternatives}; expected 2 or more, e.g. 1023")
    canaries, seed, known = planted_by(Path(run))
    lines = []
    for form in canaries.forms:
        groups = canaries.drawn(form, seed)
        if missing := [s for secrets in groups.values() for s in secrets if digest(s) not in known]:
            raise ConfigError(
                f"{len(missing)} canaries that {run}/config.yaml describes are not those of its canaries.json: was one "
                "of them edited, or written by another version?"
            )
        own = [secret for secrets in groups.values() for secret in secrets]
        others = [s for s in form.secrets(len(own) + alternatives, seed) if s not in set(own)]
        losses = losses_of(system, form, [*own, *others])
        reference = losses[len(own) :]
        at = 0
        for copies, secrets in groups.items():
            found = exposures(losses[at : at + len(secrets)], reference)
            lines.append(line(form, copies, found, len(reference) + 1))
            at += len(secrets)
    finding = {"kind": "canary", "alternatives": alternatives, "chance": chance(alternatives + 1), "lines": lines}
    return Outcome([], finding)


def planted_by(run: Path) -> tuple[Canaries, int, set[str]]:
    """The canaries of a run, the seed that draws them, and their digests."""
    run = run.parent if run.name == "checkpoint" else run
    record, config = run / "canaries.json", run / "config.yaml"
    if not record.is_file() or not config.is_file():
        raise ConfigError(f"{run} planted no canaries (no canaries.json): train with canaries=planted")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    content = json.loads(record.read_text(encoding="utf-8"))
    return Canaries.of(**settings["canaries"]), content["seed"], {one["sha256"] for one in content["secrets"]}


def losses_of(system: CheckpointSystem, form: Form, secrets: Sequence[str]) -> np.ndarray:
    """Mean loss of the gold tags of each secret's words, in its sentence, (secrets,)."""
    notes = [form.note(f"{form.name}-{i}", secret) for i, secret in enumerate(secrets)]
    found = []
    for note in scored_notes(notes, system.scores(notes), system.labels, Losses("count")):
        inside = np.flatnonzero(note.gold > 0)
        found.append(-note.log_probs[inside, note.gold[inside]].mean())
    return np.array(found)


def exposures(own: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Exposure in bits of each loss among the reference, (own,); of equals half come before."""
    lower = (reference[None, :] < own[:, None]).sum(axis=1)
    equal = (reference[None, :] == own[:, None]).sum(axis=1)
    return np.log2(len(reference) + 1) - np.log2(1 + lower + equal / 2)


def chance(size: int) -> float:
    """The mean exposure of a secret that was never seen, among so many."""
    return float(np.log2(size) - np.log2(np.arange(1, size + 1)).mean())


def line(form: Form, copies: int, found: np.ndarray, size: int) -> dict[str, Any]:
    """Secrets of a form that were planted so often; `p_value`: how often as many strangers would rank so high."""
    return {
        "form": form.name,
        "copies": copies,
        "secrets": len(found),
        "mean": float(found.mean()),
        "greatest": float(found.max()),
        "p_value": p_of(found, size),
    }


def p_of(found: np.ndarray, size: int) -> float:
    """Chance that secrets with ranks drawn blindly among `size` have as high a mean exposure, by `DRAWS` trials."""
    ranks = np.random.default_rng(0).integers(1, size + 1, (DRAWS, len(found)))
    blind = np.log2(size) - np.log2(ranks).mean(axis=1)
    return float((1 + (blind >= found.mean() - 1e-12).sum()) / (1 + DRAWS))
