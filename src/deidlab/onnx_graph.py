"""A trained model -> an ONNX graph, in fp32 or with products in 8 bits."""

from __future__ import annotations

import importlib.util
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from deidlab.adapters import is_adapted
from deidlab.checkpoints import Checkpoint
from deidlab.types import ConfigError

OPSET = 20  # the first with GELU as one operator
NEEDED = ("onnxruntime", "onnx", "onnxscript")
# Log-probabilities of the graph may differ by so much from the model's: fp32 sums in another order.
TOLERANCE = 1e-3


class Logits(nn.Module):
    """A model as a function of its inputs in order, which is what the exporter traces."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits


def write_graph(checkpoint: Checkpoint, file: Path) -> None:
    """Write the model as a graph with free batch and sequence lengths; adapters are merged into its weights.

    Raises `ConfigError` for a model that has no faithful graph (a CRF's head, a Longformer, an architecture that the
    exporter of PyTorch cannot trace), and when the graph does not compute what the model does.
    """
    require_tools()
    model = checkpoint.model
    if hasattr(model, "crf"):
        raise ConfigError("a model with a CRF (model.head=crf) cannot be exported: its posteriors are no graph; use it "
                          "as a checkpoint, or train with model.head=linear")  # fmt: skip
    if model.config.model_type == "longformer":
        raise ConfigError("a Longformer cannot be exported: its attention in chunks depends on the length of a note; "
                          "use it as a checkpoint")  # fmt: skip
    if is_adapted(model):
        model = model.merge_and_unload()  # type: ignore[operator]  # a method of peft's, which transformers knows not
    model = model.cpu().float().eval()
    if getattr(model.config, "_attn_implementation", None) in ("sdpa", "deidlab_short"):
        model.set_attn_implementation("eager")  # products and a softmax, which ONNX Runtime fuses; SDPA adds guards
    names = ("input_ids", "attention_mask", *(("token_type_ids",) if checkpoint.encoder.word_shapes else ()))
    trace(model, names, file)
    if (off := difference(model, names, file)) > TOLERANCE:
        file.unlink()
        raise ConfigError(f"the graph of this {model.config.model_type} differs from the model by {off:.2g} in "
                          f"log-probability (at most {TOLERANCE:g} is allowed): use it as a checkpoint")  # fmt: skip


def require_tools() -> None:
    """Raise `ConfigError` unless everything that exporting takes is installed."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise ConfigError(f'exporting needs {", ".join(missing)}: pip install "deidlab[export]"')


def trace(model: Any, names: tuple[str, ...], file: Path) -> None:
    """Write the graph of a model that takes inputs of these names; `ConfigError` where the exporter gives up."""
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Logits(model, names), sample(names, 2, 12, model.config.vocab_size), file, input_names=list(names),
                output_names=["logits"], opset_version=OPSET, dynamic_shapes=((free,) * len(names),), dynamo=True,
                external_data=False, verbose=False,
            )  # fmt: skip
    except Exception as error:
        # The exporter's message is pages long.
        raise ConfigError(f"PyTorch cannot export this {model.config.model_type} ({type(error).__name__}): use it as a "
                          "checkpoint") from None  # fmt: skip


def sample(names: tuple[str, ...], rows: int, length: int, vocabulary: int) -> tuple[torch.Tensor, ...]:
    """Inputs of random tokens; the last row is half padding."""
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(5, vocabulary, (rows, length), generator=drawn)
    mask = torch.ones_like(ids)
    mask[-1, (length + 1) // 2 :] = 0
    known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids % 2}
    return tuple(known[name] for name in names)


@torch.inference_mode()
def difference(model: Any, names: tuple[str, ...], file: Path) -> float:
    """Largest difference in log-probability between model and graph over batches of several shapes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    for rows, length in ((1, 5), (3, 17), (2, 40)):
        inputs = dict(zip(names, sample(names, rows, length, model.config.vocab_size), strict=True))
        (logits,) = session.run(["logits"], {name: value.numpy() for name, value in inputs.items()})
        seen = inputs["attention_mask"].bool()
        ours, theirs = (torch.log_softmax(x[seen], -1) for x in (model(**inputs).logits, torch.from_numpy(logits)))
        worst = max(worst, float((ours - theirs).abs().max()))
    return worst if np.isfinite(worst) else float("inf")


def quantize(source: Path, target: Path) -> None:
    """Write a graph whose products with weights are in 8 bits; activations are scaled as they come.

    Weights are scaled per output channel and keep to 7 bits: processors without VNNI add two products in 16 bits,
    which 8 would overflow. The embeddings and the last product, which cost little, stay in fp32.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        prepared = Path(folder) / source.name
        quant_pre_process(str(source), str(prepared), skip_optimization=True, skip_symbolic_shape=True)
        products = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "MatMul"]
        logging.getLogger().addFilter(_no_advice)
        quantize_dynamic(
            str(prepared), str(target), op_types_to_quantize=["MatMul"], nodes_to_exclude=products[-1:],
            per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
        )  # fmt: skip
        logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()
