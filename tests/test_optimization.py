"""Who learns how fast: the head, the layers, the embeddings; and how the rate rises and falls."""

import pytest

from deidlab.labels import LabelSet
from deidlab.models import Backbone
from deidlab.optimization import check_rates, parameter_groups, rate_factor
from deidlab.types import ConfigError


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta"])
def test_each_layer_learns_at_a_share_of_the_rate_above_it(family, tiny_backbones):
    backbone = Backbone(str(tiny_backbones[family]), max_length=48, stride=8)
    model = backbone.model(backbone.locate(), LabelSet("one", ("DATE",)))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = parameter_groups(model, 1.0, 0.1, 4.0, layer_decay=0.5)
    rates = {names[id(p)]: group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == len(names), "every weight learns once"
    for name, rate in rates.items():
        expected = 4.0 if "classifier" in name else 1.0 if "layer.1." in name else 0.5 if "layer.0." in name else 0.25
        assert rate == expected or "encoder.rel_embeddings" in name, name
    even = parameter_groups(model, 1.0, 0.1, None)
    assert {group["lr"] for group in even} == {1.0} and {group["weight_decay"] for group in even} == {0.0, 0.1}


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    assert [rate_factor(done, 0.2, "linear") for done in (0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.5, 1.0, 0.5, 0.0])
    assert rate_factor(0.6, 0.2, "cosine") == pytest.approx(0.5)


@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ConfigError, match="layer_decay"):
        check_rates(1e-4, None, 0.0, 0.1, "linear", 1.0, decay)
