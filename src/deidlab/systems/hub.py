"""Any token classifier on the hub, with its own labels, on our windows and our decoder: nothing is truncated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from transformers import AutoModelForTokenClassification, PreTrainedModel

from deidlab.decoding import Decoder
from deidlab.encoding import Encoder
from deidlab.hardware import Precision, pick_device
from deidlab.hub import quiet_transformers, readable_weights
from deidlab.inference import score
from deidlab.labels import OUTSIDE, PREFIXES, LabelSet
from deidlab.models import Backbone, position_limit
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, TokenScores

SCHEMES = ("BIO", "BILOU", "BIOES")  # tried in this order: the first that has all prefixes of a model


@dataclass(frozen=True)
class HubSystem:
    """`own` are the model's labels under its scheme, `mapping` turns them into types of `labels` or O.

    `columns` (own tags,) says which output of the model stands for each of our tags, -1 where it has none.
    """

    labels: LabelSet
    own: LabelSet
    columns: np.ndarray
    mapping: Mapping[str, str]
    model: PreTrainedModel
    encoder: Encoder
    outside_bias: float = 0.0
    batch_tokens: int = 8192
    precision: Precision = "auto"
    losses: Losses = field(default_factory=Losses)
    name: str = "hub"

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order."""
        asked: list[Document] = []

        def noted() -> Iterator[Document]:
            for document in documents:
                asked.append(document)
                yield document

        decoder = Decoder(self.own, self.outside_bias)
        scores = score(self.model, self.encoder, noted(), batch_tokens=self.batch_tokens, precision=self.precision)
        for one in scores:
            document = asked.pop(0)
            spans = (replace(s, label=self.mapping[s.label]) for s in decoder(self._in_our_order(one)))
            kept = tuple(span for span in spans if span.label != OUTSIDE)
            yield Prediction(document.id, kept, document.fingerprint)

    def _in_our_order(self, scores: TokenScores) -> TokenScores:
        ours = np.where(self.columns >= 0, scores.log_probs[:, self.columns], -np.inf).astype(np.float32)
        return replace(scores, log_probs=ours)


def load(
    pretrained: str,
    labels: LabelSet,
    vocabulary: str = "own",
    label_map: Mapping[str, str] | None = None,
    revision: str | None = None,
    licence: str = "unknown",
    outside: str = OUTSIDE,
    max_length: int | None = None,
    stride: int = 64,
    unit: str = "word",
    outside_bias: float = 0.0,
    batch_tokens: int = 8192,
    precision: Precision = "auto",
    device: str = "auto",
) -> HubSystem:
    """Load a hub id or a local folder.

    `label_map` turns the model's labels into those of `vocabulary` ("own": into the types of the evaluation), which
    the label set maps on; `outside` is what the model calls no entity. Raises `ConfigError` when the weights are not to
    be had or the labels say nothing, and `DataError` that lists the labels without a place.
    """
    backbone = Backbone(pretrained, max_length or 512, stride, unit, revision, licence)
    source = located(backbone)
    with quiet_transformers(), readable_weights(pretrained):
        model = AutoModelForTokenClassification.from_pretrained(
            source, revision=revision, use_safetensors=True, trust_remote_code=False, dtype="float32"
        )
    outputs = [str(model.config.id2label[i]) for i in range(model.config.num_labels)]
    own, columns = own_labels(pretrained, outputs, outside)
    mapping = mapped(own.types, labels, vocabulary, label_map or {})
    if max_length is None:
        longest = min(512, position_limit(model.config) or 512)
        backbone = replace(backbone, max_length=longest, stride=min(stride, longest // 4))
    model.eval().to(pick_device(device))  # type: ignore[arg-type]
    return HubSystem(
        labels, own, columns, mapping, model, backbone.encoder(source), outside_bias, batch_tokens, precision,
        name=pretrained if not Path(pretrained).is_dir() else Path(pretrained).name,
    )  # fmt: skip


def located(backbone: Backbone) -> str:
    """Where the weights are; an error names the setting of a system, not that of training."""
    try:
        return backbone.locate()
    except ConfigError as error:
        raise ConfigError(str(error).replace("model.pretrained", "system.pretrained")) from error


def own_labels(model: str, outputs: list[str], outside: str = OUTSIDE) -> tuple[LabelSet, np.ndarray]:
    """A model's labels as a label set, and for each of its tags the model's output that stands for it, -1 for none.

    Understands BIO, BIOES and BILOU, with "-" or "_" after the prefix, IO, and labels without prefixes (read as IO).
    Raises `ConfigError` when the model has no output for `outside`, or names that say nothing (LABEL_0).
    """
    if outside not in outputs:
        raise ConfigError(f"{model} has no label {outside!r} for no entity: set system.outside to one of {outputs}")
    inside = [name for name in outputs if name != outside]
    if not inside or all(name.startswith("LABEL_") for name in inside):
        raise ConfigError(f"{model} does not say what its labels mean ({', '.join(outputs[:5])}): it cannot be mapped")
    parts = [(name[0], name[2:]) if name[1:2] in ("-", "_") and name[0] in "BIOLUES" else ("", name) for name in inside]
    prefixes = {prefix for prefix, _ in parts}
    possible = (s for s in SCHEMES if prefixes <= set(PREFIXES[s]))
    scheme = "IO" if prefixes <= {"", "I"} else next(possible, None)
    if scheme is None:
        raise ConfigError(f"{model} mixes the prefixes {', '.join(sorted(prefixes))}: no scheme has them all")
    own = LabelSet("own", tuple(dict.fromkeys(kind for _, kind in parts)), scheme)  # type: ignore[arg-type]
    column_of = {
        f"{prefix or 'I'}-{kind}": outputs.index(name) for name, (prefix, kind) in zip(inside, parts, strict=True)
    }
    column_of[OUTSIDE] = outputs.index(outside)
    return own, np.array([column_of.get(tag, -1) for tag in own.tags])


def mapped(types: Iterable[str], labels: LabelSet, vocabulary: str, label_map: Mapping[str, str]) -> dict[str, str]:
    """Each of a model's types as a type of `labels` or O. Raises `DataError` that lists those without a place."""
    named = {kind: label_map.get(kind, kind) for kind in types}
    if extra := sorted(set(label_map) - set(named)):
        raise ConfigError(f"system.label_map names {', '.join(extra)}; the model's labels are {', '.join(named)}")
    try:
        known = labels.mapping_for(
            vocabulary, [name for name in named.values() if name != OUTSIDE], setting="system.label_map"
        )
    except DataError as error:
        raise DataError(f"{error}. Labels of the model: {', '.join(named)}") from None
    return {kind: OUTSIDE if name == OUTSIDE else known[name] for kind, name in named.items()}
