"""The template language, on templates one can see."""

import random

import pytest

from deidlab.synthesis.grammar import Grammar, Mention, Shares, expand
from deidlab.types import ConfigError


def text(sources, start="start", scope=None, seed=0, **more):
    grammar = Grammar.compile(sources)
    return "".join(str(p) for p in expand(grammar.symbols[start], scope or {}, random.Random(seed), **more))


def every(sources, n=200):
    return {text(sources, seed=i) for i in range(n)}


def test_choices_nest_and_may_be_empty():
    assert every({"start": ["a[b|c[d|]|]e"]}) == {"abe", "acde", "ace", "ae"}


def test_symbols_capitals_and_escapes():
    assert text({"start": ["{^drug}, \\[sic\\]."], "drug": ["aspirin"]}) == "Aspirin, [sic]."


def test_numbers_keep_their_range_and_decimals():
    assert every({"start": ["{#1-3}"]}) == {"1", "2", "3"}
    assert every({"start": ["{#0.9-1.1}"]}) == {"0.9", "1.0", "1.1"}
    assert every({"start": ["{#10-20/5}"]}) == {"10", "15", "20"}


def test_lists_differ_and_are_joined():
    found = every({"start": ["{2-3 x;}"], "x": ["p", "q", "r"]})
    assert "p and q" in found and "p, q, and r" in found and "p and p" not in found
    assert every({"start": ["{2-2 x>}"], "x": ["p", "q", "r"]}) == {"p q", "p r", "q r"}
    assert text({"start": ["{2-2 x*}"], "x": ["p"] * 2}, bullet="1") == "1. P\n2. P"


def test_mentions_stay_open_and_fields_come_from_the_scope():
    grammar = Grammar.compile({"start": ["{pt.full} has {c.name}"]})
    assert expand(grammar.symbols["start"], {"name": ["gout"]}, random.Random(0)) == [
        Mention("pt", "full"), " has ", "gout",
    ]  # fmt: skip


def test_splits_share_no_long_template():
    templates = [f"sentence number {i}" for i in range(40)]
    shares = Shares(validation=0.1, test=0.2)
    kept = {split: set(shares.keep(templates, split)) for split in ("train", "validation", "test")}
    assert [len(kept[s]) for s in ("train", "validation", "test")] == [28, 4, 8]
    assert not kept["train"] & kept["test"] and not kept["train"] & kept["validation"]
    assert shares.keep(templates, None) == templates
    assert shares.keep(templates[:3], "test") == templates[:3], "a short list serves every split"


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"start refers to the unknown symbol 'drgu'; did you mean 'drug'\?"):
        Grammar.compile({"start": ["{drgu}"], "drug": ["x"]})
    with pytest.raises(ConfigError, match=r"open '\['"):
        Grammar.compile({"start": ["[a|b"]})
    with pytest.raises(ConfigError, match="expected 0 <= share"):
        Shares(test=0.9)
