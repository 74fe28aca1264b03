"""A label set grows without disturbing what is numbered already, and tags are known again by what they mean."""

import pytest

from deidlab.extending import extended, origins
from deidlab.labels import LabelSet
from deidlab.types import ConfigError

BASE = LabelSet(
    "base", ("PATIENT", "DATE"), "BIO",
    maps={"ours": {"NAME": "PATIENT", "SEX": "O"}},
    coarse={"category": {"PATIENT": "NAME", "DATE": "DATE"}, "binary": {"PATIENT": "PHI", "DATE": "PHI"}},
    names=("PATIENT",),
)  # fmt: skip


def test_new_types_come_after_the_old_ones_whose_tags_keep_their_numbers():
    grown = extended(BASE, {"SEX": "OTHER", "WARD": "LOCATION"})
    assert grown.tags[: len(BASE.tags)] == BASE.tags
    assert grown.types[2:] == ("SEX", "WARD") and grown.names == BASE.names
    assert (grown.coarse["category"]["WARD"], grown.coarse["binary"]["WARD"]) == ("LOCATION", "PHI")


def test_a_label_that_had_no_place_has_one_when_a_type_of_its_name_is_added():
    assert BASE.mapping_for("ours", ["NAME", "SEX"]) == {"NAME": "PATIENT", "SEX": "O"}
    assert extended(BASE, {"SEX": "OTHER"}).mapping_for("ours", ["NAME", "SEX"])["SEX"] == "SEX"
    mapped = extended(BASE, {"GENDER": "OTHER"}, {"ours": {"SEX": "GENDER"}, "theirs": {"WHEN": "DATE"}})
    assert mapped.mapping_for("ours", ["NAME", "SEX"]) == {"NAME": "PATIENT", "SEX": "GENDER"}
    assert mapped.mapping_for("theirs", ["WHEN"]) == {"WHEN": "DATE"}


def test_nothing_added_is_the_same_set_and_a_type_twice_is_refused():
    assert extended(BASE).to_dict() == BASE.to_dict()
    with pytest.raises(ConfigError, match=r"labels.add has DATE, which label set base has already"):
        extended(BASE, {"DATE": "DATE"})


def test_equal_types_are_known_whatever_their_place_and_new_ones_are_not():
    turned = LabelSet("turned", ("NEW", "DATE"), "BIO")
    assert origins(BASE, turned) == ((0,), (), (), (3,), (4,))


def test_a_type_is_known_by_the_map_from_the_other_label_set_where_names_differ():
    other = LabelSet("other", ("PERSON", "DATE"), "BIO", maps={"base": {"PATIENT": "PERSON", "DATE": "DATE"}})
    assert origins(BASE, other) == ((0,), (1,), (2,), (3,), (4,))
    fewer = LabelSet("fewer", ("PHI",), "BIO", maps={"base": {"PATIENT": "PHI", "DATE": "PHI"}})
    assert origins(BASE, fewer) == ((0,), (1, 3), (2, 4)), "a type may gather several"


def test_prefixes_are_known_by_their_role():
    finer = LabelSet("base", BASE.types, "BIOES")
    tags = dict(zip(finer.tags, origins(BASE, finer), strict=True))
    begin, inside = (BASE.tag_ids[f"{p}-DATE"] for p in "BI")
    assert [tags[f"{p}-DATE"] for p in "BIES"] == [(begin,), (inside,), (inside,), (begin,)]
    assert origins(finer, BASE)[3] == (finer.tag_ids["B-DATE"], finer.tag_ids["S-DATE"])
