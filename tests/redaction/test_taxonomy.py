"""Every label of every label set means a type of identifier."""

from pathlib import Path

import pytest
import yaml

from deidlab.redaction.taxonomy import normalised, taxonomy

# Those that are whole: `extended` is made of another and what a user adds.
LABEL_SETS = [f for f in sorted((Path(__file__).parents[2] / "conf" / "labels").glob("*.yaml")) if f.stem != "extended"]


@pytest.mark.parametrize("file", LABEL_SETS, ids=lambda f: f.stem)
def test_every_type_of_a_label_set_has_a_place(file):
    content = yaml.safe_load(file.read_text("utf-8"))
    labels = {*content["types"], *(label for labels in content["maps"].values() for label in labels)}
    assert not {label for label in labels if normalised(label) not in taxonomy().type_of}


def test_names_of_a_label_set_are_names_here():
    for file in LABEL_SETS:
        for label in yaml.safe_load(file.read_text("utf-8"))["names"]:
            assert taxonomy().group_of[taxonomy().type_of[label]] == "NAME"


def test_labels_are_read_whatever_their_casing():
    assert normalised("Location-Other") == "LOCATION_OTHER"
    assert taxonomy().type_of[normalised("first_name")] == "FIRST_NAME"
