"""A GLiNER model as a system: it finds what the names of its labels describe, in windows that cover the whole note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deidlab.encoding import cut_windows
from deidlab.hub import readable_weights, require_hub
from deidlab.labels import OUTSIDE, LabelSet
from deidlab.merging import union
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span
from deidlab.word_bounds import word_bounds

INSTALL = 'system=gliner needs the extra: pip install -c constraints.txt -e ".[gliner]"'


@dataclass(frozen=True)
class GlinerSystem:
    """`mapping` turns the labels that the model is asked for into types of `labels`; windows count our words."""

    labels: LabelSet
    model: Any
    mapping: Mapping[str, str]
    words: int
    stride: int
    threshold: float = 0.5
    losses: Losses = field(default_factory=Losses)
    name: str = "gliner"

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order; raises `DataError` for a note that the model fails on."""
        for document in documents:
            try:
                sources = [list(self._window(document, *window)) for window in self._windows(document.text)]
            except DataError:
                raise
            except Exception as error:  # whatever it is, its message may quote the note
                raise DataError(f"{document.id}: GLiNER failed on this note ({type(error).__name__})") from None
            merged = union(sources)
            for label in merged.widened:
                self.losses.count("merged_extents", label)
            yield Prediction(document.id, merged.spans, document.fingerprint)

    def _windows(self, text: str) -> Iterator[tuple[int, int, int, int]]:
        """Windows as characters: start, end, and where the identifiers begin that this window answers for."""
        bounds = word_bounds(text)
        if not len(bounds):
            return
        starts = np.append(bounds[:, 0], len(text))
        for first, end, core_start, core_end in cut_windows(
            len(bounds), self.words, self.stride, np.arange(len(bounds))
        ):
            yield int(starts[first]), int(bounds[end - 1, 1]), int(starts[core_start]), int(starts[core_end])

    def _window(self, document: Document, start: int, end: int, core_start: int, core_end: int) -> Iterator[Span]:
        text = document.text[start:end]
        self._check_length(document, text)
        (found,) = self.model.inference([text], list(self.mapping), threshold=self.threshold)
        for one in found:
            span = Span(start + one["start"], start + one["end"], self.mapping[one["label"]], float(one["score"]))
            if core_start <= span.start < core_end:
                yield span

    def _check_length(self, document: Document, text: str) -> None:
        """Its tokenizer would cut what is too long without a word: that is an error here."""
        processor = self.model.data_processor
        tokenizer = processor.transformer_tokenizer
        # Its words are not ours: it parts one at every combining mark.
        words = [one if isinstance(one, str) else one[0] for one in processor.words_splitter(text)]
        if len(words) > self.model.config.max_len:
            raise DataError(
                f"{document.id}: a window of {self.words} words is {len(words)} as the model counts, and it takes "
                f"{self.model.config.max_len}: lower system.words"
            )
        asked = sum(len(tokenizer.tokenize(label)) + 1 for label in self.mapping)
        length = sum(len(tokenizer.tokenize(word)) for word in words) + asked + 3
        limits = (
            tokenizer.model_max_length,
            getattr(self.model.config.encoder_config, "max_position_embeddings", None),
        )
        limit = min(limit for limit in limits if limit)
        if length > limit:
            raise DataError(
                f"{document.id}: a window of {self.words} words is {length} subwords with the labels, the model takes "
                f"{limit}: lower system.words"
            )


def load(
    pretrained: str,
    labels: LabelSet,
    label_map: Mapping[str, str],
    vocabulary: str = "i2b2_2014",
    revision: str | None = None,
    words: int = 200,
    stride: int = 40,
    threshold: float = 0.5,
) -> GlinerSystem:
    """Load a GLiNER model from the hub or a folder; it is asked for the keys of `label_map`.

    Their values are labels of `vocabulary`. Raises `ConfigError` without the extra or the weights, for weights that are
    pickled, and for windows that the model cannot take, and `DataError` for labels without a place.
    """
    known = labels.mapping_for(vocabulary, set(label_map.values()), setting="system.label_map")
    mapping = {asked: known[label] for asked, label in label_map.items() if known[label] != OUTSIDE}
    if not mapping:
        raise ConfigError(f"system.label_map asks GLiNER for nothing that {labels.name} has a type for")
    try:
        from gliner import GLiNER
    except ImportError as error:
        raise ConfigError(f"{INSTALL} ({error.name} is missing)") from None
    with readable_weights(pretrained):
        model = GLiNER.from_pretrained(str(located(pretrained, revision)), local_files_only=True)
    most = model.config.max_len
    if not stride < words <= most:
        raise ConfigError(f"system.words={words}: expected more than the stride ({stride}) and at most {most}")
    return GlinerSystem(labels, model.eval(), mapping, words, stride, threshold, name=Path(pretrained).name)


def located(pretrained: str, revision: str | None) -> Path:
    """The folder of a model, fetched without what is pickled; raises `ConfigError` where there is none."""
    folder = Path(pretrained)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        require_hub(pretrained, revision, None)
        wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
        folder = Path(snapshot_download(pretrained, revision=revision, allow_patterns=wanted))
    if not (folder / "model.safetensors").is_file():  # it would take what is pickled instead
        raise OSError("no model.safetensors")
    return folder
