import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidlab.review.opinions import Malformed, Opinion, gold, shown, verdicts_of
from deidlab.review.queue import Question, QueuedNote
from deidlab.types import Document, Span

TEXT = "Mr Smith, 54, was seen by Dr Jones."
SMITH, AGE, JONES = Span(3, 8, "PATIENT", 0.9), Span(10, 12, "AGE", 0.6), Span(29, 34, "DOCTOR", 0.3)
NOTE = QueuedNote(
    Document("n-1", TEXT, (SMITH, AGE)), (Question(AGE, "likely_false_alarm"), Question(JONES, "likely_miss"))
)


def after(*actions) -> Opinion:
    opinion = Opinion()
    for action, span, to in actions:
        opinion.set(verdicts_of(action, NOTE, opinion, span, to), None)
    return opinion


def places(opinion: Opinion) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in gold(NOTE, opinion)]


SMITH_AT, AGE_AT, JONES_AT = (3, 8, "PATIENT"), (10, 12, "AGE"), (29, 34, "DOCTOR")


@pytest.mark.parametrize(
    ("actions", "wanted"),
    [
        ([], [SMITH_AT, AGE_AT]),  # what the system found stands, what it left does not
        ([("reject", AGE, None)], [SMITH_AT]),
        ([("reject", AGE, None), ("accept", AGE, None)], [SMITH_AT, AGE_AT]),
        ([("accept", JONES, None)], [SMITH_AT, AGE_AT, JONES_AT]),
        ([("reject", JONES, None)], [SMITH_AT, AGE_AT]),
        ([("change", SMITH, Span(0, 8, "PATIENT"))], [(0, 8, "PATIENT"), AGE_AT]),
        ([("change", SMITH, Span(3, 8, "DOCTOR"))], [(3, 8, "DOCTOR"), AGE_AT]),
        ([("change", SMITH, Span(0, 8, "PATIENT")), ("change", Span(0, 8, "PATIENT"), SMITH)], [SMITH_AT, AGE_AT]),
        ([("add", None, Span(26, 28, "DOCTOR"))], [SMITH_AT, AGE_AT, (26, 28, "DOCTOR")]),
        ([("add", None, Span(26, 28, "DOCTOR")), ("reject", Span(26, 28, "DOCTOR"), None)], [SMITH_AT, AGE_AT]),
    ],
)
def test_what_is_gold_after_decisions(actions, wanted):
    assert places(after(*actions)) == wanted
    assert all(span.score is None for span in gold(NOTE, after(*actions)))


def test_of_a_span_that_was_moved_only_the_systems_own_beginning_remains_in_sight():
    moved = after(
        ("change", SMITH, Span(2, 8, "PATIENT")), ("change", Span(2, 8, "PATIENT"), Span(1, 8, "PATIENT")),
        ("change", Span(1, 8, "PATIENT"), Span(0, 8, "PATIENT")),
    )  # fmt: skip
    assert [(one.span, one.verdict) for one in shown(NOTE, moved) if one.span.end == 8] == [
        (Span(0, 8, "PATIENT"), True), (SMITH, False),
    ]  # fmt: skip


def test_scores_and_questions_stay_with_their_spans():
    kinds = {one.span: (one.span.score, one.question and one.question.kind) for one in shown(NOTE, Opinion())}
    assert kinds == {
        SMITH: (0.9, None), AGE: (0.6, "likely_false_alarm"), JONES: (0.3, "likely_miss"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "span", "to"),
    [
        ("accept", Span(0, 2, "PATIENT"), None),
        ("accept", Span(3, 8, "DOCTOR"), None),
        ("accept", None, None),
        ("accept", SMITH, AGE),
        ("reject", Span(0, 2, "PATIENT"), None),
        ("change", SMITH, None),
        ("change", SMITH, SMITH),
        ("change", Span(0, 2, "PATIENT"), SMITH),
        ("add", SMITH, Span(0, 2, "PATIENT")),
        ("add", None, None),
        ("add", None, Span(30, 99, "DOCTOR")),
        ("add", None, Span(8, 3, "DOCTOR")),
        ("add", None, Span(3, 3, "DOCTOR")),
        ("add", None, Span(2, 3, "DOCTOR")),
        ("finish", SMITH, None),
    ],
)
def test_an_action_that_makes_no_sense_is_refused_without_the_text(action, span, to):
    with pytest.raises(Malformed) as error:
        verdicts_of(action, NOTE, Opinion(), span, to)
    assert "Smith" not in str(error.value) and "Jones" not in str(error.value)


spans = st.sampled_from([SMITH, AGE, JONES, Span(0, 8, "PATIENT"), Span(3, 8, "DOCTOR")])
decisions = st.dictionaries(spans, st.none() | st.booleans(), max_size=3)


@given(st.lists(decisions, max_size=6), decisions)
def test_setting_back_what_stood_there_gives_the_opinion_before(earlier, last):
    opinion = Opinion()
    for one in earlier:
        opinion.set(one, None)
    before = dict(opinion.verdicts), opinion.done
    opinion.set(*opinion.set(last, True))
    assert (opinion.verdicts, opinion.done) == before
    assert opinion.revision == len(earlier) + 2


def test_only_what_touches_the_same_characters_has_changed():
    opinion = after(("accept", SMITH, None), ("reject", AGE, None))
    assert opinion.changed_since(0, [Span(0, 4, "X")])
    assert not opinion.changed_since(1, [Span(0, 4, "X")])  # decided before
    assert opinion.changed_since(1, [Span(11, 20, "X")])
    assert not opinion.changed_since(0, [Span(8, 10, "X"), Span(12, 40, "X")])  # between and behind
