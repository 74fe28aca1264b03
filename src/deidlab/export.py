"""A run -> a folder that needs no PyTorch: graph, tokenizer, settings, and how well it agrees with the run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.metrics.families import strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable
from deidlab.onnx_graph import quantize, require_tools, write_graph
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.systems.onnx import GRAPH, SIDECAR, TOKENIZER, OnnxSystem, load
from deidlab.types import ConfigError, Document, Span

LOSS_ALLOWED = 0.002  # of strict F1, by 8 bits
# Strict F1 of a run from which on gold says what it loses; below it the notes are not what the model was trained for.
TELLING = 0.5


@dataclass(frozen=True)
class Agreement:
    """How far an exported model finds what its run finds, on `notes` notes.

    `same_spans` of the run's `spans` come back exactly, `extra_spans` are found by the export alone, and `same_notes`
    notes agree in every span. Against `gold`, where the notes have some that the run finds, `f1_run` and `f1_export`
    are micro strict F1; without (other types, another language) they are 1 and the export's F1 against the run.
    """

    notes: int
    same_notes: int
    spans: int
    same_spans: int
    extra_spans: int
    gold: bool
    f1_run: float
    f1_export: float

    @property
    def loss(self) -> float:
        """Strict F1 that the export costs."""
        return self.f1_run - self.f1_export

    def __str__(self) -> str:
        against = "gold" if self.gold else "the run"
        return (
            f"{self.same_spans} of {self.spans} spans the same, {self.extra_spans} others; {self.same_notes} of "
            f"{self.notes} notes; strict F1 against {against} {self.f1_export:.4f} (run: {self.f1_run:.4f})"
        )


def agreement(run: CheckpointSystem, exported: OnnxSystem, documents: Sequence[Document]) -> Agreement:
    """Compare what a run and its export find; gold spans count where they are of the run's types."""
    ours, theirs = ([set(one.spans) for one in system.predict(documents)] for system in (run, exported))
    types = run.labels.types
    gold = [[span for span in document.spans if span.label in types] for document in documents]
    f1 = strict_f1(gold, ours, types) if any(gold) else 0.0
    judged = f1 >= TELLING  # who finds nothing right has nothing to lose
    return Agreement(
        notes=len(documents),
        same_notes=sum(a == b for a, b in zip(ours, theirs, strict=True)),
        spans=sum(map(len, ours)),
        same_spans=sum(len(a & b) for a, b in zip(ours, theirs, strict=True)),
        extra_spans=sum(len(b - a) for a, b in zip(ours, theirs, strict=True)),
        gold=judged,
        f1_run=f1 if judged else 1.0,
        f1_export=strict_f1(gold if judged else ours, theirs, types),
    )


def strict_f1(gold: Sequence[Any], found: Sequence[set[Span]], types: Sequence[str]) -> float:
    """Micro strict F1; 1 where nothing was to be found and nothing was."""
    tables = (SpanTable.of([sorted(spans) for spans in side], types) for side in (gold, found))
    f1 = rows(strict(exact(*tables)), "strict")[0]["f1"]
    return 1.0 if f1 is None else f1


def export_onnx(
    run: str | Path,
    folder: str | Path,
    documents: Sequence[Document] = (),
    *,
    int8: bool = False,
    loss_allowed: float = LOSS_ALLOWED,
) -> Agreement | None:
    """Write a run as an ONNX folder, and say how it agrees with the run on the documents (None without any).

    `int8` computes products in 8 bits. Its loss is measured, so it needs documents, best with gold spans. Nothing is
    written, and `ConfigError` raised with the figures, when more than `loss_allowed` strict F1 is lost; so too when
    `folder` exists or the model cannot be exported.
    """
    folder = Path(folder)
    require_tools()
    if folder.exists():
        raise ConfigError(f"{folder} exists already: name a new folder for the exported model")
    if int8 and not documents:
        raise ConfigError("8 bits may lose identifiers: name notes to measure that on (--notes), best with gold spans")
    system = CheckpointSystem(load_checkpoint(Path(run)), precision="fp32")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that a folder of that name is always whole.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        built = Path(temporary) / folder.name
        built.mkdir()
        write_graph(system.checkpoint, built / ("fp32.onnx" if int8 else GRAPH))
        if int8:
            quantize(built / "fp32.onnx", built / GRAPH)
            (built / "fp32.onnx").unlink()
        system.checkpoint.encoder.backend.save(str(built / TOKENIZER))
        settings = sidecar(system.checkpoint, int8)
        write_settings(built, settings)
        told = agreement(system, load(built), documents) if documents else None
        if told is not None:
            write_settings(built, {**settings, "agreement": asdict(told)})
            if told.loss > loss_allowed:
                raise ConfigError(
                    f"the exported model loses {100 * told.loss:.2f} points of strict F1, {100 * loss_allowed:.2f} are "
                    f"allowed; nothing was written ({told})" + ("; export without --int8" if int8 else "")
                )
        built.rename(folder)
    return told


def sidecar(checkpoint: Checkpoint, int8: bool) -> dict[str, Any]:
    """What the exported folder keeps beside graph and tokenizer: labels, encoding, decoding; no text, no path."""
    settings = checkpoint.settings()
    settings["encoding"]["pad_id"] = checkpoint.encoder.padding
    if int8:
        settings["decoding"].pop("curve", None)  # what was promised, was promised for other scores
    return {**settings, "format": "onnx", "precision": "int8" if int8 else "fp32"}


def write_settings(folder: Path, settings: dict[str, Any]) -> None:
    (folder / SIDECAR).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
