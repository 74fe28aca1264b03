"""Formats are told from files, splits from names, and what cannot be told is an error that says how to say it."""

import json

import pytest

from deidlab.corpora import writing
from deidlab.corpora.reading import ALIASES, Reading, Source, sources, tool_of
from deidlab.types import ConfigError, DataError, Document, Losses, Span

NOTES = [Document("p1-1", "Señor Ruiz 😀 came", (Span(6, 10, "NAME"),)), Document("p2-1", "")]
NEUTRAL = {name: ALIASES.get(name, name) for name in writing.FORMATS}


@pytest.mark.parametrize("form", writing.FORMATS)
def test_every_format_that_is_written_is_told_from_its_files_and_read(tmp_path, form):
    writing.write(NOTES, tmp_path / "notes", form)
    assert sources(tmp_path / "notes") == [Source(None, tmp_path / "notes", NEUTRAL[form])]
    reading = Reading()
    (source,) = sources(tmp_path / "notes")
    found = list(reading.documents(source.path, source.form, Losses()))
    assert [(d.id, d.text, d.spans) for d in found] == [(d.id, d.text, d.spans) for d in NOTES]


def test_the_tool_of_an_export_is_told_from_its_first_object(tmp_path):
    for form in ("doccano", "label_studio", "prodigy", "jsonl"):
        writing.write(NOTES, tmp_path / form, form)
        (source,) = sources(tmp_path / form)
        assert (source.form, tool_of(source)) == ("jsonl", form)


@pytest.mark.parametrize("form", ["brat", "i2b2", "cas_json", "jsonl"])
def test_folders_named_after_splits_are_splits_and_what_is_about_gold_is_not_read(tmp_path, form):
    for name in ("train-a", "DEV", "test"):
        writing.write(NOTES, tmp_path / name, form)
    (tmp_path / "about").mkdir()
    (tmp_path / "about" / "review.json").write_text("{}")
    assert {(s.split, s.path.name, s.form) for s in sources(tmp_path)} == {
        ("train", "train-a", NEUTRAL[form]), ("validation", "DEV", NEUTRAL[form]), ("test", "test", NEUTRAL[form]),
    }  # fmt: skip


def test_the_notes_of_a_project_may_be_called_as_they_like(tmp_path):
    for name in ("test 1.txt", "letter.txt"):
        writing.write(NOTES[:1], tmp_path / name, "cas_json")
    (source,) = sources(tmp_path)
    assert source == Source(None, tmp_path, "cas")
    found = Reading().documents(source.path, source.form, Losses())
    assert [document.id for document in found] == ["letter.txt", "test 1.txt"]


def test_files_named_after_splits_are_splits(tmp_path):
    for name in ("train", "test"):
        writing.write(NOTES, tmp_path / name, "jsonl")
        (tmp_path / name / "notes.jsonl").rename(tmp_path / f"{name}.jsonl")
        (tmp_path / name).rmdir()
    assert {(s.split, s.path.name) for s in sources(tmp_path)} == {("train", "train.jsonl"), ("test", "test.jsonl")}


@pytest.mark.parametrize("name", ["devices", "developers-notes2", "testicular", "trainers"])
def test_a_name_that_begins_like_a_split_is_none(tmp_path, name):
    writing.write(NOTES, tmp_path / name, "brat")
    assert [source.split for source in sources(tmp_path)] == [None]


def test_notes_beside_folders_of_notes_are_asked_about(tmp_path):
    writing.write(NOTES, tmp_path / "train", "jsonl")
    writing.write(NOTES, tmp_path / "more", "jsonl")
    (tmp_path / "info.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds notes, and folders of notes beside them \(more, train\): name one"):
        sources(tmp_path)


def test_suffixes_of_columns_may_differ_and_have_any_case(tmp_path):
    for name in ("a.bio", "b.TSV", "c.conll", "._d.conll"):
        (tmp_path / name).write_text("Anna\tB-NAME\ncame\tO\n")
    (source,) = sources(tmp_path)
    assert [d.id for d in Reading().documents(source.path, source.form, Losses())] == ["a", "b", "c"]


def test_two_formats_of_the_same_notes_are_asked_about(tmp_path):
    for form in ("brat", "i2b2"):
        writing.write(NOTES, tmp_path / "train" / form, form)
    with pytest.raises(DataError, match=r"holds brat and i2b2; say which to read \(--from brat\)"):
        sources(tmp_path)
    assert sources(tmp_path, "meddocan") == [Source("train", tmp_path / "train" / "i2b2", "i2b2")]


def test_what_is_not_there_or_is_a_whole_project_is_said(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        sources(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds no annotated notes; expected files that end on .ann"):
        sources(tmp_path)
    (tmp_path / "exportedproject.json").write_text("{}")
    with pytest.raises(DataError, match=r"is a project of INCEpTION; name its folder annotation"):
        sources(tmp_path)


def test_settings_that_cannot_be_are_said_before_anything_is_read():
    for settings, message in (
        ({"form": "pdf"}, "unknown format 'pdf'; choose auto, brat"),
        ({"encoding": "utf-9"}, "encoding 'utf-9' is unknown; some are utf-8, cp1252"),
        ({"annotators": "vote"}, "annotators is 'vote'"),
        ({"patient_pattern": "("}, "no regular expression"),
        ({"patient_pattern": "p"}, "has no group"),
    ):
        with pytest.raises(ConfigError, match=message):
            Reading(**settings)


def test_patients_are_named_by_a_pattern_of_ids(tmp_path):
    writing.write(NOTES, tmp_path / "notes", "brat")
    found = Reading(patient_pattern=r"^p(\d+)-").documents(tmp_path / "notes", "brat", Losses())
    assert [dict(d.meta) for d in found] == [{"patient": "1"}, {"patient": "2"}]


WINDOWS = {  # the same note saved by a Windows program, in each format that does not say its encoding itself
    "brat": {"a.txt": "Señor Ruiz – came", "a.ann": "T1\tNAME 0 10\tSeñor Ruiz\n"},
    "conll": {"a.conll": "-DOCSTART- id=a\n\nSeñor B-NAME\nRuiz I-NAME\n– O\ncame O\n"},
    "jsonl": {"a.jsonl": json.dumps(
        {"id": "a", "text": "Señor Ruiz – came", "spans": [{"start": 0, "end": 10, "label": "NAME"}]},
        ensure_ascii=False)},
    "i2b2": {"a.xml": "<deIdi2b2><TEXT>Señor Ruiz – came</TEXT><TAGS>"
             '<NAME id="P0" start="0" end="10" text="Señor Ruiz" TYPE="NAME"/></TAGS></deIdi2b2>'},
}  # fmt: skip


@pytest.mark.parametrize("form", WINDOWS)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_windows_encodings_are_an_error_that_names_the_byte_and_are_read_when_declared(tmp_path, form, encoding):
    for name, content in WINDOWS[form].items():
        (tmp_path / name).write_bytes(content.encode(encoding))
    if encoding == "cp1252" or form != "i2b2":  # XML tells UTF-16 by its byte-order mark
        with pytest.raises(
            DataError, match=r"a(\.\w+)?(, line 1)?: byte \d+ is no UTF-8; it may be .*encoding="
        ) as error:
            list(Reading().documents(tmp_path, form, Losses()))
        assert "Ruiz" not in str(error.value)
        assert ("cp1252" if encoding == "cp1252" else "utf-16-le") in str(error.value)
    (document,) = Reading(encoding=encoding).documents(tmp_path, form, Losses())
    assert (document.id, document.text) == ("a", "Señor Ruiz – came")
    assert [document.text[s.start : s.end] for s in document.spans] == ["Señor Ruiz"]


TASKS = {
    "audio": ({"data": {"audio": "/data/upload/7.wav"}, "annotations": []}, "is a task of audio"),
    "image": ({"data": {"photo": "s3://bucket/scan 1/7.JPEG"}, "annotations": []}, "expected the note|task of photo"),
    "relative": ({"data": {"photo": "../scans/7.png"}, "annotations": [{"result": []}]}, "is a task of photo"),
}


@pytest.mark.parametrize("task", TASKS)
def test_tasks_of_sound_and_pictures_are_refused_or_counted(tmp_path, task):
    parsed, message = TASKS[task]
    text = {"id": 2, "data": {"text": "see 7.wav"}, "annotations": [{"result": []}]}
    (tmp_path / "a.json").write_text(json.dumps([parsed, text]))
    with pytest.raises(DataError, match=f"a.json, element 1: {message}"):
        list(Reading().documents(tmp_path, "jsonl", Losses()))
    losses = Losses("count")
    assert [d.text for d in Reading().documents(tmp_path, "jsonl", losses)] == ["see 7.wav"]
    assert losses.counts.total() == 1
