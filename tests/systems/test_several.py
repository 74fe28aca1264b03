"""Union and vote as systems: labels are mapped, nothing is lost, and a part that misbehaves is caught."""

import json
from dataclasses import dataclass, field, replace

import pytest

from deidlab.labels import LabelSet
from deidlab.systems import predictions, rules, several
from deidlab.systems.metering import Usage
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

LABELS = LabelSet(
    "seen", ("NAME", "WHEN"), maps={"i2b2_2014": {"DOCTOR": "NAME", "DATE": "WHEN"}, "other": {"X": "NAME"}}
)
NOTES = [
    Document("a", "Dr. Vance saw Beth on 06/02/2022."),
    Document("b", "No one came."),
    Document("c", "Dr. Wu, 01/02/2022"),
]


@pytest.fixture
def from_file(tmp_path):
    """Predictions in a file, as a system."""

    def system(lines: dict[str, list[tuple[int, int, str]]]):
        file = tmp_path / "predictions.jsonl"
        file.write_text(
            "".join(
                json.dumps(
                    {"id": i, "spans": [{"start": s, "end": e, "label": lab, "score": 0.9} for s, e, lab in spans]}
                )
                + "\n"
                for i, spans in lines.items()
            )
        )
        return predictions.load(file, LABELS)

    return system


@pytest.fixture
def two(from_file):
    model = from_file({"a": [(0, 9, "NAME"), (14, 18, "NAME")], "b": [], "c": []})
    return {"model": model, "rules": rules.load(types=["DOCTOR", "DATE"])}


def found(system, notes=NOTES):
    return {p.document_id: [(s.start, s.end, s.label) for s in p.spans] for p in system.predict(notes)}


def test_a_union_has_what_any_part_found_under_the_labels_of_the_evaluation(two):
    system = several.load(LABELS, two)
    assert found(system) == {
        "a": [(0, 9, "NAME"), (14, 18, "NAME"), (22, 32, "WHEN")],
        "b": [],
        "c": [(4, 6, "NAME"), (8, 18, "WHEN")],
    }
    assert system.losses.counts == {("merged_extents", "NAME"): 1}
    assert system.name == "predictions + rules" and system.labels is LABELS


def test_a_vote_has_the_characters_that_enough_parts_found(two):
    assert found(several.load(LABELS, two, least=2)) == {"a": [(4, 9, "NAME")], "b": [], "c": []}


def test_settings_that_cannot_work_are_refused(two):
    with pytest.raises(ConfigError, match=r"system.systems has 1 of them"):
        several.load(LABELS, {"rules": two["rules"]})
    with pytest.raises(ConfigError, match=r"system.least=3: expected between 1 and the number of systems \(2\)"):
        several.load(LABELS, two, least=3)
    with pytest.raises(DataError, match=r"has no place for these labels of \(i2b2_2014\): EMAIL.*system.systems.all"):
        several.load(LABELS, {**two, "all": rules.load(types=["DATE", "EMAIL"])})


def test_what_metered_parts_take_is_what_the_whole_takes(two):
    counted = several.load(LABELS, two)
    assert counted.usage is None
    metered = {"first": Shouting(), "second": Shouting(), **two}
    for part, characters in (("first", 120), ("second", 80)):
        metered[part].usage = Usage()
        metered[part].usage.add(characters, tokens=(30, 5))
    whole = several.load(LABELS, metered).usage.to_dict()
    assert (whole["requests"], whole["input_tokens"], whole["output_tokens"]) == (2, 60, 10)
    assert whole["characters"] == {"80": 1, "120": 1}


@dataclass
class Shouting:
    """A system that changes the text before it looks, as some do."""

    labels: LabelSet = field(default_factory=lambda: LabelSet("other", ("X",)))
    losses: Losses = field(default_factory=Losses)
    name: str = "shouting"
    reach: int = 0

    def predict(self, documents):
        for document in documents:
            changed = document if self.reach else replace(document, text=document.text.upper() + "!")
            yield Prediction(document.id, (Span(0, 3 + self.reach, "X"),), changed.fingerprint)


def test_a_part_that_changes_the_text_or_points_outside_it_is_caught(two):
    with pytest.raises(DataError, match="a: shouting answered for another text"):
        found(several.load(LABELS, {**two, "loud": Shouting()}))
    with pytest.raises(DataError, match="a: shouting found X at 0-1003 in a text of 33 characters"):
        found(several.load(LABELS, {**two, "loud": Shouting(reach=1000)}))


def test_the_door_builds_parts_with_the_labels_of_the_evaluation(tmp_path):
    from omegaconf import OmegaConf

    from deidlab import runs

    (tmp_path / "p.jsonl").write_text('{"id": "a", "spans": []}\n')
    config = OmegaConf.create(
        {
            "_target_": "deidlab.systems.several.load",
            "least": 1,
            "systems": {
                "files": {"_target_": "deidlab.systems.predictions.load", "path": str(tmp_path / "p.jsonl")},
                "rules": {"_target_": "deidlab.systems.rules.load", "types": ["DATE"]},
            },
        }
    )
    system = runs.instantiate_system(config, LABELS)
    assert found(system, NOTES[:1]) == {"a": [(22, 32, "WHEN")]}
