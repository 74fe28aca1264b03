"""Exposure is what it is defined as: of a loss among losses, and of a tagger that has learnt a secret by heart."""

import json
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
import yaml

from deidlab.attacks import canary
from deidlab.canaries import Canaries, planted
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, Document, Losses, TokenScores

LABELS = LabelSet("two", ("PATIENT", "IDNUM"), "BIO")
SETTINGS = {
    "forms": {"number": {"pattern": "999999", "label": "IDNUM", "sentence": "Archive {} was checked."}},
    "secrets": 4,
    "copies": [1, 8],
}


@dataclass
class Memory:
    """A tagger that is the surer of a number the better it remembers it: each word is a unit."""

    remembered: dict[str, float]
    labels: LabelSet = LABELS
    losses: Losses = field(default_factory=Losses)

    def scores(self, documents):
        for document in documents:
            words = [(m.start(), m.end()) for m in re.finditer(r"\w+|\.", document.text)]
            probabilities = np.full((len(words), 5), 0.01)
            probabilities[:, 0] = 0.96
            for i, (start, end) in enumerate(words):
                word = document.text[start:end]
                if word.isdigit():
                    known = self.remembered.get(word, int(word) / 1e7)  # strangers below 0.1, all different
                    probabilities[i] = [0.97 - known, 0.01, 0.01, known, 0.01]
            spans = np.array(words, dtype=np.int32)
            yield TokenScores(document.id, spans, np.log(probabilities))


@pytest.fixture
def run(tmp_path):
    notes = [Document(f"n{i}", "x") for i in range(10)]
    _, record = planted(notes, Canaries.of(**SETTINGS), seed=3)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"canaries": SETTINGS}))
    (tmp_path / "canaries.json").write_text(json.dumps({"seed": 3, "secrets": record}))
    return tmp_path


def secrets(copies):
    canaries = Canaries.of(**SETTINGS)
    return canaries.drawn(canaries.forms[0], 3)[copies]


def test_what_is_known_by_heart_is_exposed_and_what_was_never_seen_is_not(run):
    system = Memory(dict.fromkeys(secrets(8), 0.9))
    found = canary.attack(system=system, run=str(run), alternatives=255).finding
    lines = {line["copies"]: line for line in found["lines"]}
    assert lines[8]["mean"] == lines[8]["greatest"] == 8.0, "all of log2 256"
    assert lines[8]["p_value"] < 0.001 < 0.01 < lines[0]["p_value"]
    assert lines[0]["mean"] < 4 and found["chance"] == pytest.approx(1.44, abs=0.03)
    assert not [s for copies in (0, 1, 8) for s in secrets(copies) if s in json.dumps(found)]


def test_exposure_is_the_gain_in_bits_over_guessing():
    reference = np.arange(1.0, 8.0)  # seven strangers
    found = canary.exposures(np.array([0.0, 3.5, 9.0]), reference)
    assert found.tolist() == pytest.approx([3.0, 1.0, 0.0]), "first, fourth and last of eight"
    assert canary.exposures(np.array([4.0]), np.full(7, 4.0))[0] == pytest.approx(np.log2(8 / 4.5)), "ties are halved"


def test_what_cannot_be_attacked_is_said(run, tmp_path_factory):
    with pytest.raises(ConfigError, match=r"planted no canaries .*train with canaries=planted"):
        canary.attack(system=Memory({}), run=str(tmp_path_factory.mktemp("other")))
    with pytest.raises(ConfigError, match="needs the scores of a model"):
        canary.attack(system=object(), run=str(run))
    (run / "config.yaml").write_text(yaml.safe_dump({"canaries": {**SETTINGS, "secrets": 5}}))
    with pytest.raises(ConfigError, match=r"canaries that .* describes are not those"):
        canary.attack(system=Memory({}), run=str(run))
