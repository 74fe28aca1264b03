"""Counterfactual twins: one note, filled with identifiers of every culture x gender cell."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deidlab.synthesis import noise
from deidlab.synthesis.drawing import seed_of
from deidlab.synthesis.grammar import Mention
from deidlab.synthesis.mentions import is_name
from deidlab.synthesis.notes import Draft, draft_note, fill
from deidlab.synthesis.people import GENDERS, cultures
from deidlab.synthesis.settings import Settings
from deidlab.types import ConfigError, Document

TRIES = 200


def twins(
    settings: Settings, count: int, seed: int, cells: Sequence[tuple[str, str]] | None = None
) -> Iterator[Document]:
    """`count` notes, each once for every cell (culture, gender) of `cells` (default: all), tied by `meta["twin"]`.

    Everything but identifiers and the words that agree with gender (he, Mrs., wife, ...) is equal character for
    character; conditions of one sex are left out, and noise with them, since it would fall on different characters.
    Raises `ConfigError` for an unknown cell, and for note types whose notes name no patient.
    """
    chosen = tuple(cells) if cells is not None else tuple((c, g) for c in cultures() for g in GENDERS)
    known = {(c, g) for c in cultures() for g in GENDERS}
    if count < 1 or not chosen or set(chosen) - known:
        raise ConfigError(
            f"twins need a count of at least 1 (got {count}) and cells of {', '.join(cultures())} x "
            f"{', '.join(GENDERS)}"
        )
    quiet = replace(settings, noise=noise.NONE, series="twins", native_script=0.0)
    return (document for index in range(count) for document in _twins_of(quiet, seed, index, chosen))


def _twins_of(settings: Settings, seed: int, index: int, cells: Sequence[tuple[str, str]]) -> Iterator[Document]:
    draft = _named_draft(settings, seed, index)
    tie = f"{seed}-{index:07d}"
    for culture, gender in cells:
        yield fill(draft, settings, seed, index, culture, gender, twin=tie)


def _named_draft(settings: Settings, seed: int, index: int) -> Draft:
    """The first draft that names its patient: a twin without a name compares nothing."""
    rng = random.Random(seed_of(seed, index, 4))
    for _ in range(TRIES):
        draft = draft_note(settings, rng, None)
        if any(type(item) is Mention and item.role == "pt" and is_name(item) for item in draft.body):
            return draft
    raise ConfigError(
        f"no note that names its patient among {TRIES} of {', '.join(settings.note_types)}; "
        "choose other note types for twins"
    )
