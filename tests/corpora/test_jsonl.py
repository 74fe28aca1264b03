"""JSON lines, and what annotation tools export."""

import json

import pytest

from deidlab.corpora import jsonl
from deidlab.types import Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def counts(losses):
    return {row["reason"]: row["count"] for row in losses.rows()}


TEXT = "😀 Anna of Bonn"


EXPORTS = {
    "own": {"id": "1", "text": TEXT, "spans": [{"start": 2, "end": 6, "label": "N"}], "meta": {"patient": 7}},
    "doccano": {"id": 1, "text": TEXT, "label": [[2, 6, "N"]], "patient": "7", "Comments": []},
    "doccano relations": {
        "id": 1, "text": TEXT, "relations": [], "patient": "7",
        "entities": [{"id": 9, "label": "N", "start_offset": 2, "end_offset": 6}],
    },
    "prodigy": {
        "text": TEXT, "spans": [{"start": 2, "end": 6, "label": "N", "token_start": 1}],
        "meta": {"id": "1", "patient": "7"},
        "_input_hash": 5, "_task_hash": 6, "answer": "accept",
    },
    "label studio": {
        "id": 1, "data": {"text": TEXT, "patient": "7"},
        "annotations": [
            {"was_cancelled": True, "result": []},
            {"result": [{"type": "labels", "value": {"start": 3, "end": 7, "text": "Anna", "labels": ["N"]}}]},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
@pytest.mark.parametrize("as_array", [False, True])
def test_exports_of_annotation_tools_are_recognised(tmp_path, export, as_array):
    content = json.dumps([export], indent=1) if as_array else json.dumps(export) + "\n"
    (tmp_path / "a.json").write_text(content)
    losses = Losses()
    (document,) = jsonl.read(tmp_path, losses)
    assert (document.id, document.text, found(document)) == ("1", TEXT, [("Anna", "N")])
    assert dict(document.meta) == ({"patient": "7", "id": "1"} if "answer" in export else {"patient": "7"})
    assert counts(losses) == {}


@pytest.mark.parametrize(("start", "end"), [(2, 6), (3, 7)], ids=["characters", "UTF-16 units"])
def test_label_studio_min_counts_in_either_unit(tmp_path, start, end):
    region = {"start": start, "end": end, "text": "Anna", "labels": ["N"]}
    row = {"id": 4, "text": TEXT, "label": [region], "annotator": 1, "annotation_id": 2}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (document,) = jsonl.read(tmp_path, Losses())
    assert found(document) == [("Anna", "N")]


def test_rejected_examples_and_other_annotators_are_counted(tmp_path):
    rejected = {**EXPORTS["prodigy"], "answer": "reject"}
    region = {"type": "labels", "value": {"start": 2, "end": 6, "labels": ["N"]}}
    twice = {
        "id": 2,
        "data": {"text": TEXT},
        "annotations": [{"result": []}, {"ground_truth": True, "result": [region]}],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(rejected) + "\n" + json.dumps(twice))
    losses = Losses()
    (document,) = jsonl.read(tmp_path, losses)
    assert found(document) == [("Anna", "N")]
    assert counts(losses) == {"not_accepted": 1, "other_version": 1}


def test_label_studio_min_names_its_column_after_the_control(tmp_path):
    span = {"start": 0, "end": 4, "text": "John", "labels": ["NAME"]}
    row = {"id": 1, "text": "John saw Mary", "patient": "7", "annotator": 1, "annotation_id": 3, "ner": [span],
           "quality": [{"choices": ["good"]}]}  # fmt: skip
    (tmp_path / "min.json").write_text(json.dumps([row]))
    losses = Losses()
    (note,) = jsonl.read(tmp_path / "min.json", losses)
    assert found(note) == [("John", "NAME")] and note.meta == {"patient": "7"}
    assert counts(losses) == {"other_result": 1}


def test_records_of_several_annotators_are_one_note_where_asked(tmp_path):
    rows = [{"id": 1, "text": "John saw Mary", "label": [label]} for label in ([0, 4, "N"], [9, 13, "N"])]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (both,) = jsonl.read(tmp_path / "d.jsonl", Losses(), annotators="union")
    (first,) = jsonl.read(tmp_path / "d.jsonl", Losses(), annotators="first")
    assert found(both) == [("John", "N"), ("Mary", "N")] and found(first) == [("John", "N")]
