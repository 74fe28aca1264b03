"""Parts of a corpus: the notes of one institution, and so many notes drawn by a seed."""

import pytest

from deidlab.corpora import jsonl
from deidlab.corpora.loading import load_corpus
from deidlab.corpora.splits import drawn
from deidlab.types import ConfigError, DataError, Document, Span


@pytest.fixture
def corpus(tmp_path):
    """Twenty notes, every other one of the north."""
    notes = (
        Document(f"n{i}", "Ann", (Span(0, 3, "NAME"),), {"institution": ("north", "south")[i % 2]}) for i in range(20)
    )
    jsonl.write(notes, tmp_path / "notes.jsonl")
    settings = {"fractions": {"test": 0.2}, "cache_dir": tmp_path / "cache"}
    return lambda **keep: load_corpus(jsonl.read, tmp_path / "notes.jsonl", "own", keep=keep, **settings)


def test_what_is_kept_is_split(corpus):
    kept = corpus(institution="north")
    assert {split: len(notes) for split, notes in kept.documents.items()} == {"train": 8, "test": 2}
    assert {d.meta["institution"] for split in kept.documents for d in kept.iterate(split)} == {"north"}
    assert kept.meta_keys("test") == {"institution"}
    with pytest.raises(DataError, match="own has no split dev; it has train, test"):
        kept.meta_keys("dev")


def test_several_values_may_be_kept(corpus):
    assert sum(map(len, corpus(institution=["north", "south"]).documents.values())) == 20


def test_keeping_nothing_is_an_error(corpus):
    with pytest.raises(DataError, match="no documents in train"):
        corpus(institution="west")


NOTES = [Document(f"n{i}", "x") for i in range(50)]


def test_fewer_drawn_notes_are_a_part_of_more_whatever_the_order():
    few, more = (drawn(NOTES, n, seed=3) for n in (10, 25))
    assert len(few) == 10 and more[:10] == few
    assert drawn(NOTES[::-1], 10, seed=3) == few
    assert drawn(NOTES, 10, seed=4) != few


def test_all_notes_or_none_may_be_drawn_but_not_more():
    assert drawn(NOTES, None, seed=3) == NOTES
    assert drawn(NOTES, 0, seed=3) == []
    with pytest.raises(ConfigError, match="51 notes are wanted and 50 are there"):
        drawn(NOTES, 51, seed=3)
