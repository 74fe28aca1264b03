"""The CRF against every tag sequence there is."""

import itertools

import numpy as np
import pytest
import torch

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.crf import LinearChainCRF, left_packed
from deidlab.decoding import Decoder
from deidlab.inference import score
from deidlab.models import Backbone

TAGS = 3


@pytest.fixture
def crf():
    torch.manual_seed(0)
    crf = LinearChainCRF(TAGS).double()
    crf.transitions.data = torch.randn(TAGS, TAGS, dtype=torch.double)
    return crf


def every_sequence(crf, emissions, length):
    """Scores of all sequences of a row."""
    return {
        tags: sum(emissions[i, t] for i, t in enumerate(tags))
        + sum(crf.transitions[a, b] for a, b in itertools.pairwise(tags))
        for tags in itertools.product(range(TAGS), repeat=length)
    }


def test_the_likelihood_is_the_share_of_the_sequence_among_all(crf):
    emissions, lengths = torch.randn(2, 4, TAGS, dtype=torch.double), torch.tensor([4, 2])
    tags = torch.tensor([[0, 2, 1, 1], [2, 0, -100, -100]])
    found = crf.negative_log_likelihood(emissions, tags, lengths)
    for row, length in enumerate(lengths.tolist()):
        all_scores = every_sequence(crf, emissions[row], length)
        total = torch.stack(list(all_scores.values())).logsumexp(0)
        assert torch.allclose(found[row], total - all_scores[tuple(tags[row, :length].tolist())])


def test_posteriors_are_the_share_of_sequences_through_a_tag(crf):
    emissions, lengths = torch.randn(2, 4, TAGS, dtype=torch.double), torch.tensor([4, 3])
    found = crf.log_posteriors(emissions, lengths)
    for row, length in enumerate(lengths.tolist()):
        all_scores = every_sequence(crf, emissions[row], length)
        total = torch.stack(list(all_scores.values())).logsumexp(0)
        for at, tag in itertools.product(range(length), range(TAGS)):
            through = torch.stack([s for tags, s in all_scores.items() if tags[at] == tag]).logsumexp(0)
            assert torch.allclose(found[row, at, tag], through - total)


def test_without_transitions_it_is_a_softmax():
    emissions = torch.randn(1, 5, TAGS)
    found = LinearChainCRF(TAGS).log_posteriors(emissions, torch.tensor([5]))
    assert torch.allclose(found, emissions.log_softmax(-1), atol=1e-6)


def test_left_packing_keeps_the_order_of_the_chosen():
    values = torch.arange(10).reshape(2, 5)
    chosen = torch.tensor([[False, True, False, True, True], [True, False, False, False, False]])
    packed, lengths, order = left_packed(values, chosen)
    assert lengths.tolist() == [3, 1] and packed[0].tolist() == [1, 3, 4] and packed[1, 0] == 5
    assert torch.equal(values.gather(1, order), packed)


def test_a_checkpoint_with_a_crf_scores_with_it_and_comes_back(tiny_backbones, tiny_labels, obvious_notes, tmp_path):
    notes = obvious_notes(5)
    backbone = Backbone(str(tiny_backbones["bert"]), 32, stride=8, head="crf")
    source = backbone.locate()
    one = Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))
    plain = [s.log_probs for s in score(one.model, one.encoder, notes)]
    torch.manual_seed(0)
    one.model.crf.transitions.data.normal_()
    before = [s.log_probs for s in score(one.model, one.encoder, notes)]
    one.save(tmp_path)
    after = [s.log_probs for s in score(load_checkpoint(tmp_path).model, one.encoder, notes)]
    for softmax, first, again in zip(plain, before, after, strict=True):
        assert np.allclose(np.exp(first).sum(1), 1, atol=1e-5)
        assert np.array_equal(first, again)
        assert not np.allclose(softmax, first)
