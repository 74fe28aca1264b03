"""Microsoft Presidio as a system: its recognisers over the whole note, with a spaCy model or with patterns only."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deidlab.labels import OUTSIDE, LabelSet
from deidlab.merging import union
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

INSTALL = 'system=presidio needs the extra: pip install -c constraints.txt -e ".[presidio]"'


@dataclass(frozen=True)
class PresidioSystem:
    """`mapping` turns Presidio's entities into types of `labels` or O; entities mapped to O are not looked for."""

    labels: LabelSet
    analyzer: Any
    mapping: Mapping[str, str]
    language: str = "en"
    threshold: float = 0.0
    losses: Losses = field(default_factory=Losses)
    name: str = "presidio"

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order; raises `DataError` for a note that Presidio fails on."""
        wanted = [entity for entity, label in self.mapping.items() if label != OUTSIDE]
        for document in documents:
            try:
                found = self.analyzer.analyze(
                    document.text, self.language, entities=wanted, score_threshold=self.threshold
                )
            except Exception as error:  # whatever it is, its message may quote the note
                raise DataError(f"{document.id}: Presidio failed on this note ({type(error).__name__})") from None
            spans = [Span(one.start, one.end, self.mapping[one.entity_type], float(one.score)) for one in found]
            merged = union([spans])
            for label in merged.widened:
                self.losses.count("merged_extents", label)
            yield Prediction(document.id, merged.spans, document.fingerprint)


def load(
    labels: LabelSet,
    label_map: Mapping[str, str],
    vocabulary: str = "i2b2_2014",
    language: str = "en",
    spacy_model: str | None = None,
    threshold: float = 0.0,
) -> PresidioSystem:
    """Presidio's own recognisers for a language: with a spaCy model, names and places too; without, patterns only.

    `label_map` turns its entities into labels of `vocabulary`. Raises `ConfigError` without the extra, for a model that
    is not installed, and for entities of the language that `label_map` misses.
    """
    analyzer, entities = build(language, spacy_model)
    if missing := sorted(set(entities) - set(label_map)):
        raise ConfigError(
            f"system.label_map has no place for these entities of Presidio: {', '.join(missing)}. Map each to a "
            f"label of {vocabulary} or to O: +system.label_map.{missing[0]}=O ..."
        )
    used = {entity: label_map[entity] for entity in entities}
    known = labels.mapping_for(vocabulary, set(used.values()) - {OUTSIDE}, setting="system.label_map")
    mapping = {entity: OUTSIDE if label == OUTSIDE else known[label] for entity, label in used.items()}
    name = f"presidio ({spacy_model or 'patterns only'}, {language})"
    return PresidioSystem(labels, analyzer, mapping, language, threshold, name=name)


def build(language: str, spacy_model: str | None) -> tuple[Any, list[str]]:
    """An analyzer for a language and the entities it knows; nothing is downloaded."""
    try:
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError as error:
        raise ConfigError(f"{INSTALL} ({error.name} is missing)") from None
    # It logs what it decides about every recogniser; and its domains are checked with the list it ships, no request.
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    if spacy_model and not spacy.util.is_package(spacy_model):
        raise ConfigError(
            f"system.spacy_model={spacy_model} is not installed: `python -m spacy download {spacy_model}` where GitHub "
            "is reachable, or system.spacy_model=null for Presidio's patterns only"
        )
    engine: Any = SpacyNlpEngine(models=[{"lang_code": language, "model_name": spacy_model or "blank"}])
    # A blank pipeline splits words, which is all that patterns and their context words need.
    engine.nlp = {language: spacy.load(spacy_model) if spacy_model else spacy.blank(language)}
    engine.nlp[language].max_length = 100_000_000  # of a note, in characters
    registry = RecognizerRegistry(supported_languages=[language])
    registry.load_predefined_recognizers(languages=[language], nlp_engine=engine if spacy_model else None)  # type: ignore[arg-type]
    if not spacy_model:
        registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])
    return analyzer, sorted(analyzer.get_supported_entities(language))
