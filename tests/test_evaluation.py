"""Evaluation: any system against gold, counted right, a chunk of notes at a time, and no text written."""

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from deidlab.evaluation import CHUNK, evaluate
from deidlab.judging import Judging
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

LABELS = LabelSet("two", ("NAME", "DATE"), "BIO", coarse={"category": {"NAME": "WHO", "DATE": "WHEN"}})
OTHER = LabelSet("other", ("PERSON", "DAY"), "BIO")


@dataclass
class Answers:
    """A system that says what it was told to say, document by document."""

    spans: dict[str, tuple[Span, ...]]
    labels: LabelSet = LABELS
    name: str = "answers"
    losses: Losses = field(default_factory=Losses)

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        for document in documents:
            yield Prediction(document.id, self.spans.get(document.id, ()), document.fingerprint)


NOTES = [
    Document("a", "Ann came 3/4", (Span(0, 3, "NAME"), Span(9, 12, "DATE")), {"culture": "us", "patient": "p1"}),
    Document("b", "Bob Lee left", (Span(0, 7, "NAME"),), {"culture": "fr", "patient": "p2"}),
    Document("c", "no one", (), {"culture": "fr", "patient": "p3"}),
]
RIGHT = {note.id: note.spans for note in NOTES}


def rows(evaluation) -> dict[tuple[str, str], dict]:
    return {(row["metric"], row["label"]): row for row in evaluation.rows() if row["slice"] == "all"}


def test_gold_given_back_is_perfect_by_every_measure():
    found = rows(evaluate(Answers(RIGHT), NOTES, LABELS))
    for (metric, label), row in found.items():
        if "value" in row:
            assert row["value"] in ({"char_leak": 0.0, "document_clean": 1.0}[metric], None)
        elif row["support"] and label != "macro":
            assert (row["precision"], row["recall"], row["f1"]) == (1, 1, 1), metric
    assert found["strict", "micro"]["support"] == 3


def test_misses_inventions_and_shifted_ends_count_where_they_should():
    answers = {"a": (Span(0, 3, "NAME"), Span(4, 8, "DATE")), "b": (Span(0, 3, "NAME"),)}
    found = rows(evaluate(Answers(answers), NOTES, LABELS))
    assert (found["strict", "micro"]["precision"], found["strict", "micro"]["recall"]) == (1 / 3, 1 / 3)
    assert found["overlap", "NAME"]["recall"] == 1.0
    assert found["strict", "DATE"]["recall"] == 0.0
    # Not covered: 3/4 (3 characters) and Lee (3), of Ann, 3/4, Bob, Lee (12, blanks aside).
    assert found["char_leak", "micro"]["value"] == pytest.approx(6 / found["char_leak", "micro"]["support"])
    assert found["document_clean", "micro"]["value"] == 0.0


def test_a_name_redacted_as_a_date_is_wrong_but_leaks_nothing():
    swapped = {"b": (Span(0, 7, "DATE"),), "a": RIGHT["a"]}
    found = rows(evaluate(Answers(swapped), NOTES, LABELS))
    assert found["strict", "NAME"]["recall"] == 0.5 and found["binary_strict", "micro"]["recall"] == 1.0
    assert found["char_leak", "micro"]["value"] == 0.0 and found["document_clean", "micro"]["value"] == 1.0


def test_coarse_categories_are_scored_too():
    found = rows(evaluate(Answers(RIGHT), NOTES, LABELS))
    assert found["category_strict", "WHO"]["support"] == 2 and found["category_strict", "WHEN"]["f1"] == 1.0


def test_a_system_with_other_labels_is_mapped_or_all_its_unknown_labels_are_listed():
    mapped = replace(LABELS, maps={"other": {"PERSON": "NAME", "DAY": "O"}})
    said = {"a": (Span(0, 3, "PERSON"), Span(9, 12, "DAY")), "b": (Span(0, 7, "PERSON"),)}
    found = rows(evaluate(Answers(said, OTHER), NOTES, mapped))
    assert found["strict", "NAME"]["f1"] == 1.0 and found["strict", "DATE"]["recall"] == 0.0
    with pytest.raises(DataError, match=r"DAY.*PERSON|PERSON.*DAY"):
        evaluate(Answers(said, OTHER), NOTES, LABELS)


def test_no_documents_is_an_error():
    with pytest.raises(DataError, match=r"no documents to evaluate on.*data.splits.test"):
        evaluate(Answers({}), [], LABELS)


def test_notes_without_any_identifier_leave_ratios_undefined_not_wrong():
    found = rows(evaluate(Answers({}), [NOTES[2]], LABELS))
    assert (found["strict", "micro"]["recall"], found["strict", "micro"]["f1"]) == (None, None)
    invented = rows(evaluate(Answers({"c": (Span(0, 2, "NAME"),)}), [NOTES[2]], LABELS))
    assert invented["strict", "micro"]["precision"] == 0.0


class Skips(Answers):
    def predict(self, documents):
        return iter(list(super().predict(documents))[1:])


class Stops(Answers):
    def predict(self, documents):
        return iter(list(super().predict(documents))[:-1])


def test_a_system_that_skips_a_note_is_caught():
    with pytest.raises(DataError, match="answered b where a was asked"):
        evaluate(Skips(RIGHT), NOTES, LABELS)
    with pytest.raises(DataError, match="no answer for 1 documents, first c"):
        evaluate(Stops(RIGHT), NOTES, LABELS)


def test_predictions_are_written_as_they_come_without_text(tmp_path):
    scored = {"a": (Span(0, 3, "NAME", 0.75),)}
    evaluate(Answers(scored), NOTES, LABELS, predictions_file=tmp_path / "p.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c"]
    assert lines[0]["spans"] == [{"start": 0, "end": 3, "label": "NAME", "score": 0.75}]
    assert lines[0]["fingerprint"] == NOTES[0].fingerprint
    assert "Ann" not in (tmp_path / "p.jsonl").read_text()


def test_chunks_change_no_number():
    many = [replace(note, id=f"{note.id}{i}") for i in range(CHUNK // 2) for note in NOTES]
    answers = {note.id: note.spans for note in many if not note.id.endswith("7")}
    whole = rows(evaluate(Answers(answers), many, LABELS))
    recall = sum(len(answers.get(n.id, ())) for n in many) / sum(len(n.spans) for n in many)
    assert whole["strict", "micro"]["recall"] == pytest.approx(recall)


def test_memory_holds_no_more_than_a_chunk_of_notes():
    """Four times the notes, of 4 kB each: their counts stay, their texts go."""

    def peak(chunks: int) -> int:
        text = "Ann came 3/4 " * 300
        notes = (Document(f"n{i}", text + str(i), (Span(0, 3, "NAME"),)) for i in range(chunks * CHUNK))
        tracemalloc.start()
        evaluate(Answers({}), notes, LABELS)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(4) < 1.5 * peak(1)


def test_an_official_scorer_by_name_and_no_other():
    judged = evaluate(Answers(RIGHT), NOTES, LABELS, official="meddocan")
    assert judged.official["ner"]["f1"] == 1.0
    with pytest.raises(ConfigError, match="expected i2b2_2014, meddocan or null"):
        evaluate(Answers(RIGHT), NOTES, LABELS, official="i2b2")


def test_a_metric_over_subwords_is_refused_for_a_system_that_has_none():
    with pytest.raises(ConfigError, match=r"evaluation.subwords: answers has no tokenizer of its own"):
        evaluate(Answers(RIGHT), NOTES, LABELS, judging=Judging(subwords=True))
