"""Gaps between groups: recall beside a reference, paired on twins; and which types are missed."""

import pytest

from deidlab.metrics.fairness import check_twins, chosen, gaps, missed_types, pooled, twin_pairs
from deidlab.metrics.families import strict
from deidlab.metrics.intervals import Resamples
from deidlab.metrics.matching import exact
from deidlab.metrics.tables import SpanTable
from deidlab.types import ConfigError, DataError, Span

LABELS = ("PATIENT", "DATE")


def counted(gold, found):
    """Strict counts of documents, each given as a string of labels: P for PATIENT, D for DATE, one span a letter."""
    spans = [
        [
            [Span(3 * i, 3 * i + 2, {"P": "PATIENT", "D": "DATE"}[c]) for i, c in enumerate(one) if c != "."]
            for one in side
        ]
        for side in (gold, found)
    ]
    return strict(exact(*(SpanTable.of(side, LABELS) for side in spans)))


def people(families, cultures=("us", "hindi"), genders=("female", "male")):
    return [{"twin": str(f), "culture": c, "gender": g} for f in range(families) for c in cultures for g in genders]


# Ten families of a US and a Hindi woman and man; of the two names in a note the Hindi twin loses one.
META = people(10)
GOLD = ["PPD"] * 40
FOUND = ["PPD" if one["culture"] == "us" else "P.D" for one in META]


def find(found, **wanted):
    (gap,) = [g for g in found if all(getattr(g, k) == v for k, v in wanted.items())]
    return gap


def gaps_of(attribute, **settings):
    resamples = Resamples.of([one["twin"] for one in META], 200)
    return gaps({"strict": counted(GOLD, FOUND)}, META, attribute, ("PATIENT",), resamples, **settings)


def test_the_gap_in_names_is_absolute_and_relative_and_tested_in_pairs():
    gap = find(gaps_of("culture"), group="hindi", types="names")
    assert (gap.recall, gap.difference, gap.relative, gap.support, gap.pairs) == (0.5, -0.5, -0.5, 40, 20)
    assert gap.p_value == pytest.approx(1 / 201, abs=0.02)
    assert gap.difference_low == gap.difference_high == -0.5  # every family loses the same


def test_all_types_dilute_the_gap():
    gap = find(gaps_of("culture"), group="hindi", types="all")
    assert gap.recall == pytest.approx(2 / 3)
    assert gap.difference == pytest.approx(-1 / 3)


def test_where_the_groups_do_alike_nothing_is_found():
    gap = find(gaps_of("gender", kinds=("names",)), group="male")
    assert gap.difference == 0
    assert gap.p_value == 1


def test_the_reference_is_us_or_the_one_named():
    assert {gap.reference for gap in gaps_of("culture")} == {"us"}
    assert {gap.reference for gap in gaps_of("culture", reference="hindi")} == {"hindi"}
    with pytest.raises(ConfigError, match=r"reference\.culture=french: no document has it; there are hindi, us"):
        gaps_of("culture", reference="french")


def test_without_twins_groups_are_compared_as_they_are():
    gap = find(gaps_of("culture", twins=False), group="hindi", types="names")
    assert (gap.difference, gap.pairs) == (-0.5, None)
    assert gap.p_value < 0.05


def test_one_group_alone_has_no_gap():
    assert (
        gaps({"strict": counted(["P"], ["P"])}, [{"culture": "us"}], "culture", ("PATIENT",), Resamples.of("a", 9))
        == []
    )


def test_pairs_agree_in_every_other_attribute():
    meta = people(1)
    pairs = twin_pairs(meta, "culture", "us", "hindi")
    assert [(meta[a]["gender"], meta[b]["gender"]) for a, b in pairs] == [("female", "female"), ("male", "male")]


def test_pooled_counts_are_those_of_the_labels_chosen():
    counts = counted(["PPD", "D"], ["P.D", "D"])
    assert pooled(counts, ("PATIENT",)).total().tolist() == [[2, 1, 1, 1]]
    assert pooled(counts).total().tolist() == counts.total()[:1].tolist()
    assert chosen(pooled(counts), [1, 1]).total().tolist() == [[2, 2, 2, 2]]


IDS = tuple(f"note-{i}" for i in range(4))


def test_twins_are_families():
    check_twins(people(1), IDS, counted(["PD", "P", "P", "P"], [""] * 4), ("PATIENT",))


@pytest.mark.parametrize(
    ("meta", "gold", "message"),
    [
        (people(1, cultures=("us",), genders=("female",)), ["P"], "note-0: is the only document of twin family 0"),
        (people(1, cultures=("us", "us"), genders=("female",)), ["P", "P"], "two documents of one culture and gender"),
        (people(1), ["P", "P", "PP", "P"], "its documents differ in their number of names"),
    ],
)
def test_twins_that_are_none_are_an_error_that_says_how_to_go_on(meta, gold, message):
    with pytest.raises(DataError, match=message) as caught:
        check_twins(meta, IDS, counted(gold, [""] * len(gold)), ("PATIENT",))
    assert "evaluation.twins=false" in str(caught.value)


def test_missed_types_by_their_share():
    lines = missed_types(counted(["PPPD"], ["P.P."]))
    assert [(line["label"], line["gold"], line["missed"]) for line in lines] == [("DATE", 1, 1), ("PATIENT", 3, 1)]
    assert [line["share_of_missed"] for line in lines] == [0.5, 0.5]
    assert [line["ratio"] for line in lines] == [2, pytest.approx(2 / 3)]


def test_without_a_miss_there_is_no_ratio():
    assert [line["ratio"] for line in missed_types(counted(["PD"], ["PD"]))] == [None, None]
