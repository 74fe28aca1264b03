"""What a policy says, and what it refuses to say."""

import pytest

from deidlab.redaction.policy import PRESETS, DateSettings, Policy
from deidlab.types import ConfigError


def test_the_narrower_rule_wins():
    policy = Policy(rules={"LOCATION": "mask", "CITY": "keep", "TERRITORIO": "remove"})
    assert [policy.action_for(label) for label in ("HOSPITAL", "CITY", "TERRITORIO", "LOCATION-OTHER")] == [
        "mask", "keep", "remove", "mask"]  # fmt: skip


def test_a_type_without_a_rule_and_a_label_nobody_knows_are_masked():
    policy = Policy(rules={"NAME": "keep"}, style="surrogate")
    assert policy.action_for("PHONE") == policy.action_for("SOMETHING_NEW") == "mask"


def test_redact_is_the_style():
    policy = Policy(rules={"NAME": "redact"}, style="remove")
    assert policy.action_for("PATIENT") == "remove"
    assert policy.action_for("first_name", "tag") == "tag"


def test_one_policy_serves_every_label_set():
    policy = Policy.load("hipaa_safe_harbor")
    for name in ("PATIENT", "FIRST_NAME", "NOMBRE_SUJETO_ASISTENCIA", "HCW", "NAME", "clinician_name"):
        assert policy.action_for(name) == "mask"
    for date in ("DATE", "FECHAS", "DATE_OF_BIRTH", "date_of_birth"):
        assert policy.action_for(date) == "generalise"


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_say_something_of_every_group(preset):
    policy = Policy.load(preset)
    assert policy.action_for("PATIENT") != "keep" and policy.action_for("MRN") != "keep"
    assert {"NAME", "LOCATION", "AGE", "DATE", "CONTACT", "ID", "OTHER", "PROFESSION"} <= policy.rules.keys()


def test_a_policy_of_ones_own_begins_with_a_preset(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text("base: hipaa_safe_harbor\nrules: {HOSPITAL: keep, WARD_NAME: remove}\nlabels: {ward-name: ROOM}\n"
                    "dates: {order: dmy}\n")  # fmt: skip
    policy = Policy.load(file)
    assert policy.name == "ours"
    assert policy.action_for("HOSPITAL") == "keep"
    assert policy.action_for("Ward-Name") == "remove"
    assert policy.action_for("ZIP") == "generalise"
    assert policy.dates == DateSettings(order="dmy")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"rules": {"HOSPTIAL": "keep"}}, "did you mean HOSPITAL.*Types: PATIENT"),
        ({"rules": {"NAME": "hide"}}, "'hide' is no action"),
        ({"rules": {"CITY": "shift"}}, "action shift"),
        ({"rules": {"CITY": "generalise"}}, "action generalise"),
        ({"style": "invisible"}, "style 'invisible'"),
        ({"labels": {"X": "NOTHING"}}, "NOTHING.*which is no type"),
        ({"rulez": {}}, "has no rulez"),
        ({"rules": ["NAME"]}, "rules: expected a mapping"),
        ({"dates": {"order": "ymd"}}, "dates.order"),
        ({"dates": {"max_days": 3}}, "dates.max_days"),
        ({"dates": {"pivot": 140}}, "dates.pivot"),
        ({"dates": {"day": 1}}, "dates has no day"),
        ({"base": "strict"}, "base: expected one of hipaa_safe_harbor"),
        ({"base": ["i2b2"]}, "base: expected one of"),
        (["NAME"], "expected a mapping with rules"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(content, said):
    with pytest.raises(ConfigError, match=said):
        Policy.from_mapping(content)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match=r"neither a preset .*hipaa_safe_harbor"):
        Policy.load(tmp_path / "missing.yaml")
    (tmp_path / "broken.yaml").write_text("rules: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        Policy.load(tmp_path / "broken.yaml")
    (tmp_path / "day.yaml").write_text("rules: {NAME: 2012-02-31}")
    with pytest.raises(ConfigError, match="is not YAML"):
        Policy.load(tmp_path / "day.yaml")


def test_a_key_is_needed_for_surrogates_and_shifts_only():
    assert Policy.load("i2b2").needs_key()
    assert not Policy.load("hipaa_safe_harbor").needs_key()
    assert Policy.load("hipaa_safe_harbor").needs_key("surrogate")
    assert Policy(rules={"DATE": "shift"}).needs_key()
