"""Conversions: patients stay together, what exists stays, and half a corpus is never left behind."""

import pytest

from deidlab.corpora import jsonl, writing
from deidlab.corpora.converting import Cut, convert, read_splits
from deidlab.corpora.reading import Reading
from deidlab.types import ConfigError, DataError, Document, Losses, Span

NOTES = [Document(f"p{n % 7}-{n}", f"Anna {n} 😀", (Span(0, 4, "NAME"),), {"patient": f"p{n % 7}"}) for n in range(40)]


@pytest.fixture
def notes(tmp_path):
    jsonl.write(NOTES, tmp_path / "notes.jsonl")
    return tmp_path / "notes.jsonl"


def converted(source, out, form="brat", losses=None, **settings):
    return convert(source, out, form, reading=Reading(), losses=losses or Losses(), **settings)


def test_a_split_by_patient_parts_no_patient_and_loses_no_note(notes, tmp_path):
    written = converted(notes, tmp_path / "out", "jsonl", cutting=Cut.parsed(".6/.2/.2", "patient", 1))
    splits = read_splits(tmp_path / "out", Reading(), Losses())
    assert {name: len(found) for name, found in splits.items()} == written
    assert sorted(d.id for found in splits.values() for d in found) == sorted(d.id for d in NOTES)
    patients = [{d.meta["patient"] for d in found} for found in splits.values()]
    assert set(splits) == {"train", "validation", "test"} and sum(map(len, patients)) == 7


def test_splits_that_are_there_stay_and_are_not_cut_again(notes, tmp_path):
    converted(notes, tmp_path / "one", cutting=Cut.parsed(".5/.25/.25", "patient", 0))
    losses = Losses()
    written = converted(tmp_path / "one", tmp_path / "two", "cas_json", losses)
    assert set(written) == {"train", "validation", "test"} and losses.rows() == []
    with pytest.raises(ConfigError, match="has splits already"):
        converted(tmp_path / "one", tmp_path / "three", cutting=Cut.parsed(".5/.25/.25", "patient", 0))


def test_notes_without_patients_are_an_error_unless_each_stands_alone(notes, tmp_path):
    converted(notes, tmp_path / "brat")
    with pytest.raises(DataError, match=r"no note says its patient: .*--patient-pattern.*--split-by-note"):
        converted(tmp_path / "brat", tmp_path / "out", cutting=Cut.parsed(".8/.1/.1", "patient", 0))
    written = converted(tmp_path / "brat", tmp_path / "out", cutting=Cut.parsed(".8/.1/.1", "document", 0))
    assert sum(written.values()) == 40


@pytest.mark.parametrize("shares", [".8/.2", ".8/.1/.2", "a/b/c", "-.1/.6/.5", ""])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ConfigError, match="expected those of train, validation and test"):
        Cut.parsed(shares, "patient", 0)


def test_an_error_leaves_no_half_of_a_corpus_behind(tmp_path):
    jsonl.write([Document("a", "fine"), Document("b", "NUL \0")], tmp_path / "notes.jsonl")
    with pytest.raises(DataError, match=r"b: U\+0000"):
        converted(tmp_path / "notes.jsonl", tmp_path / "out", "i2b2")
    assert not (tmp_path / "out").exists()
    losses = Losses("count")
    assert converted(tmp_path / "notes.jsonl", tmp_path / "out", "i2b2", losses) == {None: 1}
    assert losses.rows() == [{"reason": "not_carried", "label": "-", "count": 1}]


def test_an_error_empties_a_folder_that_was_there(tmp_path):
    jsonl.write([Document("a", "fine"), Document("b", "NUL \0")], tmp_path / "notes.jsonl")
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with pytest.raises(DataError, match=r"b: U\+0000"):
        converted(tmp_path / "notes.jsonl", tmp_path / "out", "i2b2")
    assert list((tmp_path / "real").iterdir()) == []


def test_notes_in_and_outside_of_split_folders_are_asked_about(tmp_path):
    for folder in ("train", "oncology"):
        jsonl.write([Document(folder, "fine")], tmp_path / "in" / folder / "notes.jsonl")
    with pytest.raises(ConfigError, match="some of its notes lie below train and some do not"):
        converted(tmp_path / "in", tmp_path / "out", "brat")


def test_a_scheme_that_is_none_and_a_folder_below_a_file_are_said(notes, tmp_path):
    with pytest.raises(ConfigError, match="unknown scheme 'IOB'; choose from"):
        convert(notes, tmp_path / "out", "conll", reading=Reading(), losses=Losses(), scheme="IOB")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/out: .*; name a new folder"):
        converted(notes, tmp_path / "file" / "out", "brat")


def test_what_is_there_is_not_written_over(notes, tmp_path):
    writing.write(NOTES[:1], tmp_path / "out", "brat")
    with pytest.raises(DataError, match="is not empty; name a new folder"):
        converted(notes, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_map_that_misses_a_label_is_refused_before_anything_is_written(notes, tmp_path):
    with pytest.raises(DataError, match=r"map.yaml has no line for NAME"):
        converted(notes, tmp_path / "out", mapping={"CITY": "CITY"}, map_name="map.yaml")
    assert not (tmp_path / "out").exists()
