"""Label maps: what is drafted with confidence is right, the rest is left to a person, and nothing is mapped unasked."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidlab.corpora.label_maps import (
    UNSURE,
    check_complete,
    drafted,
    guess,
    load_labels,
    load_map,
    relabelled,
)
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError, Document, Losses, Span

CONF = Path(__file__).parents[2] / "conf" / "labels"
I2B2 = load_labels(CONF / "i2b2_2014.yaml")


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("PATIENT", "PATIENT"), ("patient", "PATIENT"), ("Location-Other", "LOCATION-OTHER"),
        ("NOMBRE_SUJETO_ASISTENCIA", "PATIENT"), ("phone_number", "PHONE"), ("HCW", "DOCTOR"), ("zip code", "ZIP"),
        ("blood_pressure", None), ("NAMES", None), ("Doc", None),
    ],
)  # fmt: skip
def test_a_guess_is_sure_or_open(label, kind):
    assert guess(label, I2B2).type == kind


def test_every_label_of_meddocan_finds_the_type_that_the_label_set_maps_it_to():
    meddocan = load_labels(CONF / "meddocan.yaml")
    assert {label: guess(label, I2B2).type for label in meddocan.types} == I2B2.maps["meddocan"]


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), unique=True, max_size=6))
def test_a_draft_is_yaml_with_each_label_whatever_its_characters(tmp_path_factory, labels):
    file = tmp_path_factory.mktemp("maps") / "map.yaml"
    file.write_text(drafted(dict.fromkeys([*labels, "no", "1"], 3), I2B2), "utf-8")
    content = yaml.safe_load(file.read_text("utf-8"))["map"]
    assert set(content) == {*labels, "no", "1"}
    assert set(content.values()) <= {*I2B2.types, "O", UNSURE}


def test_a_map_with_open_lines_is_refused_and_a_settled_one_is_taken(tmp_path):
    file = tmp_path / "map.yaml"
    file.write_text(drafted({"PATIENT": 2, "Unit": 1}, I2B2))
    with pytest.raises(ConfigError, match=f"map.yaml: Unit are {UNSURE}; give each a type, or O"):
        load_map(file)
    file.write_text(file.read_text().replace(UNSURE + "  #", "O  #"))
    assert load_map(file) == {"PATIENT": "PATIENT", "Unit": "O"}


@pytest.mark.parametrize(
    ("content", "message"),
    [("map: {no: O}", "must be quoted"), ("[1]", "expected `map:`"), ("map: [", "is not YAML"), ("map:", "expected")],
)
def test_maps_that_are_none_say_why(tmp_path, content, message):
    (tmp_path / "map.yaml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_map(tmp_path / "map.yaml")
    with pytest.raises(ConfigError, match="No such file"):
        load_map(tmp_path / "none.yaml")


def test_documents_are_relabelled_and_losses_counted():
    losses = Losses()
    note = Document("a", "Anna Lee", (Span(0, 4, "First"), Span(0, 4, "Given"), Span(5, 8, "Misc")))
    again = relabelled(note, {"First": "NAME", "Given": "NAME", "Misc": "O"}, losses)
    assert again.spans == (Span(0, 4, "NAME"),)
    assert {(row["reason"], row["label"]) for row in losses.rows()} == {
        ("mapped_to_O", "Misc"), ("same_after_mapping", "Given"),
    }  # fmt: skip
    with pytest.raises(DataError, match=r"map.yaml has no line for Misc"):
        check_complete({"First": "NAME"}, {"First": 1, "Misc": 2}, "map.yaml")


def test_a_label_set_is_a_file_or_a_name_in_conf(tmp_path, monkeypatch):
    monkeypatch.chdir(CONF.parents[1])
    assert load_labels("stanford").types == load_labels(CONF / "stanford.yaml").types
    with pytest.raises(ConfigError, match=r"no label set at conf/labels/none.yaml"):
        load_labels("none")
    (tmp_path / "mine.yaml").write_text("types: [A, B]")
    assert load_labels(tmp_path / "mine.yaml") == LabelSet("mine", ("A", "B"))


def test_a_label_set_is_found_by_its_name_from_any_folder_and_one_here_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "PATIENT" in load_labels("i2b2_2014").types
    (tmp_path / "conf" / "labels").mkdir(parents=True)
    (tmp_path / "conf" / "labels" / "i2b2_2014.yaml").write_text("types: [OURS]")
    assert load_labels("i2b2_2014").types == ("OURS",)


@pytest.mark.parametrize(
    ("content", "said"), [("map: {N: ''}", "N have no type"), ("map: {N: 2024-99-99}", "not YAML")]
)
def test_a_map_without_types_or_with_days_that_are_none_is_refused(tmp_path, content, said):
    (tmp_path / "map.yaml").write_text(content)
    with pytest.raises(ConfigError, match=said):
        load_map(tmp_path / "map.yaml")


def test_a_label_set_may_leave_its_maps_empty(tmp_path):
    (tmp_path / "mine.yaml").write_text("types: [NAME]\nmaps:\n")
    assert load_labels(tmp_path / "mine.yaml").types == ("NAME",)
