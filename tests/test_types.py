import pytest

from deidlab.types import ConfigError, DataError, Document, Losses


def test_the_repr_of_a_document_holds_no_text():
    assert "Smith" not in repr(Document("d1", "Mr. Smith"))


def test_the_fingerprint_tells_texts_apart_and_takes_any_text():
    assert Document("a", "x").fingerprint == Document("b", "x").fingerprint != Document("a", "y").fingerprint
    assert len(Document("a", "\ud800").fingerprint) == 16


def test_a_fault_raises_or_counts_as_on_error_says():
    with pytest.raises(DataError, match=r"d1: bad .*data\.on_error=count"):
        Losses("raise").fault("r", "L", "d1: bad")
    losses = Losses("count")
    losses.fault("r", "L", "d1: bad")
    losses.count("r", "L", 2)
    assert losses.rows() == [{"reason": "r", "label": "L", "count": 3}]


def test_on_error_takes_two_words_only():
    with pytest.raises(ConfigError, match="'raise' or 'count'"):
        Losses("ignore")
