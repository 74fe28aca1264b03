"""Rules as a system: their labels map to every label set, and a narrower set of types can be asked for."""

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from deidlab.evaluation import evaluate
from deidlab.systems import rules
from deidlab.types import ConfigError, Document, Span

# Those that are whole: `extended` is made of another and what a user adds.
LABEL_SETS = [f for f in sorted((Path(__file__).parents[2] / "conf" / "labels").glob("*.yaml")) if f.stem != "extended"]
NOTE = Document("a", "Dr. Vance saw her on 06/02/2022.", (Span(4, 9, "DOCTOR"), Span(21, 31, "DATE")))


@pytest.mark.parametrize("file", LABEL_SETS, ids=lambda file: file.stem)
def test_every_label_set_has_a_place_for_what_the_rules_find(file):
    labels = instantiate(OmegaConf.load(file), _convert_="all")
    system = rules.load()
    assert set(labels.mapping_for(system.labels.name, system.labels.types)) == set(system.labels.types)


def test_rules_are_judged_like_any_system():
    labels = instantiate(OmegaConf.load(next(f for f in LABEL_SETS if f.stem == "i2b2_2014")), _convert_="all")
    judged = evaluate(rules.load(), [NOTE], labels)
    (row,) = [r for r in judged.rows() if (r["metric"], r["label"], r["slice"]) == ("strict", "micro", "all")]
    assert row["f1"] == 1.0 and row["support"] == 2


def test_only_the_types_asked_for_are_found():
    (prediction,) = rules.load(types=["DATE"]).predict([NOTE])
    assert prediction.spans == (Span(21, 31, "DATE"),) and prediction.fingerprint == NOTE.fingerprint
    with pytest.raises(ConfigError, match=r"system.types=\['NAME'\]: no rule finds these; the rules find EMAIL"):
        rules.load(types=["NAME"])
