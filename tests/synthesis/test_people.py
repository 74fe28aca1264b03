"""Names: cultures, genders and splits kept apart, and words that are names known as such."""

import random
import re

import pytest

from deidlab.synthesis.cast import fill_pattern, plain_letters
from deidlab.synthesis.people import GENDERS, Person, cultures, dealt, in_split, is_ambiguous, name_pool, rare_surnames
from deidlab.synthesis.resources import load_all, load_yaml
from deidlab.types import ConfigError

ASKED = "us british indian nigerian australian canadian mandarin hindi spanish french bengali arabic vietnamese korean"


def test_the_cultures_asked_for_are_there():
    assert set(ASKED.split()) <= set(cultures()) == set(load_yaml("places.yaml"))


@pytest.mark.parametrize("culture", cultures())
def test_given_names_of_women_and_men_are_apart(culture):
    pool = name_pool(culture, None)
    assert not set(pool.given["female"]) & set(pool.given["male"])
    assert min(len(pool.given[g]) for g in GENDERS) >= 35 and len(pool.family) >= 40


@pytest.mark.parametrize("culture", cultures())
def test_splits_share_no_name(culture):
    pools = [name_pool(culture, split) for split in ("train", "validation", "test")]
    for i, one in enumerate(pools):
        for other in pools[i + 1 :]:
            assert not set(one.family) & set(other.family)
            assert not set(one.given["female"]) & set(other.given["female"])


def test_who_types_without_accents_writes_the_same_name():
    for split in ("train", "validation", "test"):
        assert in_split("García", split) == in_split("Garcia", split)
        assert in_split("Đức", split) == in_split("Duc", split)


def test_a_short_list_leaves_no_split_empty_and_shares_nothing():
    cities = [f"city {i}" for i in range(5)]
    dealt_out = [dealt(cities, split) for split in ("train", "validation", "test")]
    assert all(dealt_out) and sorted(city for share in dealt_out for city in share) == cities
    assert dealt(cities, None) == cities


def test_invented_names_are_apart_too():
    assert not set(rare_surnames("train")) & set(rare_surnames("test"))
    assert in_split("Anything", None)


def everyday_words():
    """The words in small letters of every template: what clinicians write when they name nobody."""
    for folder in ("grammar", "conditions", "operations", "studies", "specimens"):
        for card in load_all(folder).values():
            fields = [card] if isinstance(card, list) else [v for k, v in card.items() if k not in ("sex", "ages")]
            for template in (str(t) for field in fields for t in field):
                plain = re.sub(r"\{[^}]*\}|[\w'-]*[A-Z][\w'-]*", " ", template)
                yield from re.findall(r"[a-z]{2,}", plain)


def test_names_that_are_everyday_words_are_tagged():
    tagged = set(load_yaml("ambiguous.yaml")["tagged"].split())
    words = set(everyday_words())
    for culture in cultures():
        pool = name_pool(culture, None)
        found = {n for n in (*pool.given["female"], *pool.given["male"], *pool.family) if n.lower() in words}
        assert found <= tagged, f"{culture}: tag or leave out {sorted(found - tagged)}"
    assert is_ambiguous(Person("Grace", "", "Okafor", "female", "Grace", ""))
    assert not is_ambiguous(Person("Ngozi", "", "Okafor", "female", "Ngozi", ""))


def test_native_scripts_are_native():
    assert not any(n.isascii() for n in name_pool("mandarin", None, native=True).family)
    assert name_pool("hindi", None).family[0].isascii()


def test_accents_go_and_other_scripts_stay():
    assert plain_letters("Łukasz Nuñez Đặng") == "Lukasz Nunez Dang"
    assert plain_letters("王芳") == "王芳"


def test_patterns():
    filled = fill_pattern("(N##) N##-####", random.Random(0))
    assert re.fullmatch(r"\([2-9]\d\d\) [2-9]\d\d-\d{4}", filled)
    assert fill_pattern("NHS-N #", random.Random(0)).startswith("NHS-")
    assert fill_pattern("no pattern", random.Random(0)) == "no pattern"


def test_an_unknown_culture_lists_the_choices():
    with pytest.raises(ConfigError, match=r"unknown culture 'elvish'; choose from .*korean"):
        name_pool("elvish", None)
