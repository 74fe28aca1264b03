"""Fixtures that every test may use."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Tests run side by side (pytest-xdist) and start runs of their own: threads of each would wait for the others'.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from deidlab.labels import LabelSet
from deidlab.types import Document, Span


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the tests that take minutes too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--run-slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes; run with --run-slow"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared corpora and parity cases (`DEIDLAB_DATA`), which no test copies and some need."""
    folder = Path(os.environ.get("DEIDLAB_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(
            f"shared data not found at {folder}; set DEIDLAB_DATA to the folder that holds meddocan/ and parity/"
        )
    return folder


WORDS = (
    "the patient Mr Smith aged 54 was seen on 03/04/2012 by Dr Jones at Mercy Hospital in Boston and was given aspirin "
    "81 mg daily for chest pain phone 555 0199 MRN 1234567 she lives at 12 Oak Street with her daughter Anne O'Neil"
)
FAMILIES = ("bert", "roberta", "longformer", "deberta", "llama")


@pytest.fixture(scope="session")
def tiny_backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny random-weight models with their families' kinds of tokenizer, as a hub would hand them out."""
    root = tmp_path_factory.mktemp("backbones")
    return {family: save_tiny(family, root / family) for family in FAMILIES}


def save_tiny(family: str, folder: Path) -> Path:
    import torch
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    tokenizer, special = train_tokenizer(family)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    shape = {"vocab_size": len(wrapped), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
             "intermediate_size": 64, "pad_token_id": wrapped.pad_token_id}  # fmt: skip
    match family:
        case "bert":
            config = AutoConfig.for_model("bert", max_position_embeddings=64, **shape)
        case "roberta":
            config = AutoConfig.for_model("roberta", max_position_embeddings=66, **shape)
        case "longformer":
            config = AutoConfig.for_model("longformer", max_position_embeddings=258, attention_window=[16, 16], **shape)
        case "deberta":
            relative = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
            config = AutoConfig.for_model("deberta-v2", max_position_embeddings=64, **relative, **shape)
        case "llama":
            config = AutoConfig.for_model("llama", max_position_embeddings=128, num_key_value_heads=2, **shape)
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


def train_tokenizer(family: str) -> tuple[object, dict[str, str]]:
    """A tokenizer of the family's kind, trained on a sentence: WordPiece, byte-level BPE or Unigram (SentencePiece)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    if family in ("roberta", "longformer", "llama"):
        special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
                   "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}  # fmt: skip
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    else:
        special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]",
                   "mask_token": "[MASK]"}  # fmt: skip
        marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        if family == "bert":
            tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
            tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
            tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=marks, show_progress=False)
        else:
            tokenizer = Tokenizer(models.Unigram())
            tokenizer.normalizer = normalizers.NFKC()
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
            trainer = trainers.UnigramTrainer(
                vocab_size=200, special_tokens=marks, unk_token="[UNK]", show_progress=False
            )
    tokenizer.train_from_iterator([WORDS, WORDS.lower()], trainer)
    first, last = (special["cls_token"], special["sep_token"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(t, tokenizer.token_to_id(t)) for t in (first, last)]
    )
    return tokenizer, special


@pytest.fixture(scope="session")
def tiny_labels() -> LabelSet:
    """Four of the i2b2 2014 types, under the scheme of that label set."""
    return LabelSet("tiny", ("PATIENT", "DOCTOR", "AGE", "DATE"), "BIO")


@pytest.fixture
def untrained(tiny_backbones: dict[str, Path], tiny_labels: LabelSet) -> Callable[..., Any]:
    """Makes a checkpoint of a tiny model of some family that knows nothing yet."""
    from deidlab.checkpoints import Checkpoint
    from deidlab.decoding import Decoder
    from deidlab.models import Backbone

    def made(family: str = "bert", labels: LabelSet = tiny_labels, seed: int = 42) -> Checkpoint:
        backbone = Backbone(str(tiny_backbones[family]), max_length=64, stride=16)
        source = backbone.locate()
        return Checkpoint(backbone.model(source, labels, seed), backbone.encoder(source), Decoder(labels))

    return made


@pytest.fixture(scope="session")
def obvious_notes() -> Callable[..., list[Document]]:
    """Notes whose identifiers stand where a title or a word announces them; no two with the same spans."""
    return make_obvious_notes


def make_obvious_notes(number: int, seed: int = 0, prefix: str = "n") -> list[Document]:
    rng = random.Random(seed)
    notes = []
    for i in range(number):
        parts = [("the patient Mr ", None), (rng.choice(("Smith", "Jones", "Neil", "Mercy")), "PATIENT")]
        if rng.random() < 0.8:
            parts += [(" aged ", None), (str(rng.randint(20, 89)), "AGE")]
        parts += [(" was seen on ", None), (f"{rng.randint(1, 12):02}/{rng.randint(1, 28):02}/2012", "DATE")]
        if rng.random() < 0.8:
            parts += [(" by Dr ", None), (rng.choice(("Oak", "Boston", "Anne", "Street")), "DOCTOR")]
        parts.append((rng.choice((" for chest pain", " and was given aspirin", " with her daughter")), None))
        notes.append(annotated(f"{prefix}{i}", parts))
    return notes


def annotated(document_id: str, parts: list[tuple[str, str | None]]) -> Document:
    """A document from stretches of text with their labels."""
    text, spans = "", []
    for stretch, label in parts:
        if label:
            spans.append(Span(len(text), len(text) + len(stretch), label))
        text += stretch
    return Document(document_id, text, tuple(spans))
