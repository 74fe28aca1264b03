"""Coined words: many, always the same, and none of them on a list of names."""

from deidlab.synthesis.coinage import COUNT, coined
from deidlab.synthesis.grammar import Shares
from deidlab.synthesis.notes import write_note
from deidlab.synthesis.people import cultures, name_pool
from deidlab.synthesis.settings import Settings


def test_every_kind_has_many_different_words():
    for symbol, words in coined().items():
        assert len(set(words)) == len(words) == COUNT, symbol
        assert all(word.isalnum() for word in words), symbol


def test_drugs_are_hardly_ever_names():
    names = {name for culture in cultures() for name in _names(culture)}
    assert len(names.intersection(w.lower() for w in coined()["coined_drug"])) < COUNT / 50


def _names(culture):
    pool = name_pool(culture, None)
    return (n.lower() for n in (*pool.given["female"], *pool.given["male"], *pool.family))


def test_splits_share_no_coined_word():
    words = coined()["coined_drug"]
    kept = [set(Shares().keep(list(words), split)) for split in ("train", "validation", "test")]
    assert not (kept[0] & kept[1] | kept[0] & kept[2] | kept[1] & kept[2])


def test_they_stand_in_notes_without_a_label():
    drugs = {w for w in coined()["coined_drug"] if w.istitle()}
    chosen, met = Settings(note_types=["progress_note"]), 0
    for index in range(200):
        note = write_note(chosen, 0, index)
        labelled = {w for s in note.spans for w in note.text[s.start : s.end].split()}
        met += bool(drugs.intersection(note.text.split()) - labelled)
    assert met > 15
