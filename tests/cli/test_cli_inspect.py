"""`deidlab inspect` and `deidlab convert` as a user runs them."""

import json

import pytest

from deidlab.corpora import jsonl
from deidlab.corpora.reading import Reading, sources
from deidlab.types import Document, Losses, Span


def note(number):
    text = f"Zyxomma Vane {number} 😀 came to Ostwick"
    return Document(f"p{number}-1", text, (Span(0, 12, "PER"), Span(len(text) - 7, len(text), "CITY")))


NOTES = [note(number) for number in range(20)]


@pytest.fixture
def notes(tmp_path):
    jsonl.write(NOTES, tmp_path / "notes.jsonl")
    return tmp_path / "notes.jsonl"


def test_an_inspection_tells_counts_and_codes_and_no_text(deidlab, notes, tmp_path):
    bad = Document("bad", "Zyxomma\n Vane", (Span(0, 8, "PER"),))
    jsonl.write([*NOTES, bad], tmp_path / "more.jsonl")
    said = deidlab("inspect", tmp_path / "more.jsonl", "--out", tmp_path / "seen", "--strict")
    assert said.status == 1
    assert "21 notes (jsonl), 41 annotations, 2 labels" in said.out
    assert "blank_edge" in said.out and "Zyxomma" not in said.out + said.err
    told = json.loads((tmp_path / "seen" / "inspection.json").read_text())
    (finding,) = (f for f in told["findings"] if f["code"] == "blank_edge")
    assert (finding["document_id"], finding["start"], finding["end"]) == ("bad", 0, 8)
    assert "Zyxomma" not in (tmp_path / "seen" / "inspection.html").read_text()


def test_sound_notes_pass_the_strict_inspection(deidlab, notes):
    assert deidlab("inspect", notes, "--strict").status == 0


def test_a_model_tells_of_what_annotators_missed(deidlab, trained_run, obvious_notes, tmp_path):
    first, *others = obvious_notes(12, 77)
    forgotten = next(span for span in first.spans if span.label == "PATIENT")
    left = tuple(span for span in first.spans if span != forgotten)
    jsonl.write([Document(first.id, first.text, left), *others], tmp_path / "notes.jsonl")
    said = deidlab("inspect", tmp_path / "notes.jsonl", "--model", trained_run, "--out", tmp_path / "seen")
    assert said.status == 0, said.err
    told = json.loads((tmp_path / "seen" / "inspection.json").read_text())
    missed = [f for f in told["findings"] if f["code"] == "likely_missed"]
    assert (first.id, forgotten.start) in [(f["document_id"], f["start"]) for f in missed]
    assert "subwords" in [one["unit"] for one in told["lengths"]]


def test_wrong_settings_of_an_inspection_say_what_to_do(deidlab, notes, tmp_path):
    for arguments, message in (
        (("--show-text",), "--show-text is about the files in --out FOLDER"),
        (("--from", "pdf"), "unknown format 'pdf'"),
        (("--tokenizer", tmp_path), "there is no tokenizer.json"),
        (("--label-set", tmp_path / "none.yaml"), "no label set at"),
    ):
        said = deidlab("inspect", notes, *arguments)
        assert (said.status, message in said.err) == (2, True), said.err
    assert "does not exist" in deidlab("inspect", tmp_path / "none").err


def test_a_map_is_drafted_refused_while_open_settled_and_applied(deidlab, notes, tmp_path):
    types = tmp_path / "mine.yaml"
    types.write_text("types: [NAME, TOWN]")
    said = deidlab("convert", notes, "--draft-map", tmp_path / "map.yaml", "--label-set", types)
    assert said.status == 0 and "2 labels, 1 of them TODO" in said.out
    out = tmp_path / "out"
    arguments = ("convert", notes, out, "--labels", tmp_path / "map.yaml", "--to", "cas_xmi",
                 "--split-by-patient", ".8/.1/.1", "--patient-pattern", "^(.+)-")  # fmt: skip
    said = deidlab(*arguments)
    assert said.status == 2 and "CITY are TODO; give each a type, or O" in said.err and not out.exists()
    (tmp_path / "map.yaml").write_text((tmp_path / "map.yaml").read_text().replace("TODO  #", "TOWN  #"))
    said = deidlab(*arguments)
    assert said.status == 0 and "20 meta_without_place patient" in said.err, said.err
    read = [d for s in sources(out) for d in Reading().documents(s.path, s.form, Losses())]
    assert {d.id: [s.label for s in d.spans] for d in read} == {d.id: ["NAME", "TOWN"] for d in NOTES}
    assert {s.split for s in sources(out)} == {"train", "validation", "test"}
    assert "Zyxomma" not in said.out + said.err


def test_wrong_settings_of_a_conversion_say_what_to_do(deidlab, notes, tmp_path):
    for arguments, message in (
        ((), "name the folder to write (OUT)"),
        ((tmp_path / "o", "--to", "pdf"), "unknown format 'pdf'; choose from jsonl, brat"),
        ((tmp_path / "o", "--on-error", "skip"), "expected raise or count"),
        ((tmp_path / "o", "--split-by-patient", ".8/.2"), "as .8/.1/.1"),
        ((tmp_path / "o", "--split-by-patient", ".8/.1/.1"), "no note says its patient"),
        ((tmp_path / "o", "--split-by-patient", "1", "--split-by-note", "1"), "not both"),
    ):
        said = deidlab("convert", notes, *arguments)
        assert (said.status, message in said.err) == (2, True), said.err
        assert not (tmp_path / "o").exists()


def test_faults_stop_a_conversion_or_are_counted_and_shown(deidlab, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        json.dumps({"id": "a", "text": "Zyxomma", "spans": [{"start": 0, "end": 9, "label": "N"}]})
    )
    said = deidlab("convert", tmp_path / "a.jsonl", tmp_path / "out")
    assert said.status == 2 and "a, span 1: N span 0-9 exceeds text length 7" in said.err
    said = deidlab("convert", tmp_path / "a.jsonl", tmp_path / "out", "--on-error", "count")
    assert said.status == 0 and "1 out_of_range N" in said.err and "Zyxomma" not in said.err
