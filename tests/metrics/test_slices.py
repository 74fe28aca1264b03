"""Slices are the documents that share a value of a key or of a crossing of keys."""

import pytest

from deidlab.metrics.slices import NONE, automatic, check, length_bin, parse, slices
from deidlab.types import ConfigError

META = [
    {"culture": "us", "gender": "female", "length_bin": "1000-2999"},
    {"culture": "us", "gender": "male", "length_bin": "0-99"},
    {"culture": "hindi", "gender": "female", "length_bin": "100-299"},
    {"culture": "hindi", "gender": "female"},
]


def members(key):
    return {one.name: one.members.tolist() for one in slices(META, key)}


def test_every_value_is_a_slice():
    assert members(("culture",)) == {"culture=hindi": [2, 3], "culture=us": [0, 1]}


def test_keys_cross():
    assert members(("culture", "gender")) == {
        "culture=hindi, gender=female": [2, 3],
        "culture=us, gender=female": [0],
        "culture=us, gender=male": [1],
    }


def test_bins_of_length_stand_in_the_order_of_length_and_documents_without_a_value_are_shown():
    assert list(members(("length_bin",))) == [
        f"length_bin={NONE}",
        "length_bin=0-99",
        "length_bin=100-299",
        "length_bin=1000-2999",
    ]


@pytest.mark.parametrize(
    ("words", "bin_"), [(0, "0-99"), (99, "0-99"), (100, "100-299"), (2999, "1000-2999"), (3000, "3000+")]
)
def test_bins_of_length(words, bin_):
    assert length_bin(words) == bin_


def test_a_key_that_no_document_has_lists_those_there_are():
    with pytest.raises(
        ConfigError, match=r"no document has hospital; there are culture, gender, length_bin, rare_name"
    ):
        check(parse(["culture", ["hospital", "gender"]]), {"culture", "gender"})
    check(parse(["culture", "length_bin", "rare_name"]), {"culture"})


@pytest.mark.parametrize("wrong", ["culture", [1], [["rare_name", "culture"]]])
def test_what_is_no_list_of_keys_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"evaluation\.slices"):
        parse(wrong)


def test_automatic_slices_are_the_known_keys_that_differ():
    assert automatic(META) == (("culture",), ("gender",), ("length_bin",))
    assert automatic([{"culture": "us", "patient": str(i)} for i in range(3)]) == ()


def test_a_table_of_every_patient_is_refused():
    with pytest.raises(ConfigError, match="patient has 201 values"):
        slices([{"patient": str(i)} for i in range(201)], ("patient",))
