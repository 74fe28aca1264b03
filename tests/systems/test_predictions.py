"""Predictions made by anyone: brat, XML and JSONL are the same answers; what does not fit the notes is a fault."""

import json

import pytest

from deidlab.corpora import brat, i2b2_2014, jsonl
from deidlab.labels import LabelSet
from deidlab.systems import predictions
from deidlab.types import ConfigError, DataError, Document, Span

LABELS = LabelSet("two", ("NAME", "DATE"), "BIO", maps={"theirs": {"person": "NAME", "junk": "O"}})
NOTES = [
    Document("n1", "Zyxomma Lee came 3/4", (Span(0, 11, "NAME"), Span(17, 20, "DATE"))),
    Document("n2", "naïve 😀 Ann", (Span(8, 11, "NAME"),)),
    Document("n3", "no one"),
]


def answers(path, notes=NOTES, **settings):
    system = predictions.load(path, LABELS, **settings)
    return [(p.document_id, p.spans) for p in system.predict(notes)], system


@pytest.fixture(params=["brat", "xml", "jsonl"])
def written(request, tmp_path):
    match request.param:
        case "brat":
            brat.write(NOTES, tmp_path / "out")
            for text in (tmp_path / "out").glob("*.txt"):
                text.unlink()  # annotations alone are enough
        case "xml":
            i2b2_2014.write(NOTES, tmp_path / "out")
        case "jsonl":
            jsonl.write(NOTES, tmp_path / "out" / "all.jsonl")
    return tmp_path / "out"


def test_every_format_gives_the_spans_it_states(written):
    found, system = answers(written)
    assert found == [(note.id, note.spans) for note in NOTES]
    assert system.ids == {"n1", "n2", "n3"} and system.losses.rows() == []


def test_a_note_without_a_prediction_is_an_error_and_counts_as_nothing_found(written):
    more = [*NOTES, Document("n4", "Zyxomma again", (Span(0, 7, "NAME"),))]
    message = r"n4: has no prediction; .*only_predicted=true.*\(system\.on_error=count"
    with pytest.raises(DataError, match=message) as error:
        answers(written, more)
    assert "Zyxomma" not in str(error.value)
    found, system = answers(written, more, on_error="count")
    assert found[-1] == ("n4", ())
    assert system.losses.rows() == [{"reason": "no_prediction", "label": "-", "count": 1}]


def test_a_prediction_for_a_note_that_is_not_there_is_an_error(written):
    with pytest.raises(DataError, match=r"1 predictions are for notes that the corpus does not have \(n3"):
        answers(written, NOTES[:2])
    found, system = answers(written, NOTES[:2], on_error="count")
    assert len(found) == 2
    assert system.losses.rows() == [{"reason": "prediction_for_other_note", "label": "-", "count": 1}]


def test_a_prediction_made_for_another_text_is_an_error(written, request):
    changed = [Document("n1", " " + NOTES[0].text), *NOTES[1:]]
    if (written / "all.jsonl").exists():  # a fingerprint says for which text it was made
        lines = [json.loads(line) for line in (written / "all.jsonl").read_text("utf-8").splitlines()]
        lines = [
            {"id": n["id"], "spans": n["spans"], "fingerprint": d.fingerprint}
            for n, d in zip(lines, NOTES, strict=True)
        ]
        (written / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(DataError, match="n1") as error:
        answers(written, changed)
    assert "Zyxomma" not in str(error.value)
    found, system = answers(written, changed, on_error="count")
    assert found[0] == ("n1", ()) and found[1:] == [(note.id, note.spans) for note in NOTES[1:]]
    assert {row["reason"] for row in system.losses.rows()} <= {"other_text", "offset_mismatch"}


def lines(path, *content) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in content))


def test_labels_are_mapped_and_every_one_without_a_place_is_listed(tmp_path):
    file = tmp_path / "p.jsonl"
    spans = [{"start": 0, "end": 7, "label": "person", "score": 0.5}, {"start": 8, "end": 11, "label": "junk"}]
    lines(file, {"id": "n1", "spans": spans})
    found, _ = answers(file, NOTES[:1], vocabulary="theirs")
    assert found == [("n1", (Span(0, 7, "NAME"),))] and found[0][1][0].score == 0.5
    found, _ = answers(file, NOTES[:1], label_map={"person": "DATE", "junk": "O"})
    assert found == [("n1", (Span(0, 7, "DATE"),))]
    with pytest.raises(DataError, match=r"junk.*person.*: system\.label_map="):
        predictions.load(file, LABELS)


def test_a_span_beyond_the_text_is_an_error_or_counted(tmp_path):
    good, bad = {"start": 0, "end": 7, "label": "NAME"}, {"start": 8, "end": 99, "label": "NAME"}
    lines(tmp_path / "p.jsonl", {"id": "n1", "spans": [good, bad]})
    with pytest.raises(DataError, match=r"n1: NAME span 8-99 exceeds text length 20"):
        answers(tmp_path / "p.jsonl", NOTES[:1])
    found, system = answers(tmp_path / "p.jsonl", NOTES[:1], on_error="count")
    assert found == [("n1", (Span(0, 7, "NAME"),))]
    assert system.losses.rows() == [{"reason": "out_of_range", "label": "NAME", "count": 1}]


@pytest.mark.parametrize(
    "line",
    ["not json", '{"id": "n1"}', '{"spans": []}', '{"id": "n1", "spans": [{"start": 0, "label": "NAME"}]}', "[1]",
     '{"id": "n1", "spans": [{"start": "Zyxomma", "end": 3, "label": "NAME"}]}',
     '{"id": "n1", "spans": [{"start": 0.7, "end": 3, "label": "NAME"}]}',
     '{"id": "n1", "spans": [{"start": 0, "end": Infinity, "label": "NAME"}]}',
     '{"id": "n1", "spans": [{"start": 0, "end": 3, "label": "NAME", "score": "high"}]}', "[" * 100_000],
)  # fmt: skip
def test_a_malformed_line_is_named_and_not_quoted(tmp_path, line):
    (tmp_path / "p.jsonl").write_text('{"id": "n0", "spans": []}\n' + line + "\n")
    with pytest.raises(DataError, match=r"p.jsonl line 2: expected") as error:
        predictions.load(tmp_path / "p.jsonl", LABELS)
    assert "Zyxomma" not in str(error.value)


def test_bytes_that_are_no_utf_8_are_an_error_that_says_where(tmp_path):
    (tmp_path / "p.jsonl").write_bytes(b'{"id": "n0", "spans": []}\n\xff\n')
    with pytest.raises(DataError, match=r"p.jsonl line 2: .*\(UnicodeDecodeError\)"):
        predictions.load(tmp_path / "p.jsonl", LABELS)


def test_a_document_predicted_twice_is_an_error(tmp_path):
    lines(tmp_path / "p.jsonl", {"id": "n1", "spans": []}, {"id": "n1", "spans": []})
    with pytest.raises(DataError, match="document n1 is predicted twice"):
        predictions.load(tmp_path / "p.jsonl", LABELS)


def test_one_document_in_two_files_is_an_error(tmp_path):
    (tmp_path / "n1.ann").write_text("T1\tNAME 0 7\tZyxomma\n")
    for other, content in {"p.jsonl": '{"id": "n1", "spans": []}\n', "n1.xml": "<a><TEXT/></a>"}.items():
        (tmp_path / other).write_text(content)
        with pytest.raises(DataError, match="document n1 is predicted twice"):
            predictions.load(tmp_path, LABELS)
        (tmp_path / other).unlink()


def test_an_empty_ann_says_that_nothing_was_found(tmp_path):
    (tmp_path / "n3.ann").touch()
    assert answers(tmp_path, NOTES[2:])[0] == [("n3", ())]


def test_a_missing_or_empty_place_says_what_is_expected(tmp_path):
    with pytest.raises(DataError, match=r"does not exist|expected"):
        predictions.load(tmp_path / "nowhere", LABELS)
    with pytest.raises(DataError, match=r"holds no \*\.ann or \*\.xml or \*\.jsonl"):
        predictions.load(tmp_path, LABELS)
    with pytest.raises(ConfigError, match=r"system.path=FILE_OR_FOLDER"):
        predictions.load(None, LABELS)
