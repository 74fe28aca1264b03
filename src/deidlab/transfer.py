"""Train on A, test on B: a matrix over corpora or institutions, with the loss against in-domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.grids import EVALUATE, MEASURES, TRAIN, Cell, choosing, judging_only, measured, quoted
from deidlab.types import ConfigError
from deidlab.views.elements import Estimate, Section, Table, slug

Corpora = Mapping[str, Sequence[str]]  # the overrides that choose each corpus


def chosen(
    corpora: Sequence[str] | Mapping[str, str | Mapping[str, Any]] | None, institutions: Sequence[str] | None, axis: str
) -> dict[str, tuple[str, ...]]:
    """Corpora by name with the overrides that choose them: data configs, settings of their own, or institutions.

    Raises `ConfigError` unless exactly one of the two is given, with two entries or more.
    """
    if bool(corpora) == bool(institutions):
        raise ConfigError(
            "a matrix needs corpora=[meddocan,synthetic], corpora={north: {data: jsonl, data.path: north}, ...} or "
            "institutions=[a,b,...]"
        )
    found: dict[str, tuple[str, ...]]
    if institutions:
        found = {name: (f"{axis}=[{quoted(name)}]",) for name in map(str, institutions)}
    elif isinstance(corpora, Mapping):
        found = {name: choosing(given) for name, given in corpora.items()}
    else:
        found = {name: choosing(name) for name in corpora or ()}
    if len(found) < 2:
        raise ConfigError(f"a matrix needs two corpora or more; this has {', '.join(found)}")
    if len({slug(name) for name in found}) < len(found):
        raise ConfigError(f"the corpora {', '.join(found)} need names that differ in more than punctuation")
    return found


def cells(corpora: Corpora, folder: Path, overrides: Sequence[str]) -> list[Cell]:
    """First every training, which judges its own test split too, then every other pair."""
    plan = [
        Cell(f"train on {name}", TRAIN, (*overrides, *own, f"name={quoted(name)}"), folder / slug(name))
        for name, own in corpora.items()
    ]
    for source in corpora:
        for target, own in corpora.items():
            if source != target:
                trained = folder / slug(source)
                model = ("system=checkpoint", f"system.path={quoted(str(trained))}")
                where = folder / f"{slug(source)}-on-{slug(target)}"
                settings = (*model, *judging_only(overrides), *own)
                plan.append(Cell(f"{source} on {target}", EVALUATE, settings, where, needs=(trained,)))
    return plan


def collect(corpora: Corpora, folder: Path) -> dict[str, Any]:
    """The matrix as JSON: every pair with its measures, and beside each its loss against in-domain.

    In-domain is the model trained on the corpus that is tested; `loss` is what this model lacks of it (for leaks, what
    it leaks more), so that less is better.
    """
    reports = {
        (a, b): measured(folder / (slug(a) if a == b else f"{slug(a)}-on-{slug(b)}")) for a in corpora for b in corpora
    }
    lines = []
    for (source, target), measures in reports.items():
        for name, found in measures.items():
            home, here = reports[target, target][name]["value"], found["value"]
            sign = -1 if name == "character leak" else 1
            loss = None if home is None or here is None else sign * (home - here)
            lines.append({"train": source, "test": target, "measure": name, **found, "loss": loss})
    return {"schema": 1, "corpora": list(corpora), "cells": lines}


def sections(content: Mapping[str, Any]) -> list[Section]:
    """A section for each measure: the matrix, and the losses."""
    names = content["corpora"]
    found = []
    for measure in MEASURES:
        by = {(c["train"], c["test"]): c for c in content["cells"] if c["measure"] == measure}
        body = tuple(
            (a, *(Estimate(by[a, b]["value"], by[a, b]["low"], by[a, b]["high"]) for b in names)) for a in names
        )
        about = "Rows: trained on; columns: tested on. The diagonal is in-domain."
        table = Table(("trained on", *names), body)
        found.append(Section(measure[0].upper() + measure[1:], about, table, f"matrix-{slug(measure)}"))
        losses = tuple(
            (a, *(Estimate(by[a, b]["loss"], signed=True) if a != b else None for b in names)) for a in names
        )
        about = "What a model trained elsewhere lacks of the one trained on the corpus tested; less is better."
        found.append(Section(f"Loss against in-domain: {measure}", about, Table(("trained on", *names), losses)))
    return found


def figures(content: Mapping[str, Any]) -> dict[str, str]:
    """A heat map for each measure; deeper is better, so leaks are turned round."""
    from deidlab.views import figures as drawing  # matplotlib takes a second

    names = content["corpora"]
    drawn = {}
    for measure in MEASURES:
        by = {(c["train"], c["test"]): c["value"] for c in content["cells"] if c["measure"] == measure}
        values = np.array([[np.nan if by[a, b] is None else by[a, b] for b in names] for a in names], float)
        texts = [["-" if np.isnan(v) else f"{v:.3f}" for v in line] for line in values]
        shares = 1 - values if measure == "character leak" else values
        name = f"matrix-{slug(measure)}"
        drawn[name] = drawing.heat(
            names, names, shares, texts,
            axes_names=("trained on", "tested on"), marked=[(i, i) for i in range(len(names))], name=name,
        )  # fmt: skip
    return drawn
