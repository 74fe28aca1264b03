"""Pages to judge by: notes and frames of people that no training split has, in every condition, the same each time."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deidlab.images.formats.dicom import Dicom
from deidlab.images.rendering import frames
from deidlab.images.rendering.pages import CONDITIONS, Rendered, rendered, shortened
from deidlab.synthesis.people import GENDERS, name_pool
from deidlab.synthesis.settings import CULTURES, Settings
from deidlab.synthesis.stream import generate
from deidlab.types import Document

FRAMES = "DICOM frame"
_FRAME_KINDS = (("MONOCHROME2", 8), ("RGB", 8), ("MONOCHROME2", 16), ("MONOCHROME1", 8))


@dataclass(frozen=True)
class Sample:
    """A page of a condition; `pixels` are what comes out of its file, and `known` is what its header tells."""

    condition: str
    number: int
    page: Rendered
    pixels: np.ndarray
    known: Sequence[str] = field(default=(), repr=False)


def samples(pages: int, seed: int, words: int, chosen: Sequence[str] = (*CONDITIONS, FRAMES)) -> Iterator[Sample]:
    """So many pages of each chosen condition, of at least so many words; a page depends on its condition, its number
    and the seed, and not on what else is chosen."""
    notes = _notes(seed, words)
    for number in range(pages):
        for condition, setting in CONDITIONS.items():
            note = next(notes)
            if condition in chosen:
                page = rendered(note, setting, f"{seed} {condition}")
                yield Sample(condition, number, page, page.pixels)
        if FRAMES in chosen:
            yield _framed(number, seed)


def _notes(seed: int, words: int) -> Iterator[Document]:
    """Beginnings of notes in all cultures."""
    settings = Settings(cultures=None, split="test", series="images")
    for start in range(0, 10**6, 64):
        for note in generate(settings, 64, seed, start=start):
            if page := shortened(note, words):
                yield page


def _framed(number: int, seed: int) -> Sample:
    rng = random.Random(f"{seed} {number}")
    patient, physician = (name_pool(rng.choice(list(CULTURES)), "test").draw(rng, rng.choice(GENDERS)) for _ in "12")
    hospital = rng.choice(("Mercy Hospital", "St. Anne Medical Center", "Riverside General", "Lakeview Clinic"))
    made = frames.frame(f"frame-{number}", patient, physician, hospital, seed)
    kind, bits = _FRAME_KINDS[number % len(_FRAME_KINDS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.dcm"
        with file.open("wb") as stream:
            frames.write(stream, made, kind, bits)
        source = Dicom(file)
        return Sample(FRAMES, number, made.rendered, source.page(0), source.known)
