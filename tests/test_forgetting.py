"""What is not to be forgotten: weights that replayed notes need learn more slowly, and part of all is kept."""

from contextlib import nullcontext

import pytest
import torch

from deidlab.batching import encode_training
from deidlab.forgetting import blended, check_protection, importance, learning, shares_of_rate, slowed
from deidlab.inference import pad
from deidlab.objectives import Objective
from deidlab.types import ConfigError, Losses


@pytest.fixture
def asked(untrained, obvious_notes):
    """What the importance of weights is asked of: a checkpoint, windows to learn from, windows replayed, a loss."""
    checkpoint = untrained()
    new, old = (encode_training(checkpoint, obvious_notes(*how), Losses("count")) for how in ((3, 1), (6, 2)))
    return checkpoint, new, old, Objective().loss(new, len(checkpoint.labels.tags))


def test_importance_is_the_mean_squared_gradient_relative_to_all_weights(asked):
    checkpoint, new, _, loss = asked
    checkpoint.model.get_input_embeddings().weight.requires_grad_(False)
    found = importance(checkpoint, new, loss)
    weights = learning(checkpoint.model)
    assert [f.shape for f in found] == [w.shape for w in weights]
    numbers = torch.cat([f.flatten() for f in found])
    assert numbers.min() >= 0 and float(numbers.double().mean()) == pytest.approx(1, rel=1e-4)
    assert all(weight.grad is None for weight in weights), "nothing is left for the first step"

    # The bias of the head has a gradient that can be said by hand: probabilities less what is true, mean over units.
    squares = []
    for window in new:
        batch = pad([window], checkpoint.encoder)
        labels = batch.pop("labels")
        with torch.no_grad():
            chances = checkpoint.model(**batch).logits.softmax(-1)[labels >= 0]
        truth = torch.nn.functional.one_hot(labels[labels >= 0], chances.shape[-1])
        squares.append((chances - truth).mean(0) ** 2)
    by_hand = torch.stack(squares).sum(0)
    bias = next(f for f, w in zip(found, weights, strict=True) if w is checkpoint.model.classifier.bias)
    assert torch.allclose(bias / bias.sum(), by_hand / by_hand.sum(), rtol=1e-3, atol=1e-6)


def test_the_more_is_protected_the_more_slowly_weights_learn(asked):
    checkpoint, new, old, loss = asked
    little, much = (shares_of_rate(checkpoint, new, old, loss, by, nullcontext, 1) for by in (1.0, 100.0))
    for low, high in zip(much, little, strict=True):
        assert (low <= high).all() and low.min() >= 0 and high.max() <= 1
    assert sum(float(share.sum()) for share in much) < sum(float(share.sum()) for share in little)
    again = shares_of_rate(checkpoint, new, old, loss, 100.0, nullcontext, 1)
    assert all(torch.equal(one, other) for one, other in zip(much, again, strict=True))
    assert shares_of_rate(checkpoint, new, old, loss, 0.0, nullcontext, 1) == []


def test_the_fewer_windows_teach_the_more_is_protected(asked):
    checkpoint, new, old, loss = asked
    few, many = (shares_of_rate(checkpoint, some, old, loss, 10.0, nullcontext, 1) for some in (new, new * 4))
    assert sum(float(share.sum()) for share in few) < sum(float(share.sum()) for share in many)


def test_a_weight_that_no_window_asks_for_is_free(asked):
    checkpoint, new, old, loss = asked
    shares = shares_of_rate(checkpoint, new, old, loss, 50.0, nullcontext, 1)
    words = checkpoint.model.get_input_embeddings().weight
    share = next(s for s, w in zip(shares, learning(checkpoint.model), strict=True) if w is words)
    seen = {int(token) for window in (*new, *old) for token in window.input_ids}
    unseen = [number for number in range(len(words)) if number not in seen]
    special = set(checkpoint.encoder.tokenizer.all_special_ids)
    assert (share[[number for number in unseen if number not in special]] == 1).all()


def test_of_a_change_each_weight_keeps_its_share():
    model = torch.nn.Linear(2, 1, bias=False)
    before = model.weight.detach().clone()
    with slowed(model, [torch.tensor([[0.25, 1.0]])]), torch.no_grad():
        model.weight.add_(4.0)
    assert torch.allclose(model.weight, before + torch.tensor([[1.0, 4.0]]))
    with slowed(model, []), torch.no_grad():
        model.weight.zero_()
    assert not model.weight.any()


@pytest.mark.parametrize(
    "settings, said",
    [
        ((0.0, 0.0, ["a window"], False), r"training\.blend is 0"),
        ((1.5, 0.0, ["a window"], False), r"training\.blend is 1\.5"),
        ((1.0, -1.0, ["a window"], False), r"training\.protect is -1"),
        ((1.0, 0.5, [], False), r"replay=synthetic or replay=corpus, or set training\.protect=0"),
        ((1.0, 0.5, ["a window"], True), "FSDP"),
    ],
)
def test_what_cannot_be_kept_or_asked_is_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        check_protection(*settings)


def test_meanwhile_weights_lie_between_what_they_were_and_what_they_are():
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    start, bias = [p.detach().clone() for p in learning(model)], model.bias.clone()
    with torch.no_grad():
        model.weight.add_(4.0)
    learnt = model.weight.detach().clone()
    with pytest.raises(KeyError), blended(model, start, 0.75):
        assert torch.allclose(model.weight, start[0] + 3.0) and torch.equal(model.bias, bias)
        raise KeyError
    assert torch.equal(model.weight, learnt), "whatever happens meanwhile"
