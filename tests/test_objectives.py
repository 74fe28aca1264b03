"""The loss: what each setting does to it, on units whose scores can be seen."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from deidlab.crf import LinearChainCRF
from deidlab.objectives import Objective, inverse_frequency_weights
from deidlab.types import ConfigError, Window

LOGITS = torch.tensor([[[2.0, 0.0, -1.0], [0.5, 1.0, 0.0], [0.0, 0.0, 3.0]]])
LABELS = torch.tensor([[0, 1, -100]])


def window(*labels: int) -> Window:
    return Window("d", 0, 0, len(labels), np.zeros(len(labels), np.int32), np.array(labels, np.int32))


WINDOWS = [window(0, 0, 0, 0, 0, 0, 0, 1, -100), window(1)]


def loss(**settings):
    return Objective(**settings).loss(WINDOWS, 3)


def test_weights_are_inverse_to_frequency_and_capped():
    # Nine units, three tags: 9 / (7 * 3), 9 / (2 * 3), and a tag that never occurs.
    assert np.allclose(inverse_frequency_weights(WINDOWS, 3, cap=10.0), [9 / 21, 9 / 6, 10.0])
    assert np.allclose(inverse_frequency_weights(WINDOWS, 3, cap=1.0), [9 / 21, 1.0, 1.0])


@pytest.mark.parametrize("settings", [{}, {"class_weights": "inverse_frequency"}])
def test_loss_over_mass_is_the_mean_of_pytorch(settings):
    one = loss(**settings)
    labelled = [window(0, 1, -100)]
    expected = cross_entropy(LOGITS[0], LABELS[0], weight=one.weights, ignore_index=-100)
    assert torch.allclose(one(LOGITS, LABELS) / one.mass(labelled), expected)


def test_ignored_positions_have_no_say():
    changed = LOGITS.clone()
    changed[0, 2] = torch.tensor([9.0, -9.0, 1.0])
    assert loss()(LOGITS, LABELS) == loss()(changed, LABELS)
    assert loss()(LOGITS, torch.full_like(LABELS, -100)) == 0


def test_smoothing_asks_for_some_of_every_tag():
    expected = cross_entropy(LOGITS[0, :2], LABELS[0, :2], label_smoothing=0.1, reduction="sum")
    assert torch.allclose(loss(label_smoothing=0.1)(LOGITS, LABELS), expected)


def test_focal_loss_looks_away_from_what_is_known():
    p = LOGITS.softmax(-1)[0]
    expected = sum(-((1 - p[i, t]) ** 2) * p[i, t].log() for i, t in ((0, 0), (1, 1)))
    assert torch.allclose(loss(focal_gamma=2.0)(LOGITS, LABELS), expected)


def test_a_bias_on_outside_asks_more_of_identifiers_and_less_of_the_rest():
    def of(label, **settings):
        return float(loss(**settings)(LOGITS[:, :1], torch.tensor([[label]])))

    assert of(1, outside_bias=1.0) > of(1)
    assert of(0, outside_bias=1.0) < of(0)


def test_a_trained_bias_raises_the_probability_of_identifiers():
    """The same scores learnt from the same tags: with the bias, O is less sure in use."""

    def outside(bias):
        logits = torch.zeros(1, 10, 2, requires_grad=True)
        labels = torch.tensor([[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]])
        shared = torch.zeros(2, requires_grad=True)
        optimizer = torch.optim.SGD([shared], lr=0.5)
        one = Objective(outside_bias=bias).loss([window(0)], 2)
        for _ in range(200):
            optimizer.zero_grad()
            (one(logits.detach() + shared, labels) / 10).backward()
            optimizer.step()
        return float(shared.detach().softmax(0)[0])

    assert outside(0.0) == pytest.approx(0.7, abs=0.01)
    assert outside(2.0) == pytest.approx(0.7 * np.exp(-2) / (0.7 * np.exp(-2) + 0.3), abs=0.01)


def test_the_crf_sees_labelled_units_only_and_masses_count_them():
    one = Objective().loss(WINDOWS, 3, LinearChainCRF(3))
    assert torch.allclose(one(LOGITS, LABELS), loss()(LOGITS, LABELS), atol=1e-6)  # no transitions yet
    one.crf.transitions.data[0, 1] = 5.0
    assert one(LOGITS, LABELS) < loss()(LOGITS, LABELS)
    assert one(LOGITS, torch.full_like(LABELS, -100)) == 0
    assert one.mass(WINDOWS) == 9


@pytest.mark.parametrize(
    "settings",
    [{"class_weights": "yes"}, {"label_smoothing": 1.0}, {"focal_gamma": -1.0}, {"weight_cap": 0.0}],
)
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ConfigError, match=r"training\.objective"):
        Objective(**settings)


def test_a_crf_takes_no_other_objective():
    with pytest.raises(ConfigError, match=r"head=crf"):
        Objective(focal_gamma=1.0).loss(WINDOWS, 3, LinearChainCRF(3))
