"""What the lists say of a word, whatever note it stands in."""

import pytest

from deidlab.redaction.name_lists import culture_of, folded, gender_of, leaning, likely_gender, pool, script_of


def test_one_name_in_every_casing_and_with_or_without_accents():
    assert {folded(w) for w in ("García", "GARCIA", "garci\u0301a")} == {"garcia"}
    assert folded("O’Neil") == "o'neil" and folded("Łukasz") == "lukasz"
    assert folded("सुनीता") == "सुनीता"


@pytest.mark.parametrize(("word", "slot"), [("john", "given"), ("smith", "family"), ("maria", "given"), ("xqzt", "")])
def test_given_or_family(word, slot):
    assert leaning(word) == slot


def test_gender_by_the_lists_and_else_by_the_ending():
    assert (gender_of("jennifer"), gender_of("robert"), gender_of("xqzt")) == ("female", "male", None)
    assert likely_gender("zorbalina") == "female" and likely_gender("zorballdo") == "male"


@pytest.mark.parametrize(
    ("word", "culture"),
    [("zhangwei", "mandarin"), ("kowalczewski", "polish"), ("okonkwoha", "nigerian"), ("王", "mandarin")],
)
def test_culture_of_names_on_no_list_by_their_letters(word, culture):
    assert culture_of(word, "family") == culture


def test_a_spanish_note_makes_a_shared_name_spanish():
    assert culture_of("maria", "given", spanish=True) == "spanish"
    assert culture_of("smith", "family", spanish=True) == "anglo"


def test_pools_hold_single_names_that_are_no_words():
    names = pool("family", "", "anglo", "w", False)
    assert len(names) > 20 and all(name[0] == "W" and name.isalpha() for name in names)
    assert {"White", "Wall", "Winter"}.isdisjoint(names)
    assert set(names) < set(pool("family", "", "anglo", "", False))


def test_scripts():
    assert [script_of(w) for w in ("smith", "ñandu", "王伟", "김", "иван")] == [None, None, "mandarin", "korean", None]
