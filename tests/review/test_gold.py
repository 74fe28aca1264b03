import json

import pytest

from deidlab.corpora import brat, i2b2_2014, jsonl
from deidlab.corpora.loading import load_corpus
from deidlab.review.gold import export
from deidlab.types import ConfigError, DataError, Document, Losses, Span

READERS = {"brat": brat.read, "i2b2": i2b2_2014.read, "jsonl": jsonl.read}
SMITH, DATE, BELL, JONES = (
    Span(3, 8, "PATIENT"), Span(26, 36, "DATE"), Span(50, 54, "PATIENT"), Span(43, 48, "DOCTOR"),
)  # fmt: skip


@pytest.fixture
def decide(desk):
    def go(who, number, action, span=None, to=None):
        entry = desk.queue.entries[number]
        revision = desk.opinions.held(who, entry.id).revision
        desk.decide(number, entry.fingerprint, who, revision, action, span, to)

    return go


def written(folder, form="jsonl") -> dict[str, Document]:
    return {one.id: one for one in READERS[form](folder, Losses())}


@pytest.mark.parametrize("form", READERS)
def test_gold_is_read_back_as_a_corpus(desk, decide, tmp_path, form):
    decide("Ada", 0, "reject", BELL)
    decide("Ada", 0, "change", DATE, Span(21, 36, "DATE"))
    decide("Ada", 0, "accept", JONES)
    decide("Ada", 0, "finish")
    decide("Ada", 2, "finish")
    decide("Ada", 1, "reject", Span(3, 9, "PATIENT"))  # begun, not finished
    made = export(desk.opinions, tmp_path / "gold", form)
    assert (made.written, made.unreviewed, made.disputed) == (2, 1, 0)
    corpus = load_corpus(READERS[form], tmp_path / "gold", "own", split="all", cache_dir=tmp_path / "cache")
    back = {one.id: one for one in corpus.iterate("test")}
    first = desk.queue[0].document
    assert back["n-1"].text == first.text
    assert back["n-1"].spans == (SMITH, Span(21, 36, "DATE"), JONES)
    assert all(span.score is None for one in back.values() for span in one.spans)
    assert set(back) == {"n-1", "n-3"}
    assert (back["n-1"].meta.get("patient") == "p-1") == (form == "jsonl")
    about = json.loads((tmp_path / "gold" / "about" / "review.json").read_text("utf-8"))
    assert about["notes"] == {"written": 2, "not_finished": 1, "left_out_as_disputed": 0}
    lost = [] if form == "jsonl" else [{"reason": "meta_without_place", "label": "patient", "count": 1}]
    assert about["losses"] == lost
    assert "Smith" not in json.dumps(about)


def test_where_two_differ_the_note_is_left_out_and_the_spans_are_listed(desk, decide, tmp_path):
    for who in ("Ada", "Ben"):
        decide(who, 1, "finish")
    decide("Ada", 0, "reject", BELL)
    decide("Ada", 0, "finish")
    decide("Ben", 0, "finish")
    made = export(desk.opinions, tmp_path / "gold", "jsonl")
    assert set(written(tmp_path / "gold")) == {"n-2"}
    assert [(d.note, d.span, d.wanted_by, d.unwanted_by) for d in made.disputes] == [("n-1", BELL, ("Ben",), ("Ada",))]
    about = json.loads((tmp_path / "gold" / "about" / "review.json").read_text("utf-8"))
    assert about["disputes"] == [
        {"id": "n-1", "start": 50, "end": 54, "label": "PATIENT", "wanted_by": ["Ben"], "unwanted_by": ["Ada"]}
    ]
    assert about["agreement"][0]["notes"] == 2 and about["agreement"][0]["different"] == 1
    assert about["finished_by"] == {"Ada": 2, "Ben": 2}

    # One reviewer's gold has no disputes; nor has the merged one when somebody has the last word.
    export(desk.opinions, tmp_path / "ben", "jsonl", reviewer="Ben")
    assert written(tmp_path / "ben")["n-1"].spans == (SMITH, DATE, BELL)
    export(desk.opinions, tmp_path / "final", "jsonl", final="Ada")
    assert written(tmp_path / "final")["n-1"].spans == (SMITH, DATE)


def test_of_three_the_majority_decides(desk, decide, tmp_path):
    for who in ("Ada", "Ben", "Cem"):
        if who != "Cem":
            decide(who, 0, "reject", BELL)
        if who != "Ada":
            decide(who, 0, "accept", JONES)
        decide(who, 0, "finish")
    made = export(desk.opinions, tmp_path / "gold", "jsonl")
    assert written(tmp_path / "gold")["n-1"].spans == (SMITH, DATE, JONES)
    assert (made.outvoted, made.disputed) == (2, 0)


def test_a_name_that_all_mark_and_nobody_cuts_alike_is_no_note_without_it(desk, decide, tmp_path):
    decide("Ada", 0, "change", BELL, Span(45, 54, "PATIENT"))
    decide("Ben", 0, "change", BELL, Span(50, 54, "DOCTOR"))
    for who in ("Ada", "Ben", "Cem"):
        decide(who, 0, "finish")
        decide(who, 2, "finish")
    made = export(desk.opinions, tmp_path / "gold", "jsonl")
    assert (made.written, made.disputed) == (1, 1)
    assert {(dispute.span, dispute.wanted_by) for dispute in made.disputes} == {
        (Span(45, 54, "PATIENT"), ("Ada",)), (Span(50, 54, "DOCTOR"), ("Ben",)), (BELL, ("Cem",)),
    }  # fmt: skip


def test_what_cannot_be_exported_says_why(desk, decide, tmp_path):
    with pytest.raises(DataError, match="no note has been finished yet"):
        export(desk.opinions, tmp_path / "gold", "brat")
    decide("Ada", 0, "finish")
    with pytest.raises(ConfigError, match="unknown format 'pdf'; choose from jsonl, brat, i2b2"):
        export(desk.opinions, tmp_path / "gold", "pdf")
    with pytest.raises(ConfigError, match="'Eve' has decided nothing in this queue; Ada has"):
        export(desk.opinions, tmp_path / "gold", "brat", reviewer="Eve")
    assert not (tmp_path / "gold").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DataError, match="not empty"):
        export(desk.opinions, tmp_path / "full", "brat")


def test_an_export_that_fails_leaves_nothing_that_looks_whole(desk, decide, tmp_path, monkeypatch):
    from deidlab.corpora import writing

    def full(*_, **__):
        raise DataError("the disk is full")

    decide("Ada", 0, "finish")
    monkeypatch.setattr("deidlab.review.gold.report", full)
    with pytest.raises(DataError, match="full"):
        export(desk.opinions, tmp_path / "gold", "jsonl")
    assert not (tmp_path / "gold").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError), writing.whole(tmp_path / "empty") as folder:
        (folder / "half").touch()
        raise DataError("x")
    assert not list((tmp_path / "empty").iterdir())
