"""Minutes against leak: each answer takes its time, the best come first, and what nobody asked about stays."""

import numpy as np
import pytest

from deidlab.flagging import Flagging
from deidlab.types import Document, Prediction, Span
from deidlab.workload import workload

NOTE = Document("n", "Ann and Bob met Eve", (Span(0, 3, "A"), Span(8, 11, "A"), Span(16, 19, "A")))
FOUND = Prediction(
    "n", (Span(0, 3, "A", 0.99), Span(12, 15, "A", 0.3)), doubts=(Span(8, 15, "A", 0.6), Span(4, 7, "A", 0.1))
)


def test_answers_mend_leaks_and_false_alarms_in_order():
    done = workload([NOTE], [FOUND], Flagging(false_alarm=0.05), seconds=6)
    assert done.minutes.tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert done.leak.tolist() == pytest.approx([6 / 9, 3 / 9, 3 / 9, 3 / 9])  # Bob is found; nobody asked about Eve
    assert done.false_alarms.tolist() == pytest.approx([3 / 6, 3 / 6, 3 / 6, 0])
    assert done.at(0.15) == (pytest.approx(3 / 9), pytest.approx(0.5))
    assert done.at(99) == (pytest.approx(3 / 9), 0)


def test_notes_without_questions_take_no_time():
    done = workload([NOTE], [Prediction("n", NOTE.spans)], Flagging())
    assert done.minutes.tolist() == [0] and done.leak.tolist() == [0] and np.isfinite(done.false_alarms).all()
