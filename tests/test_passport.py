"""A passport says what was found, who answers for it, and notices other weights and other words."""

import json
from datetime import date

import pytest

from deidlab import passport
from deidlab.types import ConfigError

ROWS = [
    {"metric": "strict", "label": "micro", "slice": "all", "precision": 0.9, "recall": 0.8, "f1": 0.85, "f1_low": 0.8,
     "f1_high": 0.9, "support": 50},
    {"metric": "char_leak", "label": "micro", "slice": "all", "value": 0.02, "value_low": 0.01, "value_high": 0.03,
     "support": 700},
]  # fmt: skip
ORIGIN = {
    "model": "/secret/place/run7", "data_fingerprint": "abc", "documents": {"train": 50}, "deidlab": "1",
    "commit": "c0", "config_digest": "d1",
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    (folder / "checkpoint").mkdir(parents=True)
    settings = {"labels": {"name": "two", "types": ["NAME", "DATE"]}, "encoding": {"max_length": 128},
                "decoding": {"outside_bias": 0.5, "curve": {"thresholds": [0.1]}}}  # fmt: skip
    (folder / "checkpoint" / "deidlab.json").write_text(json.dumps(settings))
    (folder / "checkpoint" / "model.safetensors").write_bytes(b"weights")
    (folder / "report.json").write_text(json.dumps({"rows": ROWS, "provenance": ORIGIN}))
    return folder


def issued(run, **more):
    return passport.issue(run, "Ada Byron", "Notes of our wards, for research.", day=date(2026, 11, 22), **more)


def test_it_says_who_signed_what_for_which_use_and_how_good_it_is(run):
    content = issued(run, limits=["No notes of children."], role="data steward")
    assert content == json.loads((run / "passport.json").read_text())
    assert content["signed"] == {"by": "Ada Byron", "role": "data steward", "on": "2026-11-22"}
    assert content["limits"][-1] == "No notes of children." and content["threshold"]["outside_bias"] == 0.5
    (f1,) = [m for m in content["metrics"] if m["measure"] == "f1"]
    assert (f1["value"], f1["low"], f1["high"]) == (0.85, 0.8, 0.9)
    page = (run / "passport.md").read_text()
    for said in ("Ada Byron, data steward, on 2026-11-22", "for research", "0.0200 (0.0100 to 0.0300)", "NAME, DATE"):
        assert said in page
    assert "/secret" not in page + json.dumps(content), "a path is nobody's business"


def test_it_holds_for_these_weights_and_these_words_alone(run):
    issued(run)
    assert passport.check(run)["signed"]["by"] == "Ada Byron"
    (run / "checkpoint" / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ConfigError, match="is about other weights"):
        passport.check(run)
    content = issued(run)
    (run / "passport.json").write_text(json.dumps({**content, "intended_use": "anything"}))
    with pytest.raises(ConfigError, match="was changed after it was signed"):
        passport.check(run)


def test_the_page_and_the_file_are_one_and_broken_ones_are_told_as_such(run):
    issued(run)
    page = run / "passport.md"
    page.write_text(page.read_text().replace("research", "anything"))
    with pytest.raises(ConfigError, match=r"passport.md says something else than passport.json"):
        passport.check(run)
    for broken in ("{", "[]"):
        (run / "passport.json").write_text(broken)
        with pytest.raises(ConfigError, match=r"passport.json is no JSON object"):
            passport.check(run)


def test_the_report_of_another_model_is_not_signed(run, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match=r"speaks of the model .*other/model, and not of"):
        issued(run, adaptation=tmp_path / "other")


def test_nobody_signs_for_nothing(run, tmp_path):
    with pytest.raises(ConfigError, match="who signs it"):
        passport.issue(run, " ", "research")
    with pytest.raises(ConfigError, match="what the model is for"):
        passport.issue(run, "Ada", "")
    with pytest.raises(ConfigError, match=r"report.json is not there: give the output folder of a run"):
        passport.issue(tmp_path, "Ada", "research")


def test_the_digest_of_adapters_is_about_the_model_beside_them_too(tmp_path):
    base, run = tmp_path / "base", tmp_path / "run"
    for folder, name, content in (
        (base, "model.safetensors", "one"),
        (run, "adapter_model.safetensors", "adapters"),
        (run, "adapter_config.json", json.dumps({"base_model_name_or_path": str(base)})),
    ):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    before = passport.weights_digest(run)
    (base / "model.safetensors").write_text("another")
    assert passport.weights_digest(run) != before
