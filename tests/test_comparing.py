"""Runs side by side, on the same notes."""

from dataclasses import replace

import pytest

from deidlab.comparing import compare_all, figures, metric_name, named_runs, of_documents, sections
from deidlab.evaluation import evaluate
from deidlab.judging import Judging
from deidlab.labels import LabelSet
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import ConfigError, DataError, Document, Span
from deidlab.views.markdown import render

LABELS = LabelSet("two", ("NAME", "DATE"))
SPANS = (Span(0, 3, "NAME"), Span(9, 19, "DATE"))
NOTES = [
    Document(f"n{i}", "Ann, on 01/02/2003", (SPANS[0], Span(8, 18, "DATE")), {"ward": "ab"[i % 2]}) for i in range(12)
]


def judged(found, notes=NOTES, replicates=100, slices=("ward",)):
    """`found` says how many of the two spans of each note are predicted."""
    lines = {
        d.id: {"spans": [{"start": s.start, "end": s.end, "label": s.label} for s in d.spans[:n]]}
        for d, n in zip(notes, found, strict=True)
    }
    system = PredictionsSystem(LABELS, {}, lines, {t: t for t in LABELS.types})
    return evaluate(system, notes, LABELS, judging=Judging(slices=slices, replicates=replicates))


def find(rows, **wanted):
    (row,) = [r for r in rows if all(r[key] == value for key, value in wanted.items())]
    return row


ROWS = compare_all({"low": judged([1] * 12), "high": judged([2] * 12), "same": judged([1] * 12)}, replicates=200)


def test_values_and_differences_stand_in_the_order_of_the_systems():
    row = find(ROWS, metric="strict", measure="recall", label="micro", slice="all")
    assert row["values"] == [0.5, 1, 0.5]
    assert row["differences"] == [None, 0.5, 0]
    assert row["p_values"][1] < 0.02 and row["p_values"][2] == 1


def test_types_and_slices_are_compared_too():
    assert find(ROWS, measure="recall", label="DATE", slice="all")["values"] == [0, 1, 0]
    row = find(ROWS, metric="strict", slice="ward=b")
    assert row["differences"][1] == pytest.approx(1 / 3)
    assert row["support"] == 12


def test_patients_are_drawn_whether_or_not_the_runs_had_intervals():
    notes = [replace(note, meta={"patient": str(i // 6)}) for i, note in enumerate(NOTES)]
    by = {}
    for replicates in (0, 100):
        runs = {
            name: judged(found, notes, replicates, "auto")
            for name, found in (("low", [1] * 12), ("high", [2] * 6 + [1] * 6))
        }
        by[replicates] = find(compare_all(runs, 200), metric="strict", measure="recall", label="micro", slice="all")
    assert by[0]["p_values"] == by[100]["p_values"] and by[0]["p_values"][1] > 0.2, "two patients prove nothing"


def test_the_page_names_systems_and_macro():
    content = {"systems": ["low", "high", "same"], "rows": ROWS, "replicates": 200, "clusters": 12}
    page = render("t", sections(content))
    assert "| metric | low | high | difference | p | same | difference | p |" in page
    assert "By ward: strict F1" in page
    assert {"overall", "types-f1", "types-recall"} == set(figures(content))
    assert metric_name({"metric": "strict", "measure": "f1", "label": "macro"}) == "strict F1 (macro)"


def test_systems_judged_on_other_notes_are_refused():
    with pytest.raises(DataError, match="different notes"):
        compare_all({"a": judged([1] * 12), "b": judged([1] * 6, NOTES[:6])})


def test_counts_of_some_documents():
    counts = judged([2, 1, 0] + [2] * 9).counts["strict"]
    assert of_documents(counts, [2, 1]).dense()[:, 0, 1].tolist() == [0, 1]


def test_runs_are_named_by_their_folder_or_their_path(tmp_path):
    folders = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "other"]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in ("predictions.jsonl", "config.yaml"):
            (folder / name).touch()
    names = [str(f) for f in folders]
    assert list(named_runs(names)) == [names[0], names[1], "other"]
    assert list(named_runs({"x": names[0], "y": names[2]})) == ["x", "y"]
    with pytest.raises(ConfigError, match="two or more runs"):
        named_runs(names[:1])
    (folders[2] / "predictions.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"other has no predictions\.jsonl"):
        named_runs(names)
