"""The parrot attack on notes that hide leaked identifiers among surrogates.

The attacker has nothing but the released notes. As Carrell et al. describe it (JAMIA 2019, doi 10.1093/jamia/ocz114,
read in its abstract): he annotates by hand all that looks like an identifier in half of the notes, trains a tagger on
them, and tags the other half with it. Leaks look to his tagger as they looked to the defender's: he accuses the
identifiers that it leaves untagged, which he sees as he reads the tagged notes.

What is assumed beyond the abstract: the attacker is a perfect reader (he marks every surrogate and every leak, with the
right type, and nothing else); he never splits a patient between the halves; one who knows the policy does not bother
with types that it keeps or generalises; surrogates of what was no identifier look like one to him. Whether a leak in
the annotated half could be found too was not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deidlab.attacks.outcome import Outcome
from deidlab.attacks.release import Released, readable, release, surrogates_by
from deidlab.corpora.splits import group_of, split_indices
from deidlab.labels import LabelSet
from deidlab.metrics.counts import ALL, PREDICTED, RIGHT, Counts, by_label, tally
from deidlab.metrics.intervals import rows_with_intervals
from deidlab.metrics.rows import Row, rows
from deidlab.systems import predictions as predicted
from deidlab.types import ConfigError, DataError, Document, Losses, Span

if TYPE_CHECKING:
    from deidlab.evaluation import System
    from deidlab.judging import Judging
    from deidlab.models import Backbone

# What is held against an identifier: nothing of it is tagged; or some letter or digit of it is not.
READINGS: Mapping[str, Callable[[Document, Span, Sequence[Span]], bool]] = {
    "parrot": lambda note, span, tagged: not any(t.start < span.end and span.start < t.end for t in tagged),
    "parrot_in_part": lambda note, span, tagged: readable(note.text, span, [(t.start, t.end) for t in tagged]),
}


def attack(
    *,
    documents: Sequence[Document],
    predictions: Path,
    labels: LabelSet,
    judging: Judging,
    cache: Path,
    backbone: Backbone,
    decoding: Callable[..., Any],
    training: Mapping[str, Any],
    policy: str = "i2b2",
    annotated: float = 0.5,
    seed: int = 42,
    **_: Any,
) -> Outcome:
    """Release `documents` as the defender's `predictions` have it, and let a parrot look for what leaked.

    `annotated` is the share of the notes that the attacker annotates. The attacker's model is trained below `cache`,
    which must be private and short-lived: it has seen what leaked. A note on which the defender failed is not released.
    Raises `ConfigError` for a share that leaves a side without notes, `DataError` when nothing leaked or when there is
    no note to attack.
    """
    if not 0 < annotated < 1:
        raise ConfigError(f"attack.annotated is {annotated}; expected a share of the notes above 0 and below 1")
    redactor = surrogates_by(policy, seed)
    defender = predicted.load(predictions, labels, on_error="count")
    released = [
        release(document, prediction.spans, redactor)
        for document, prediction in zip(documents, defender.predict(documents), strict=True)
        if prediction.failed is None
    ]
    known, unknown = halves(released, annotated, seed)
    if not any(fate != "replaced" for one in unknown for fate in one.fates):
        raise DataError(
            f"nothing leaked in the {len(unknown)} notes to attack: no attack can find what is not there. Judge more "
            "notes (data.split), or be content"
        )
    parrot = learn([one.note for one in known], labels, backbone, decoding, training, cache, seed)
    return judged(known, unknown, parrot, labels, judging)


def halves(released: Sequence[Released], share: float, seed: int) -> tuple[list[Released], list[Released]]:
    """The notes that the attacker annotates, and those that he attacks; all notes of a patient on one side."""
    groups = [group_of(one.note, "patient") or one.note.id for one in released]
    split = split_indices(groups, {"annotated": share, "attacked": 1 - share}, seed)
    known, unknown = ([released[i] for i in split[name]] for name in ("annotated", "attacked"))
    return known, unknown


def learn(
    notes: Sequence[Document],
    labels: LabelSet,
    backbone: Backbone,
    decoding: Callable[..., Any],
    training: Mapping[str, Any],
    cache: Path,
    seed: int,
) -> System:
    """The attacker's tagger: trained as any other, on what he annotated."""
    from deidlab.checkpoints import Checkpoint
    from deidlab.systems.checkpoint import CheckpointSystem
    from deidlab.training import train

    source = backbone.locate()
    untrained = Checkpoint(backbone.model(source, labels, seed), backbone.encoder(source), decoding(labels=labels))
    folder = cache / "parrot"
    folder.mkdir()
    trained = train(untrained, notes, [], folder=folder / "checkpoint", losses=Losses("count"), seed=seed, **training)
    return CheckpointSystem(trained.checkpoint, name="parrot")


def judged(
    known: Sequence[Released], unknown: Sequence[Released], parrot: System, labels: LabelSet, judging: Judging
) -> Outcome:
    """Accuse what the parrot leaves untagged, and count who was accused rightly.

    Rows: recall is the share of the leaks that were found, precision the share of the accusations that are right,
    with intervals over patients. Beside the parrot stand chance (as many accusations, drawn blindly: expected values)
    and masks, among which every leak would be seen and nothing else.
    """
    tagged = [prediction.spans for prediction in parrot.predict([one.note for one in unknown])]
    fates = [fate for one in unknown for fate in one.fates]
    leaked = sum(fate != "replaced" for fate in fates)
    lines: list[Row] = []
    attackers = []
    for name, suspicious in READINGS.items():
        counts = accusations(unknown, tagged, labels, suspicious)
        found = rows_of(counts, name, unknown, judging)
        lines += found
        attackers.append(line(name, counts.total()[ALL], found[0]))
        if name == "parrot":
            accused = int(counts.total()[ALL, PREDICTED])
            attackers.append(expected("chance", accused, accused * leaked / len(fates), leaked))
    attackers.append(expected("masks", leaked, leaked, leaked))
    return Outcome(
        lines,
        {
            "kind": "parrot",
            "annotated_notes": len(known),
            "attacked_notes": len(unknown),
            "identifiers": len(fates),
            "leaked": leaked,
            "leaked_in_part": fates.count("partly"),
            "masked": sum(one.masked for one in unknown),
            "attackers": attackers,
        },
    )


def accusations(
    released: Sequence[Released],
    tagged: Sequence[Sequence[Span]],
    labels: LabelSet,
    suspicious: Callable[[Document, Span, Sequence[Span]], bool],
) -> Counts:
    """Leaked identifiers and those of them accused; accused identifiers and those of them leaked."""
    number = {label: i for i, label in enumerate(labels.types)}
    document, label, leaked, accused = [], [], [], []
    for i, (one, spans) in enumerate(zip(released, tagged, strict=True)):
        for span, fate in zip(one.note.spans, one.fates, strict=True):
            document.append(i)
            label.append(number[span.label])
            leaked.append(fate != "replaced")
            accused.append(suspicious(one.note, span, spans))
    at, kind = np.array(document, np.int64), np.array(label, np.int64)
    is_leaked, is_accused = np.array(leaked, bool), np.array(accused, bool)
    return tally(
        len(released),
        labels.types,
        by_label(at[is_leaked], kind[is_leaked], is_accused[is_leaked]),
        by_label(at[is_accused], kind[is_accused], is_leaked[is_accused]),
    )


def rows_of(counts: Counts, metric: str, released: Sequence[Released], judging: Judging) -> list[Row]:
    """The rows of an attack, all types together first; a mean over notes says nothing where most have no leak."""
    draws = judging.resamples([one.note.id for one in released], [one.note.meta for one in released])
    found = rows_with_intervals(counts, metric, draws, level=judging.level) if draws else rows(counts, metric)
    return [row for row in found if row["label"] != "macro"]


def line(attacker: str, total: np.ndarray, row: Row) -> dict[str, Any]:
    measures = {k: v for k, v in row.items() if k.startswith(("recall", "precision"))}
    return {
        "attacker": attacker,
        "accusations": int(total[PREDICTED]),
        "found": int(total[RIGHT]),
        "false_accusations": int(total[PREDICTED] - total[RIGHT]),
        **measures,
    }


def expected(attacker: str, accused: int, found: float, leaked: int) -> dict[str, Any]:
    """A line that needs no trial."""
    return {
        "attacker": attacker,
        "accusations": accused,
        "found": round(found, 1),
        "false_accusations": round(accused - found, 1),
        "recall": found / leaked,
        "precision": found / accused if accused else None,
    }
