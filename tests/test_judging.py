"""Judging: intervals over patients, slices, gaps, familiarity of names; from notes to the rows of a report."""

import json

import pytest

from deidlab.evaluation import evaluate
from deidlab.judging import Judging
from deidlab.labels import LabelSet
from deidlab.metrics.familiarity import KnownNames
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import ConfigError, DataError, Document, Span

LABELS = LabelSet("two", ("NAME", "DATE"), names=("NAME",))


def note(number, name="Ann Lee", **meta):
    text = f"{name} came on 01/02/2003."
    begin = len(name) + 9
    spans = (Span(0, len(name), "NAME"), Span(begin, begin + 10, "DATE"))
    return Document(f"note-{number}", text, spans, {key: str(value) for key, value in meta.items()})


def judged(notes, found, judging=None, **settings):
    """`found` says for each note how many of its two spans the system finds, the date first."""
    lines = {
        d.id: {"spans": [{"start": s.start, "end": s.end, "label": s.label} for s in d.spans[::-1][:n]]}
        for d, n in zip(notes, found, strict=True)
    }
    system = PredictionsSystem(LABELS, {}, lines, {t: t for t in LABELS.types})
    return evaluate(system, notes, LABELS, judging=judging or Judging(replicates=50), **settings)


def row(evaluation, metric="strict", label="micro", slice="all"):
    (found,) = [r for r in evaluation.rows() if (r["metric"], r["label"], r["slice"]) == (metric, label, slice)]
    return found


FOUR = [note(i, patient=i // 2, ward="ab"[i % 2]) for i in range(4)]


def test_intervals_come_from_patients():
    whole = judged(FOUR, [2, 2, 1, 1])
    assert whole.findings()["intervals"] == {
        "level": 0.95, "replicates": 50, "clusters": 2, "clustered_by": "patient", "none": None,
    }  # fmt: skip
    strict = row(whole)
    assert (strict["recall_low"], strict["recall"], strict["recall_high"]) == (0.5, 0.75, 1)


def test_without_a_patient_documents_are_drawn():
    found = judged([note(i) for i in range(3)], [2, 2, 1]).findings()["intervals"]
    assert (found["clusters"], found["clustered_by"]) == (3, "document")


def test_a_cluster_that_no_note_knows_lists_those_there_are():
    Judging().check(("ward",))
    with pytest.raises(
        ConfigError, match=r"evaluation.cluster has pateint, which no note knows; its keys: patient, ward"
    ):
        Judging(cluster=["pateint"]).check(("patient", "ward"))


def test_one_document_has_no_interval_and_says_so():
    alone = judged([note(0)], [1])
    assert "recall_low" not in row(alone)
    assert alone.findings()["intervals"]["none"] == "no interval: 1 patient or document; at least 2 are needed"


def test_no_replicates_no_intervals():
    plain = judged(FOUR, [2, 2, 1, 1], Judging(replicates=0))
    assert "intervals" not in plain.findings()
    assert not any(key.endswith("_low") for r in plain.rows() for key in r)


def test_the_same_notes_give_the_same_report():
    once, again = (judged(FOUR, [2, 1, 1, 0]) for _ in range(2))
    assert json.dumps([once.rows(), once.findings()]) == json.dumps([again.rows(), again.findings()])


def test_a_slice_has_the_rows_of_its_documents():
    sliced = judged(FOUR, [2, 1, 2, 1], Judging(slices=["ward"], replicates=20))
    assert row(sliced, slice="ward=a")["recall"] == 1
    assert row(sliced, slice="ward=b")["recall"] == 0.5
    assert row(sliced, slice="ward=b", label="NAME")["recall"] == 0
    assert row(sliced, metric="document_clean", slice="ward=b")["value"] == 0
    assert not any(r["slice"] != "all" and r["metric"] == "seqeval" for r in sliced.rows())


def test_a_slice_that_no_document_has_lists_those_there_are():
    with pytest.raises(ConfigError, match="no document has culture; there are length_bin, patient, rare_name, ward"):
        judged(FOUR, [2] * 4, Judging(slices=["culture"])).rows()
    with pytest.raises(ConfigError, match="no document has culture"):
        Judging(slices=["culture"]).check({"patient"})


def test_names_by_familiarity():
    known = KnownNames.of([note(9, "Ann Lee"), note(8, "Bo Chu")], LABELS.names)
    notes = [note(0, "Ann Lee"), note(1, "Bo Lee"), note(2, "Kofi Mensah"), note(3, "Ama Mensah")]
    evaluation = judged(notes, [2, 2, 1, 2], Judging(slices=["rare_name"], replicates=20), known_names=known)
    recalls = {level: row(evaluation, slice=f"rare_name={level}") for level in ("whole", "words", "new")}
    assert {level: r["recall"] for level, r in recalls.items()} == {"whole": 1, "words": 1, "new": 0.5}
    assert recalls["new"]["support"] == 2
    assert recalls["new"]["precision"] is recalls["new"]["f1"] is None  # a prediction is not familiar or new


def test_familiarity_needs_names_to_compare_with():
    with pytest.raises(ConfigError, match="rare_name needs the names of a train split"):
        judged(FOUR, [2] * 4, Judging(slices=["rare_name"]))


TWINS = [note(2 * i + j, twin=i, culture=c, gender="male") for i in range(6) for j, c in enumerate(("us", "hindi"))]


def test_gaps_of_twins_are_part_of_the_findings():
    lines = judged(TWINS, [2, 1] * 6).findings()["fairness"]
    (names,) = [g for g in lines if (g["group"], g["types"], g["metric"]) == ("hindi", "names", "strict")]
    assert (names["difference"], names["pairs"]) == (-1, 6)
    assert {g["attribute"] for g in lines} == {"culture"}  # all are men: no gap of gender


def test_twins_that_are_none_are_an_error_unless_pairing_is_off():
    with pytest.raises(DataError, match="note-10: is the only document of twin family 5"):
        judged(TWINS[:-1], [2, 1] * 5 + [2]).findings()
    lines = judged(TWINS[:-1], [2, 1] * 5 + [2], Judging(twins=False, replicates=50)).findings()["fairness"]
    assert all(g["pairs"] is None for g in lines)


def test_empty_predictions_are_judged():
    nothing = judged(FOUR, [0] * 4)
    assert (row(nothing)["recall"], row(nothing)["precision"]) == (0, None)
    assert {m["label"]: m["missed"] for m in nothing.findings()["missed_types"]} == {"DATE": 4, "NAME": 4}
    assert nothing.findings()["confusion"]["matrix"] == [[0, 0, 4], [0, 0, 4], [0, 0, 0]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"replicates": -1}, "evaluation.replicates"),
        ({"replicates": 2.5}, "evaluation.replicates"),
        ({"replicates": "many"}, "evaluation.replicates"),
        ({"level": 1.5}, "evaluation.level"),
        ({"level": "high"}, "evaluation.level"),
        ({"cluster": "patient"}, "evaluation.cluster is 'patient'; expected a list"),
        ({"slice_metrics": ["strict", "strikt"]}, "evaluation.slice_metrics has strikt; choose from strict,"),
        ({"reference": {"age": "old"}}, "evaluation.reference has age"),
    ],
)
def test_settings_that_cannot_work(settings, message):
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        Judging(**settings)


def test_excerpts_are_kept_only_when_asked_for_and_never_printed():
    assert judged(FOUR, [1] * 4).excerpts == ()
    (first, *_) = judged(FOUR, [1] * 4, excerpts=True).excerpts
    assert (first.kind, first.label, first.text, first.before, first.after) == (
        "missed", "NAME", "Ann Lee", "", " came on 01/02/2003.",
    )  # fmt: skip
    assert "Ann" not in repr(first)
