"""Counts add up by document, by group and over chunks."""

import numpy as np
import pytest

from deidlab.metrics.counts import concatenate
from deidlab.metrics.families import strict
from deidlab.metrics.matching import exact
from deidlab.metrics.tables import SpanTable
from deidlab.types import ConfigError, Span


def counts(*notes, labels=("NAME", "DATE")):
    gold = [[Span(i, i + 1, label) for i, label in enumerate(note)] for note in notes]
    return strict(exact(SpanTable.of(gold, labels), SpanTable.of([[]] * len(gold), labels)))


def test_groups_add_up_their_documents_and_minus_one_is_left_out():
    one = counts(["NAME"], ["NAME", "DATE"], ["DATE"])
    assert one.dense()[:, :, 0].tolist() == [[1, 1, 0], [2, 1, 1], [1, 0, 1]]
    assert one.dense(np.array([1, -1, 1]), 2)[:, :, 0].tolist() == [[0, 0, 0], [2, 1, 1]]
    assert one.total()[:, 0].tolist() == [4, 2, 2]


def test_chunks_follow_each_other_and_empty_documents_keep_their_place():
    joined = concatenate([counts([], ["NAME"]), counts([]), counts(["DATE"])])
    assert joined.documents == 4
    assert joined.dense()[:, 0, 0].tolist() == [0, 1, 0, 1]


def test_nothing_and_different_labels_do_not_concatenate():
    with pytest.raises(ConfigError, match="no counts"):
        concatenate([])
    with pytest.raises(ConfigError, match="label sets"):
        concatenate([counts([]), counts([], labels=("AGE",))])
