"""A run as a recogniser inside Microsoft Presidio: its analyzer finds what the run finds, beside its own patterns.

engine.registry.add_recognizer(recognizer(deidlab.load("outputs/001").system))
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deidlab.deidentifier import predicted
from deidlab.types import ConfigError, Document

if TYPE_CHECKING:
    from deidlab.evaluation import System


def recognizer(system: System, language: str = "en", entities: Mapping[str, str] | None = None) -> Any:
    """A Presidio `EntityRecognizer` of a system, for notes in `language`; whole notes, whatever their length.

    `entities` renames the system's types, e.g. {"PATIENT": "PERSON"}; the others keep their names. A span without a
    score counts as certain. Raises `ConfigError` without Presidio, and for a type that the system does not have.
    """
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise ConfigError('a Presidio recogniser needs the extra: pip install "deidlab[presidio]"')
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    types = system.labels.types
    if unknown := sorted(set(entities or {}) - set(types)):
        raise ConfigError(f"entities renames {', '.join(unknown)}: no types of the system ({', '.join(types)})")
    names = {label: (entities or {}).get(label, label) for label in types}

    class Recognizer(EntityRecognizer):
        def load(self) -> None:
            """The system is loaded already."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
            (prediction,) = predicted(system, [Document("presidio", text)])
            return [
                RecognizerResult(names[span.label], span.start, span.end, 1.0 if span.score is None else span.score)
                for span in prediction.spans
                if not entities or names[span.label] in entities
            ]

    supported = list(dict.fromkeys(names.values()))
    return Recognizer(supported_entities=supported, name=f"deidlab {system.name}", supported_language=language)
