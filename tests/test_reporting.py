"""A report: JSON is the truth, the views say the same, and no view holds text of a note."""

import json

import pytest

from deidlab.evaluation import evaluate
from deidlab.labels import LabelSet
from deidlab.reporting import publish, report
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import ConfigError, Document, Losses, Span

LABELS = LabelSet("two", ("NAME", "DATE"), "BIO")
NOTES = [Document("n1", "Zyxomma came 3/4", (Span(0, 7, "NAME"), Span(13, 16, "DATE"))), Document("n2", "Zyxomma", ())]
FOUND = {"n1": {"id": "n1", "spans": [{"start": 0, "end": 7, "label": "NAME"}]}, "n2": {"id": "n2", "spans": []}}
ORIGIN = {"seed": 1, "libraries": {"torch": "2"}}


@pytest.fixture(scope="module")
def judged():
    system = PredictionsSystem(LABELS, {}, FOUND, {"NAME": "NAME"})
    return evaluate(system, NOTES, LABELS)


@pytest.fixture
def published(judged, tmp_path):
    losses = Losses()
    losses.count("inside_word", "NAME", 3)
    publish(tmp_path, judged, losses, ORIGIN, "a title")
    return tmp_path


def test_the_json_has_schema_rows_losses_and_provenance(published):
    content = json.loads((published / "report.json").read_text())
    assert content["schema"] == 1 and content["provenance"] == ORIGIN
    assert content["losses"] == [{"reason": "inside_word", "label": "NAME", "count": 3}]
    assert json.loads((published / "losses.json").read_text()) == content["losses"]
    assert json.loads((published / "provenance.json").read_text()) == ORIGIN
    strict = next(row for row in content["rows"] if (row["metric"], row["label"]) == ("strict", "micro"))
    assert (strict["precision"], strict["recall"], strict["support"]) == (1.0, 0.5, 2)


def test_the_markdown_says_what_the_json_says(published):
    text = (published / "report.md").read_text()
    assert text.startswith("# a title\n")
    strict = next(line for line in text.splitlines() if line.startswith("| strict"))
    assert [cell.split()[0] for cell in strict.split("|")[3:6]] == ["1.0000", "0.5000", "0.6667"]
    assert "inside_word" in text and "seed" in text
    widths = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        widths[block[:20]] = {line.count("|") for line in lines}
    assert all(len(counts) <= 1 for counts in widths.values()), "a row has more or fewer cells than its table"


def test_the_terminal_shows_a_table(published, capsys, judged, tmp_path):
    publish(tmp_path, judged, Losses(), ORIGIN, "a title")
    shown = capsys.readouterr().out
    assert "a title" in shown and "strict" in shown and "0.5" in shown


def test_the_same_evaluation_gives_the_same_bytes(judged, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        publish(tmp_path / name, judged, Losses(), ORIGIN, "t")
    files = sorted(file.name for file in (tmp_path / "a").iterdir() if file.is_file())
    assert files and all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_no_view_holds_text_of_a_note(judged, tmp_path, capsys):
    publish(tmp_path, judged, Losses(), ORIGIN, "t", formats=("md", "html", "tex", "csv"))
    assert {"report.md", "report.html", "report.tex", "report.csv"} <= {file.name for file in tmp_path.iterdir()}
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"zyxomma" not in file.read_bytes().lower(), file.name
    assert "Zyxomma" not in capsys.readouterr().out


def test_an_unknown_format_is_refused(judged, tmp_path):
    with pytest.raises(ConfigError, match=r"report.formats has docx; expected"):
        publish(tmp_path, judged, Losses(), ORIGIN, "t", formats=("docx",))


def test_official_sections_are_written_when_asked_for(tmp_path):
    system = PredictionsSystem(LABELS, {}, FOUND, {"NAME": "NAME"})
    publish(tmp_path, evaluate(system, NOTES, LABELS, official="meddocan"), Losses(), ORIGIN, "t")
    assert json.loads((tmp_path / "official.json").read_text())["ner"]["recall"] == 0.5


def test_a_report_is_plain_json(judged):
    content = report(judged.rows(), ORIGIN, [])
    assert json.loads(json.dumps(content, allow_nan=False)) == content
