"""Mentions: the same person throughout, shapes of names, ages and dates with their labels."""

import random
from datetime import date

import pytest

from deidlab.synthesis.cast import Cast
from deidlab.synthesis.facts import Facts
from deidlab.synthesis.grammar import Mention
from deidlab.synthesis.mentions import Manner, Realiser
from deidlab.types import ConfigError

FACTS = Facts(date(2019, 3, 4), date(1974, 1, 2), 45, "year", {"rel": "spouse", "rel2": "child"},
              {"rel": "other", "rel2": "female", "dr": "male"})  # fmt: skip


def realiser(gender="female", culture="us", convention="whole", seed=0, facts=FACTS):
    cast = Cast(facts, culture, gender, random.Random(seed))
    return Realiser(cast, Manner(("m/d/Y",), ("-year-old",), 0.0, 0.0, convention), random.Random(seed))


def said(realise, mention):
    return "".join(text for text, _ in realise(Mention(*mention.split(".", 1))))


def test_a_person_is_the_same_throughout():
    realise = realiser()
    first, last = said(realise, "pt.first"), said(realise, "pt.last")
    assert said(realise, "pt.full") == f"{first} {last}"
    assert said(realise, "pt.lastfirst") == f"{last}, {first}"
    assert said(realise, "pt.LASTFIRST") == f"{last}, {first}".upper()
    assert said(realise, "pt.flast") == f"{first[0]}. {last}"
    assert said(realise, "pt.mrn") == said(realise, "pt.mrn")
    assert said(realise, "site.phone") != said(realise, "pt.phone")


def test_roles_have_their_labels():
    realise = realiser()
    labels = {role: realise(Mention(role, "last"))[0][1] for role in ("pt", "rel", "dr", "rn", "other")}
    assert labels == {
        "pt": "patient_name", "rel": "relative_name", "dr": "clinician_name", "rn": "clinician_name",
        "other": "person_name",
    }  # fmt: skip


def test_words_agree_with_gender():
    her, him = realiser("female"), realiser("male")
    assert (said(her, "pt.he"), said(her, "pt.himself"), said(her, "rel.noun")) == ("she", "herself", "husband")
    assert (said(him, "pt.he"), said(him, "pt.himself"), said(him, "rel.noun")) == ("he", "himself", "wife")
    assert said(her, "pt.mr") in ("Ms.", "Mrs.", "Miss", "Ms") and said(him, "pt.mr") in ("Mr.", "Mr")


def test_an_age_is_the_number_alone():
    assert realiser()(Mention("pt", "aged")) == [("45", "age"), ("-year-old", None)]
    old = Facts(date(2019, 3, 4), date(1925, 1, 2), 94, "year", {}, {})
    assert realiser(facts=old)(Mention("pt", "age")) == [("94", "age_over_89")]
    infant = Facts(date(2019, 3, 4), date(2018, 6, 2), 9, "month", {}, {})
    assert realiser(facts=infant)(Mention("pt", "aged"))[0] == ("9", "age")


@pytest.mark.parametrize(("age", "article"), [(8, "an"), (11, "an"), (18, "an"), (45, "a"), (80, "an"), (90, "a")])
def test_the_article_fits_the_age(age, article):
    facts = Facts(date(2019, 3, 4), date(1974, 1, 2), age, "year", {}, {})
    assert said(realiser(facts=facts), "pt.an") == article


def test_dates_keep_to_the_story():
    realise = realiser()
    assert realise(Mention("d", "visit")) == [("3/4/2019", "date")]
    assert realise(Mention("d", "dob")) == [("1/2/1974", "date_of_birth")]
    assert realise(Mention("d", "visit:y")) == [("2019", "year")]
    assert [label for _, label in realise(Mention("d", "visit:dt"))] == ["date", None, "time"]


def test_parts_keep_first_and_last_names_apart():
    assert [label for _, label in realiser(convention="parts")(Mention("pt", "full"))] == [
        "patient_first_name", None, "patient_last_name",
    ]  # fmt: skip


def test_an_unknown_mention_is_named():
    with pytest.raises(ConfigError, match=r"\{pt\.shoe\}"):
        realiser()(Mention("pt", "shoe"))
