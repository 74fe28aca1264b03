"""Calibrating a model on notes that it was not trained on: fitted, judged before and after, and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from deidlab.calibration.fitting import fit, with_spans
from deidlab.calibration.measures import judged, noise_floor
from deidlab.calibration.scaling import Calibration, Method, identifier_log_odds, normalised, sigmoid
from deidlab.conformal.curve import RiskCurve
from deidlab.conformal.losses import RISKS, note_leak
from deidlab.decoding import Decoder, roles, type_log_probabilities
from deidlab.labels import LabelSet
from deidlab.scored_notes import ScoredNote, of_patients
from deidlab.types import ConfigError, DataError, Span

FOLDS = 5
KINDS = {
    "units": "words, of the likeliest type or none",
    "identifiers": "words, part of an identifier or not",
    "spans": "spans, right in type and both ends",
}
CUTTING = ("splits", "split_by", "fractions", "seed", "split", "keep", "sizes", "fold")  # what a split holds
MEASURES = ("confidence", "accuracy", "ece", "floor", "brier")


def settings_of(run: Path) -> dict[str, Any]:
    """The settings that a run was made with. Raises `ConfigError` when they are not there."""
    file = run / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"run={run} has no config.yaml: give the output folder of a run of train.py")
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def check_unseen(
    run: Path, ran: Mapping[str, Any], data: Mapping[str, Any] | None, fingerprint: str, split: str, trained: int = 0
) -> bool:
    """Raise `ConfigError` where `split` of a corpus holds notes that the run learnt from; did they choose its weights?

    `data` are the settings of the corpus, None for those of the run; `trained` is the number of its train notes.
    """
    if not (run / "provenance.json").is_file():
        raise ConfigError(f"run={run} did not come to its end: train.py output_dir={run} resume=true goes on with it")
    provenance = json.loads((run / "provenance.json").read_text(encoding="utf-8"))
    if fingerprint != provenance.get("data_fingerprint"):
        return False  # other notes, as far as can be known
    if split == "train":
        raise ConfigError(f"split=train: {run} was trained on these notes, and is surer of them than of any others")
    if data and (moved := sorted(key for key in CUTTING if data.get(key) != ran["data"].get(key))):
        raise ConfigError(
            f"these are the notes of {run}, cut in another way ({', '.join('data.' + key for key in moved)}): some may "
            "have trained it. Leave data as the run had it"
        )
    limits = ran.get("notes") or {}
    if split == "validation" and (limits.get("train") or trained) < (limits.get("validate_from") or 0):
        raise ConfigError(f"split=validation: {run} had so few notes that it was trained on these too; give others")
    return split == ran.get("select_on", "validation") and limits.get("validation") != 0


def calibrated(notes: Sequence[ScoredNote], decoder: Decoder, method: Method) -> Calibration:
    """Fit a calibration of units, and on top of it one of the spans that `decoder` finds.

    Raises `DataError` without notes, and for notes without gold spans.
    """
    if not notes:
        raise DataError("no notes to calibrate on: is data.splits.validation (or data.path) right?")
    log_probs, gold = (np.concatenate([getattr(note, k) for note in notes]) for k in ("log_probs", "gold"))
    units = fit(method, log_probs, gold, decoder.labels)
    finder = plain(decoder, units)
    found = [pair for note in notes for pair in found_spans(note, finder)]
    scores = columns([(span.score or 0.0, right) for span, right in found])
    return with_spans(units, *scores, [span.label for span, _ in found])


def plain(decoder: Decoder, calibration: Calibration | None) -> Decoder:
    """The decoder without a recall target, and with another calibration."""
    return Decoder(decoder.labels, decoder.outside_bias, calibration=calibration)


def found_spans(note: ScoredNote, decoder: Decoder) -> list[tuple[Span, bool]]:
    """The spans found in a note, and whether each is right in type and both ends."""
    gold = set(note.document.spans)
    return [(span, span in gold) for span in decoder(note.scores)]


def columns(pairs: Sequence[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and whether each was right, (n,) each."""
    return np.array([c for c, _ in pairs], dtype=np.float64), np.array([r for _, r in pairs], dtype=bool)


def measured(parts: Sequence[tuple[Sequence[ScoredNote], Decoder]]) -> dict[str, Any]:
    """How true the probabilities of decoders are on notes that did not make them: overall, and by type found; JSON."""
    labels = parts[0][1].labels
    said: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {kind: [] for kind in KINDS}
    by_type: dict[str, list[tuple[float, bool]]] = {}
    for notes, decoder in parts:
        for note in notes:
            units = decoder.calibration.units(note.log_probs) if decoder.calibration else normalised(note.log_probs)
            gold = types_of(note.gold, labels)
            likeliest = np.concatenate([units[:, :1], type_log_probabilities(units, roles(labels))], axis=1)
            said["units"].append((np.exp(likeliest.max(axis=1)), likeliest.argmax(axis=1) == gold))
            said["identifiers"].append((sigmoid(identifier_log_odds(units)), gold > 0))
            for span, right in found_spans(note, decoder):
                by_type.setdefault(span.label, []).append((span.score or 0.0, right))
    said["spans"] = [columns(of_type) for of_type in by_type.values()]
    found = {}
    for kind, chunks in said.items():
        confidence, rights = (np.concatenate(side) for side in zip(columns(()), *chunks, strict=True))
        found[kind] = judged(confidence, rights) | {"floor": noise_floor(confidence)}
    return {**found, "types": {t: judged(*columns(by_type[t])) for t in labels.types if t in by_type}}


def types_of(tags: np.ndarray, labels: LabelSet) -> np.ndarray:
    """0 for O, else one more than the number of the type, (units,)."""
    number = {name: i + 1 for i, name in enumerate(labels.types)}
    return np.array([0, *(number[tag[2:]] for tag in labels.tags[1:])])[tags]


def before_and_after(
    notes: Sequence[ScoredNote],
    decoder: Decoder,
    method: Method,
    judge: Sequence[ScoredNote] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """What calibration on `notes` does for those to `judge`, or for each fold of patients when fitted on the others."""
    if judge:
        after = [(judge, plain(decoder, calibrated(notes, decoder, method)))]
    else:
        folds = of_patients(notes, FOLDS, seed)
        if len(folds) < 2:
            raise ConfigError(
                "a calibration is judged on other patients than it was fitted on: give notes of two or more"
            )
        after = []
        for fold in folds:
            rest = [notes[i] for i in sorted({*range(len(notes))} - set(fold.tolist()))]
            after.append(([notes[i] for i in fold], plain(decoder, calibrated(rest, decoder, method))))
    return {"before": measured([(judge or notes, plain(decoder, None))]), "after": measured(after)}


def risk_curve(notes: Sequence[ScoredNote], decoder: Decoder, seed: int = 0) -> RiskCurve:
    """The risks that `decoder` can promise after these notes."""
    finder = plain(decoder, None)
    leaks = [note_leak(note.document, note.scores, finder(note.scores), note.patient) for note in notes]
    return RiskCurve.of(leaks, decoder.outside_bias, seed)


def prices(curve: RiskCurve, alphas: Sequence[float], confidence: float | None, seconds: float) -> list[dict[str, Any]]:
    """What it costs to promise each risk: a line for each of `alphas`, with `why` where that cannot be promised.

    `seconds` are what a person takes for each stretch that is covered beyond what decoding finds.
    """
    lines: list[dict[str, Any]] = []
    for risk in RISKS:
        for alpha in alphas:
            line: dict[str, Any] = {"risk": risk, "alpha": alpha, "confidence": confidence}
            try:
                place = curve.choose(alpha, risk, confidence)
            except ConfigError as error:
                lines.append({**line, "why": str(error)})
                continue
            minutes = curve.questions[place] * seconds / 60 * 1000
            lines.append({
                **line, "threshold": curve.thresholds[place], "seen": curve.means[risk][place],
                "promised": float(curve.promised(risk, confidence)[place]), "precision": curve.precision[place],
                "review_minutes_per_1000_notes": minutes,
            })  # fmt: skip
    return lines


def stored(decoder: Decoder, calibration: Calibration, curve: RiskCurve) -> Decoder:
    """The decoder with what was learnt; it finds the same spans as before."""
    return replace(plain(decoder, calibration), curve=curve)
