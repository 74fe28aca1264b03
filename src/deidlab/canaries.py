"""Canaries: random secrets planted in a few training notes, to find out later how well the weights remember them.

Nothing of them is anybody's: they are drawn from a form and a seed, and what a run keeps of them is their digests, by
which an attack knows that it draws the same ones again.
"""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from deidlab.types import ConfigError, Document, Span

VOWELS = "aeiou"
CONSONANTS = "".join(sorted(set(string.ascii_lowercase) - set(VOWELS)))
# What a letter of a pattern stands for; any other character stands for itself.
DRAWN = {
    "9": string.digits,
    "A": string.ascii_uppercase,
    "a": string.ascii_lowercase,
    "C": CONSONANTS.upper(),
    "c": CONSONANTS,
    "v": VOWELS,
}


@dataclass(frozen=True)
class Form:
    """How secrets look (`pattern`), what they are (`label`, a type), and the sentence that they stand in, at `{}`."""

    name: str
    pattern: str
    label: str
    sentence: str

    def __post_init__(self) -> None:
        if self.sentence.count("{}") != 1:
            raise ConfigError(f"canaries.forms.{self.name}.sentence needs one {{}} where the secret stands")

    @property
    def possible(self) -> int:
        """How many secrets have this form."""
        return prod(len(DRAWN.get(letter, "x")) for letter in self.pattern)

    def secrets(self, number: int, seed: int) -> list[str]:
        """So many different secrets; fewer are the first of more. Raises `ConfigError` when there are not so many."""
        if number > self.possible // 2:
            raise ConfigError(
                f"canaries.forms.{self.name}.pattern has {self.possible:,} secrets, too few to draw {number:,}: "
                "make it longer"
            )
        rng = random.Random(f"{seed} {self.name} {self.pattern}")
        found: dict[str, None] = {}
        while len(found) < number:
            found["".join(rng.choice(DRAWN.get(letter, letter)) for letter in self.pattern)] = None
        return list(found)

    def note(self, document_id: str, secret: str) -> Document:
        """A note that is the sentence with the secret, annotated."""
        start = self.sentence.index("{}")
        span = Span(start, start + len(secret), self.label)
        return Document(document_id, self.sentence.replace("{}", secret), (span,))


@dataclass(frozen=True)
class Canaries:
    """What is planted (`conf/canaries/planted.yaml`): of each form, for each number of `copies`, so many `secrets`."""

    forms: tuple[Form, ...]
    secrets: int
    copies: tuple[int, ...]

    @classmethod
    def of(
        cls,
        forms: Mapping[str, Mapping[str, str]],
        secrets: int,
        copies: Sequence[int],
        types: Sequence[str] | None = None,
    ) -> Canaries:
        """From settings. Raises `ConfigError` for those that plant nothing, and for a label that is none of `types`."""
        if secrets < 1 or not copies or min(copies) < 1 or len(set(copies)) < len(copies):
            raise ConfigError("canaries.secrets must be 1 or more, and canaries.copies different numbers, e.g. [1, 8]")
        made = tuple(Form(name, **form) for name, form in forms.items())
        for form in made:
            if types is not None and form.label not in types:
                raise ConfigError(
                    f"canaries.forms.{form.name}.label is {form.label}, no type of the label set ({', '.join(types)})"
                )
        return cls(made, secrets, tuple(copies))

    def drawn(self, form: Form, seed: int) -> dict[int, list[str]]:
        """The secrets of a form by how often each is planted; those under 0 never are, for comparison."""
        planted = sorted(self.copies)
        found = form.secrets(self.secrets * (len(planted) + 1), seed)
        groups = (0, *planted)
        return {copies: found[i * self.secrets : (i + 1) * self.secrets] for i, copies in enumerate(groups)}


def planted(
    documents: Sequence[Document], canaries: Canaries, seed: int
) -> tuple[list[Document], list[dict[str, Any]]]:
    """The documents with the canaries at the ends of notes drawn by the seed, and a record of them without a secret.

    All copies of a secret stand in different notes. Raises `ConfigError` for more copies than there are notes.
    """
    if max(canaries.copies) > len(documents):
        raise ConfigError(f"canaries.copies has {max(canaries.copies)}; there are {len(documents)} notes to plant in")
    rng = random.Random(f"{seed} hosts")
    notes, record = list(documents), []
    for form in canaries.forms:
        for copies, secrets in canaries.drawn(form, seed).items():
            for number, secret in enumerate(secrets):
                sentence = form.note(f"{form.name}-{copies}-{number}", secret)
                for host in rng.sample(range(len(notes)), copies):
                    notes[host] = with_sentence(notes[host], sentence)
                record.append({"form": form.name, "copies": copies, "sha256": digest(secret)})
    return notes, record


def with_sentence(note: Document, sentence: Document) -> Document:
    """A note with a further line."""
    text = f"{note.text}\n"
    (span,) = sentence.spans
    moved = replace(span, start=len(text) + span.start, end=len(text) + span.end)
    return replace(note, text=text + sentence.text, spans=(*note.spans, moved))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
