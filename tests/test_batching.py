"""Batches: little padding, every window once an epoch, and nothing counted twice or lost between processes."""

import random

import numpy as np
import pytest
import torch

from deidlab.batching import LengthBatches, epoch_steps, feed, subwords_of
from deidlab.random_backbones import RandomBackbone
from deidlab.types import Window


def make_windows(lengths):
    return [
        Window(f"d{i}", 0, 0, n, np.full(n, 7, np.int32), np.full(n, i % 2, np.int32)) for i, n in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def encoder():
    return RandomBackbone("bert", max_length=256, stride=8).encoder("")


@pytest.fixture(scope="module")
def windows():
    """As many and as long as those of 500 notes of one to four windows of at most 256 subwords."""
    rng = random.Random(0)
    return make_windows(
        [length for _ in range(500) for length in (*[254] * rng.randint(0, 3), rng.randint(10, 254))]
    )  # fmt: skip


def test_padding_stays_under_five_percent(windows, encoder):
    for budget in (1024, 2048, 8192):
        steps = epoch_steps(windows, LengthBatches(windows, budget, 0).plan(1), encoder, 1)
        share = 1 - sum(s.tokens for s in steps) / sum(s.padded for s in steps)
        assert share < 0.05, (budget, share)


def test_the_stated_padding_is_that_of_the_tensors(windows, encoder):
    steps = epoch_steps(windows, LengthBatches(windows, 2048, 0).plan(1)[:20], encoder, 1)
    for step, (batch,) in feed(steps, encoder, torch.device("cpu")):
        assert batch["input_ids"].numel() == step.padded
        assert int(batch["attention_mask"].sum()) == step.tokens


def test_every_id_that_a_model_is_fed_is_among_the_subwords(windows, encoder):
    some = windows[:40]
    steps = epoch_steps(some, LengthBatches(some, 2048, 0).plan(1), encoder, 1)
    fed = {
        int(i) for _, (batch,) in feed(steps, encoder, torch.device("cpu"), 300) for i in batch["input_ids"].unique()
    }
    assert fed == set(subwords_of(some, encoder).tolist())


def test_padding_to_a_length_pads_every_batch_to_it(windows, encoder):
    steps = epoch_steps(windows[:40], LengthBatches(windows[:40], 2048, 0).plan(1), encoder, 1, pad_to=300)
    for step, (batch,) in feed(steps, encoder, torch.device("cpu"), pad_to=300):
        assert batch["input_ids"].shape[1] == 300 and batch["input_ids"].numel() == step.padded


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_processes_share_a_step_and_count_each_label_once(windows, encoder, processes):
    windows = windows[:101]
    plan = LengthBatches(windows, 512, 0).plan(1)
    alone = epoch_steps(windows, plan, encoder, processes)
    shares = [epoch_steps(windows, plan, encoder, processes, p, processes) for p in range(processes)]
    assert len({len(alone), *map(len, shares)}) == 1, "all take equally many steps"
    for number, whole in enumerate(alone):
        dealt = [window for share in shares for batch in share[number].batches for window in batch]
        labelled = [window for window in dealt if (window.labels >= 0).any()]
        assert sorted(w.document_id for w in labelled) == sorted(w.document_id for w in whole.everyone)
        assert all(share[number].batches for share in shares), "a process without a batch would hang the others"
        assert {share[number].tokens for share in shares} == {whole.tokens}


def test_an_error_names_a_few_documents_and_counts_the_rest(windows, encoder):
    (step,) = epoch_steps(windows[:12], [list(range(12))], encoder, 1)
    assert step.mentioned() == "d0, d1, d10, d11, d2, d3, d4, d5 and 4 more"
