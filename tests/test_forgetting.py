"""How much of what was learnt is kept: blended weights, and the search for the most that forgets little."""

import pytest
import torch

from deidlab.forgetting import STEPS, blended, check_forgetting, most_that_keeps, remembered
from deidlab.types import ConfigError


def test_meanwhile_weights_lie_between_what_they_were_and_what_they_are():
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    start, bias = remembered(model), model.bias.clone()
    with torch.no_grad():
        model.weight.add_(4.0)
    learnt = model.weight.detach().clone()
    with pytest.raises(KeyError), blended(model, start, 0.75):
        assert torch.allclose(model.weight, start["weight"] + 3.0) and torch.equal(model.bias, bias)
        raise KeyError
    assert torch.equal(model.weight, learnt), "whatever happens meanwhile"


@pytest.mark.parametrize("limit", [0.0, 0.003, 0.01, 0.05, 0.09])
def test_the_search_finds_the_largest_share_that_forgets_little(limit):
    """Of a model that forgets .09 with all that was learnt, and as its square with less."""

    def f1(share: float) -> float:
        return 0.9 - 0.09 * share**2

    kept = most_that_keeps(f1, limit + 1e-9)
    expected = max(step for step in range(STEPS + 1) if 0.09 * (step / STEPS) ** 2 <= limit + 1e-9)
    assert (kept.share, kept.before, kept.after) == (expected / STEPS, 0.9, f1(expected / STEPS))


def test_a_model_that_forgets_nothing_is_asked_twice_and_keeps_everything():
    asked = []
    assert most_that_keeps(lambda share: asked.append(share) or 0.8, 0.0).share == 1.0
    assert asked == [0.0, 1.0]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ((0.0, None, 0), r"training\.blend is 0"),
        ((1.5, None, 0), r"training\.blend is 1\.5"),
        ((1.0, -0.1, 5), r"replay\.most_forgotten is -0\.1"),
        ((1.0, 1.0, 5), r"0\.01 for a point"),
        ((1.0, 0.01, 0), r"validation notes of the replayed corpus"),
    ],
)
def test_shares_that_are_none_and_a_limit_that_nothing_watches_are_refused(settings, match):
    with pytest.raises(ConfigError, match=match):
        check_forgetting(*settings)
