"""An exported model as a system: the same windows, scores and decoding as a checkpoint, without PyTorch."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from deidlab.decoding import Decoder
from deidlab.encoding import Encoded, Encoder
from deidlab.labels import LabelSet
from deidlab.stitching import Forward, score_documents
from deidlab.types import ConfigError, Document, Losses, Prediction, Window

# On a processor ONNX Runtime's sum and norm in one (1.31) takes five times what the two take apart: a quarter of
# a forward pass in 8 bits.
SLOW_ON_CPU = ["SkipLayerNormFusion"]
# The files of an exported folder.
GRAPH, TOKENIZER, SIDECAR = "model.onnx", "tokenizer.json", "deidlab.json"


@dataclass(frozen=True)
class OnnxSystem:
    """Scores windows of many documents at once in ONNX Runtime and decodes them as they come."""

    forward: Forward
    encoder: Encoder
    decoder: Decoder
    batch_tokens: int = 2048
    losses: Losses = field(default_factory=Losses)
    name: str = "onnx"

    @property
    def labels(self) -> LabelSet:
        """The label set that the predictions carry."""
        return self.decoder.labels

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order."""
        to_score, to_name = tee(documents)
        scores = score_documents(to_score, self.encoder, self.forward, len(self.labels.tags), self.batch_tokens)
        for document, one in zip(to_name, scores, strict=True):
            yield self.decoder.prediction(document, one)

    def subwords(self, documents: Sequence[Document]) -> Iterator[np.ndarray]:
        """Character bounds of each document's subwords, (subwords, 2), for metrics that are defined over them."""
        return self.encoder.subwords(documents)


def load(
    path: str | Path,
    batch_tokens: int = 2048,
    threads: int | None = None,
    decoding: dict[str, Any] | None = None,
    labels: LabelSet | None = None,
) -> OnnxSystem:
    """Load a folder that `deidlab export --onnx` wrote; `decoding` overrides the stored settings of the decoder.

    `threads` are those of ONNX Runtime, all cores if not given. `labels`, those of the evaluation, are not needed.
    Raises `ConfigError` where there is no such folder, or no ONNX Runtime.
    """
    folder = Path(path)
    if missing := [name for name in (GRAPH, TOKENIZER, SIDECAR) if not (folder / name).is_file()]:
        raise ConfigError(f"{folder} holds no {missing[0]}: give a folder that `deidlab export RUN --onnx` wrote")
    sidecar = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
    return OnnxSystem(
        runtime(folder / GRAPH, threads),
        Encoder(Tokenizer.from_file(str(folder / TOKENIZER)), **sidecar["encoding"]),
        Decoder.stored(LabelSet(**sidecar["labels"]), sidecar["decoding"], **(decoding or {})),
        batch_tokens,
    )


def runtime(graph: Path, threads: int | None = None) -> Forward:
    """The graph of a file as a function of arrays, on a GPU where ONNX Runtime can use one."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise ConfigError('an exported model needs ONNX Runtime: pip install "deidlab[serve]"')
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # errors only
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    wanted, there = ("CUDAExecutionProvider", "CPUExecutionProvider"), onnxruntime.get_available_providers()
    providers = [provider for provider in wanted if provider in there]
    slow = SLOW_ON_CPU if providers == ["CPUExecutionProvider"] else []
    session = onnxruntime.InferenceSession(str(graph), options, providers=providers, disabled_optimizers=slow)
    takes = [one.name for one in session.get_inputs()]

    def forward(inputs: dict[str, np.ndarray], asked: np.ndarray, rows: Sequence[tuple[Window, Encoded]]) -> np.ndarray:
        (logits,) = session.run(["logits"], {name: inputs[name] for name in takes})
        logits = logits[asked]
        shifted = logits - logits.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    return forward
