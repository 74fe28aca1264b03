"""What a measurement says of a system: both passes, memory, usage."""

import time
from dataclasses import dataclass, field

import pytest

from deidlab.labels import LabelSet
from deidlab.speed import measurable, measure, peak_memory
from deidlab.systems.metering import Usage
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import Document, Losses, Prediction

NOTES = [Document(f"n{i}", "one two three four") for i in range(6)]


@dataclass
class Steady:
    """Takes so long for every call and so long for every note, and counts what it is asked."""

    call: float = 0.0
    note: float = 0.01
    losses: Losses = field(default_factory=Losses)
    usage: Usage = field(default_factory=Usage)
    name: str = "steady"
    labels: LabelSet = field(default_factory=lambda: LabelSet("one", ("NAME",)))

    def predict(self, documents):
        time.sleep(self.call)
        for document in documents:
            time.sleep(self.note)
            self.losses.count("seen")
            self.usage.add(len(document.text), (10, 2))
            yield Prediction(document.id, ())


def test_latency_is_of_single_notes_and_speed_of_all_together():
    found = measure(Steady(call=0.05, note=0.01), NOTES, one_by_one=4)
    assert (found.notes, found.words, found.characters, found.latency_notes) == (6, 24, 108, 4)
    assert 0.06 <= found.latency_p50 <= found.latency_p95 < 0.12  # a call and a note
    assert 0.11 <= found.seconds < 0.3  # one call and six notes
    assert found.words_per_second == pytest.approx(24 / found.seconds)
    assert found.notes_per_second == pytest.approx(6 / found.seconds)


def test_usage_is_that_of_the_timed_pass_alone():
    told = measure(Steady(note=0), NOTES, one_by_one=4).usage
    assert told == {
        "requests": 6,
        "input_tokens": 60,
        "output_tokens": 12,
        "unmetered": 0,
        "characters": {"18": 6},
    }


def test_no_latency_where_none_is_asked_for():
    found = measure(Steady(note=0.001), NOTES, one_by_one=0)
    assert found.latency_p50 is None and found.latency_notes == 0


def test_memory_is_the_high_water_mark():
    before = peak_memory()
    block = bytearray(b"x" * 120_000_000)
    grown = peak_memory()
    del block
    assert before > 10_000_000 and peak_memory() >= grown
    assert grown >= 120_000_000


def test_answers_made_elsewhere_are_not_timed():
    labels = LabelSet("one", ("NAME",))
    assert not measurable(PredictionsSystem(labels, {}, {}, {})) and measurable(Steady())
