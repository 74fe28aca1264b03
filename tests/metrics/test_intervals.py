"""Bootstrap over patients: what moves an interval, and what cannot."""

import numpy as np
import pytest

from deidlab.metrics.families import strict
from deidlab.metrics.intervals import Resamples, no_interval, replicates, rows_with_intervals
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable
from deidlab.types import DataError, Span

LABELS = ("NAME", "DATE")


def corpus(hits, label="NAME"):
    """One gold span per document, found where `hits` says so."""
    gold = [[Span(0, 3, label)] for _ in hits]
    predicted = [spans if hit else [] for spans, hit in zip(gold, hits, strict=True)]
    return strict(exact(SpanTable.of(gold, LABELS), SpanTable.of(predicted, LABELS)))


def by_label(lines):
    return {line["label"]: line for line in lines}


def test_every_row_holds_its_value_between_its_bounds_and_the_point_estimates_stay():
    rng = np.random.default_rng(1)
    counts = corpus(rng.random(200) < 0.8)
    lines = rows_with_intervals(counts, "strict", Resamples.of([f"p{i}" for i in range(200)]))
    for line, plain in zip(lines, rows(counts, "strict"), strict=True):
        assert plain.items() <= line.items()
        for measure in ("precision", "recall", "f1"):
            assert line[f"{measure}_low"] <= line[measure] <= line[f"{measure}_high"]


def test_the_interval_of_a_share_is_near_its_normal_approximation():
    hits = np.arange(400) % 5 > 0
    line = by_label(rows_with_intervals(corpus(hits), "strict", Resamples(np.arange(400), 4000)))["micro"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert line["recall_low"] == pytest.approx(0.8 - half, abs=0.006)
    assert line["recall_high"] == pytest.approx(0.8 + half, abs=0.006)


def test_notes_of_one_patient_move_together_so_fewer_patients_make_wider_intervals():
    hits = np.repeat(np.arange(40) % 4 > 0, 10)  # ten notes a patient, all found or all missed

    def width(cluster):
        line = by_label(rows_with_intervals(corpus(hits), "strict", Resamples(cluster)))["micro"]
        return line["recall_high"] - line["recall_low"]

    assert width(np.arange(400) // 10) > 2.5 * width(np.arange(400))


def test_replicates_equal_counting_the_drawn_documents_again():
    hits = [True, False, True, True, False]
    resamples = Resamples(np.array([0, 0, 1, 2, 2]), replicates=50, seed=3)
    drawn = replicates(corpus(hits), "strict", resamples)
    for weights, micro, macro in zip(resamples.weights, *drawn["recall"][:, :2].T, strict=True):
        again = np.repeat(hits, weights[resamples.cluster])
        # One span a document: the mean over documents is the pooled share.
        assert micro == pytest.approx(again.mean(), abs=1e-15)
        assert macro == pytest.approx(again.mean(), abs=1e-15)


def test_one_patient_has_no_interval_and_the_report_can_say_so():
    resamples = Resamples.of(["p", "p", "q"])
    assert no_interval(resamples) is None
    assert (
        no_interval(resamples, members=np.array([0, 1])) == "no interval: 1 patient or document; at least 2 are needed"
    )
    lines = rows_with_intervals(corpus([True, False, True]), "strict", resamples, "p=p", np.array([0, 1]))
    assert not any(key.endswith(("_low", "_high")) for line in lines for key in line)


def test_a_slice_resamples_its_own_documents_only():
    counts, resamples = corpus([True] * 20 + [False] * 20), Resamples(np.arange(40))
    line = rows_with_intervals(counts, "strict", resamples, "half=first", np.arange(20))[0]
    assert (line["recall"], line["recall_low"], line["recall_high"]) == (1.0, 1.0, 1.0)


def test_null_has_no_interval_and_rare_labels_leave_out_the_replicates_without_them():
    counts = corpus([True, True, True])
    lines = by_label(rows_with_intervals(corpus([False] * 3), "strict", Resamples(np.arange(3))))
    assert lines["micro"]["precision"] is None and "precision_low" not in lines["micro"]
    line = rows_with_intervals(counts, "strict", Resamples(np.arange(3)), "one=two", np.array([0, 1]))[0]
    assert (line["recall_low"], line["recall_high"]) == (1.0, 1.0)


def test_the_same_seed_gives_the_same_bounds():
    counts = corpus(np.arange(50) % 3 > 0)
    one, two, other = (rows_with_intervals(counts, "strict", Resamples(np.arange(50), seed=s)) for s in (5, 5, 6))
    assert one == two != other


def test_resamples_of_another_corpus_are_refused():
    with pytest.raises(DataError, match="3 documents were counted but 2"):
        rows_with_intervals(corpus([True] * 3), "strict", Resamples(np.arange(2)))
