"""What a language model is told: the task and the labels, then examples as a conversation, then the note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from deidlab.corpora import jsonl
from deidlab.labels import OUTSIDE, LabelSet
from deidlab.synthesis.notes import Settings
from deidlab.synthesis.stream import generate
from deidlab.types import ConfigError, Document, Losses

Message = dict[str, str]
DRAWN = 12  # synthetic notes written for each example that is kept: the shortest are


def opening(prompt: str, labels: Sequence[str], examples: Sequence[Document]) -> tuple[Message, ...]:
    """The messages before the note. Raises `ConfigError` when the prompt has no place for the labels."""
    if "{labels}" not in prompt:
        raise ConfigError("system.prompt does not name the labels: write {labels} where they belong")
    told = [{"role": "system", "content": prompt.replace("{labels}", ", ".join(labels)).strip()}]
    for example in examples:
        told += [{"role": "user", "content": example.text}, {"role": "assistant", "content": expected(example)}]
    return tuple(told)


def expected(example: Document) -> str:
    """The answer that an example should get: each quote and label once."""
    quotes = dict.fromkeys((example.text[span.start : span.end], span.label) for span in example.spans)
    return json.dumps({"entities": [{"text": t, "label": lab} for t, lab in quotes]}, ensure_ascii=False)


def few_shots(number: int, source: str | None, labels: LabelSet, seed: int = 0) -> list[Document]:
    """`number` annotated notes as examples: from a JSONL file, or synthetic ones (`source=None`).

    Raises `ConfigError` when the file has too few notes with spans.
    """
    if number == 0:
        return []
    losses = Losses("raise")
    vocabulary = "synthetic" if source is None else "own"
    if source is None:
        drawn = list(generate(Settings(), number * DRAWN, seed))
        notes = sorted((note for note in drawn if note.spans), key=lambda note: len(note.text))
    else:
        notes = [note for note in jsonl.read(Path(source).expanduser(), losses) if note.spans]
    if len(notes) < number:
        raise ConfigError(f"system.shots={number}, and {source or 'the synthetic corpus'} gave {len(notes)} with spans")
    chosen = list(islice(notes, number))
    mapping = labels.mapping_for(vocabulary, {span.label for note in chosen for span in note.spans})
    return [labels.relabel(note, mapping, Losses("count")) for note in chosen]


def shown_labels(labels: LabelSet) -> tuple[str, ...]:
    """The types that a model is asked for."""
    return tuple(label for label in labels.types if label != OUTSIDE)
