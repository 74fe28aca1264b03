"""The model card: what a hub needs to know, the report's figures, and nothing that must stay."""

import json
import re
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard

from deidlab.evaluation import evaluate
from deidlab.labels import LabelSet
from deidlab.model_card import LICENCES, render, write
from deidlab.reporting import report
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[1]
LABELS = LabelSet("two", ("NAME", "DATE"), "BIO", coarse={"category": {"NAME": "NAME", "DATE": "DATE"}})
CANARY = "Zyxomma"
NOTES = [
    Document(f"{CANARY}-1", f"{CANARY} came 3/4", (Span(0, 7, "NAME"), Span(13, 16, "DATE")), {"ward": CANARY}),
    Document("n2", CANARY, ()),
]
FOUND = {f"{CANARY}-1": {"spans": [{"start": 0, "end": 7, "label": "NAME"}]}, "n2": {"spans": []}}
ORIGIN = {
    "deidlab": "0.1.0", "commit": "abc", "seed": 7, "data_fingerprint": "f00d", "config_digest": "d1",
    "documents": {"train": 10, "test": 2}, "model": "someone/a-model", "revision": "1234", "licence": "apache-2.0",
}  # fmt: skip
SETTINGS = {"labels": LABELS.to_dict(), "encoding": {"max_length": 128, "stride": 32, "word_shapes": False}}


@pytest.fixture(scope="module")
def content():
    judged = evaluate(PredictionsSystem(LABELS, {}, FOUND, {"NAME": "NAME"}), NOTES, LABELS)
    return report(judged.rows(), ORIGIN, [], judged.findings())


def test_a_hub_reads_what_it_is_made_from_and_how_good_it_is(content):
    card = ModelCard(render(content, SETTINGS, "meddocan"))
    assert card.data.base_model == "someone/a-model" and card.data.library_name == "transformers"
    assert card.data.pipeline_tag == "token-classification"
    figures = {one.metric_name: one.metric_value for one in card.data.eval_results}
    assert figures == {"strict precision": 1.0, "strict recall": 0.5, "strict f1": 0.6667}
    assert {one.dataset_name for one in card.data.eval_results} == {"meddocan"}


def test_a_reader_learns_types_figures_data_limits_and_licences(content):
    text = render(content, SETTINGS, "meddocan")
    for said in ("| NAME | NAME |", "| strict |", "| char_leak |", "notes, train | 10", "f00d", "CC-BY-4.0",
                 "apache-2.0", "Intended use", "deidlab.load", "pipeline(", "windows of 128"):  # fmt: skip
        assert said in text, said
    row = next(line for line in text.splitlines() if line.startswith("| strict |"))
    assert [cell.split()[0] for cell in row.split("|")[3:6]] == ["1.0000", "0.5000", "0.6667"]


def test_neither_notes_nor_their_ids_nor_their_meta_are_in_it(content):
    assert CANARY.lower() not in render(content, SETTINGS, "jsonl").lower()


def test_a_base_model_in_a_folder_stays_unnamed(content, tmp_path):
    origin = {**ORIGIN, "model": str(tmp_path)}
    text = render({**content, "provenance": origin}, SETTINGS, "brat")
    assert str(tmp_path) not in text and tmp_path.name not in text and "base_model:" not in text


def test_names_of_types_do_not_break_tables_or_metadata(content):
    labels = {**LABELS.to_dict(), "types": ["A|B", "C"], "name": "a: b | c"}
    text = render(content, {**SETTINGS, "labels": labels}, "odd: corpus | [x]")
    assert r"| A\|B |" in text
    front = text.split("---\n")[1]
    assert yaml.safe_load(front)["model-index"][0]["results"][0]["dataset"]["name"] == "odd: corpus | [x]"
    for block in text.split("\n\n"):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1, "a row has more or fewer cells than its table"


def test_a_model_told_of_word_shapes_warns_of_plain_pipelines(content):
    told = {**SETTINGS, "encoding": {**SETTINGS["encoding"], "word_shapes": True}}
    assert "token types" in render(content, told, "meddocan")
    assert "token types" not in render(content, SETTINGS, "meddocan")


def test_it_is_written_beside_the_weights_and_the_same_each_time(content, tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "report.json").write_text(json.dumps(content))
    (tmp_path / "checkpoint" / "deidlab.json").write_text(json.dumps(SETTINGS))
    written = []
    for _ in range(2):
        write(tmp_path, "meddocan")
        written.append((tmp_path / "checkpoint" / "README.md").read_bytes())
    assert written[0] == written[1] == render(content, SETTINGS, "meddocan").encode()


def test_licences_are_those_of_the_data_cards():
    for vocabulary, licence in LICENCES.items():
        assert f"| Licence | {licence} |" in (ROOT / "data_cards" / f"{vocabulary}.md").read_text("utf-8")
