"""Of whom a sentence may be said: on notes, and on templates one can see."""

import random
import re

import pytest

from deidlab.synthesis.audience import age_tag, bits_of, said_of, stage_tag, tags
from deidlab.synthesis.grammar import Grammar, Only, expand
from deidlab.synthesis.resources import load_yaml
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.stream import generate


def drawn(grammar, tag, n=300):
    rng = random.Random(3)
    return {"".join(map(str, expand(grammar.symbols["start"], {}, rng, audience=bits_of(*tag)))) for _ in range(n)}


def test_words_are_found_whole_in_any_case_and_names_of_units_as_they_are():
    sex = list(load_yaml("audience.yaml")).index("sex")
    assert said_of("Cervix closed")[sex] == said_of("the cervix is closed")[sex] == tags()["woman"]
    assert said_of("Prostate smooth")[sex] == tags()["man"]
    assert said_of("cervical spine")[sex] == 0
    assert said_of("Nothing to see") == (0,) * len(load_yaml("audience.yaml"))


def test_alternatives_are_drawn_for_whom_they_fit():
    sources = {"start": ["[Cervix closed|Prostate smooth|Deferred].", "{2-3 finding;}"], "finding": ["IUD in place",
               "enlarged prostate", "rash", "pallor", "edema"]}  # fmt: skip
    grammar = Grammar.compile(sources, said_of=said_of)
    men, women = drawn(grammar, ["man", "adult", "urine"]), drawn(grammar, ["woman", "adult", "urine"])
    assert "Prostate smooth." in men and "Deferred." in men and not any("Cervix" in t or "IUD" in t for t in men)
    assert "Cervix closed." in women and not any("rostate" in t for t in women)
    assert any("Cervix" in t for t in drawn(grammar, tags())), "whom everything fits"


def test_a_choice_of_which_every_part_asks_for_something_makes_the_whole_ask():
    grammar = Grammar.compile({"start": ["[Mirena|Nexplanon] [in place|removed].", "No device."]}, said_of=said_of)
    (first, second) = grammar.symbols["start"]
    assert type(first) is Only and type(second) is not Only
    assert drawn(grammar, ["man", "adult", "worker"]) == {"No device."}


@pytest.mark.parametrize(
    "years, unit, expected",
    [(11, "month", "infant"), (3, "day", "infant"), (2, "year", "child"), (12, "year", "child"), (13, "year", "teen"),
     (18, "year", "adult"), (90, "year", "adult")],
)  # fmt: skip
def test_ages_have_their_group(years, unit, expected):
    assert age_tag(years, unit) == expected


def test_work_ends_at_sixty_six():
    assert (stage_tag(65), stage_tag(66)) == ("worker", "elder")


FOREIGN = {
    "male": r"\b(IUD|cervix|uterus|menses|lochia|Mirena|hysterectomy|G\dP\d)\b",
    "female": r"\b(prostate|PSA|testes|vasectomy|TURP|BPH)\b",
}


def test_no_man_has_a_cervix_and_no_woman_a_prostate():
    for note in generate(Settings(cultures=None), 600, seed=8):
        kin = re.sub(
            r"(?i)(no|sister|brother|mother|father|aunt|uncle|relatives|positive|negative)[^.\n]*", "", note.text
        )
        found = re.search(FOREIGN[note.meta["gender"]], kin)
        assert not found or note.meta["condition"] in ("cervix", "prostate"), (note.id, found)


def test_no_infant_drinks_or_works():
    seen = 0
    for note in generate(Settings(cultures={"us": 1}, note_types=["progress_note"]), 1500, seed=2):
        if note.meta["condition"] in ("newborn",):
            seen += 1
            assert not re.search(r"(?i)\b(beers?|divorced|retired|mortgage|Lipitor|ppd)\b", note.text), note.id
    assert seen > 5
