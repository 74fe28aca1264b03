"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


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
FAMILIES = ("bert", "roberta", "longformer", "deberta")


@pytest.fixture(scope="session")
def tiny_backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny random-weight encoders with their families' kinds of tokenizer, as a hub would hand them out."""
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
            config = AutoConfig.for_model("deberta-v2", max_position_embeddings=64, relative_attention=True,
                                          pos_att_type=["p2c", "c2p"], position_biased_input=False, **shape)  # fmt: skip
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


def train_tokenizer(family: str) -> tuple[object, dict[str, str]]:
    """A tokenizer of the family's kind, trained on a sentence: WordPiece, byte-level BPE or Unigram (SentencePiece)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    if family in ("roberta", "longformer"):
        special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
                   "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}  # fmt: skip
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)  # fmt: skip
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
