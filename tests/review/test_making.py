import pytest

from deidlab.flagging import Flagging
from deidlab.review.making import queued
from deidlab.types import DataError, Document, Prediction, Span

NOTE = Document("n-1", "Mr Smith was seen on 03/04/2012.", (Span(0, 2, "GOLD"),), {"patient": "p"})
SURE, UNSURE, RULE = Span(3, 8, "PATIENT", 0.97), Span(21, 31, "DATE", 0.6), Span(9, 12, "AGE")


def test_what_a_system_was_not_sure_of_is_asked():
    (note,) = queued([NOTE], [Prediction("n-1", (SURE, RULE, UNSURE), NOTE.fingerprint)], Flagging(sure=0.9))
    assert note.document == Document("n-1", NOTE.text, (SURE, RULE, UNSURE), {"patient": "p"})
    assert [(question.span, question.kind) for question in note.questions] == [(UNSURE, "likely_false_alarm")]
    (all_asked,) = queued([NOTE], [Prediction("n-1", (SURE, RULE, UNSURE))], Flagging(sure=1))
    assert len(all_asked.questions) == 2  # what has no score was not doubted


@pytest.mark.parametrize(
    ("prediction", "says"),
    [
        (Prediction("n-1", (), "0" * 16), "another text"),
        (Prediction("n-2", ()), "n-2 where n-1"),
        (Prediction("n-1", (Span(3, 99, "PATIENT", 0.5),)), "3-99"),
        (Prediction("n-1", (), failed="no answer"), "no answer"),
    ],
)
def test_a_prediction_for_another_note_text_or_none_is_refused(prediction, says):
    with pytest.raises(DataError, match=says):
        list(queued([NOTE], [prediction], Flagging()))
