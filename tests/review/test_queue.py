import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.review.queue import Question, Queue, QueuedNote, to_line, write
from deidlab.types import DataError, Document, Span

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@st.composite
def notes(draw) -> QueuedNote:
    text = draw(texts)
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda pair: pair[0] != pair[1])
    spans = [
        Span(min(pair), max(pair), draw(texts), draw(st.none() | st.floats(0, 1)))
        for pair in draw(st.lists(ends, max_size=5))
    ]
    questions = tuple(
        Question(span, draw(st.sampled_from(["likely_miss", "likely_false_alarm"])), draw(st.floats(0, 9)))
        for span in spans[:2]
    )
    document = Document(draw(texts), text, tuple(sorted(set(spans))), draw(st.dictionaries(texts, texts, max_size=2)))
    return QueuedNote(document, questions, draw(st.floats(-5, 5)))


@settings(max_examples=60, deadline=None)
@given(st.lists(notes(), max_size=5, unique_by=lambda note: note.document.id))
def test_a_queue_is_read_as_it_was_written_the_most_valuable_first(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("queue") / "queue.jsonl"
    assert write(written, path) == len(written)
    queue = Queue(path)
    assert list(queue) == sorted(written, key=lambda note: -note.value)
    assert [(e.id, e.fingerprint, e.value, e.questions) for e in queue.entries] == [
        (note.document.id, note.document.fingerprint, note.value, len(note.questions)) for note in queue
    ]
    labels = {span.label for note in written for span in (*note.document.spans, *(q.span for q in note.questions))}
    assert set(queue.labels) == labels
    assert path.stat().st_mode & 0o077 == 0


NOTE = QueuedNote(Document("n-1", "Mr Smith 🙂 left", (Span(3, 8, "PATIENT", 0.9),), {"k": "v"}), (), 2.0)


def test_lines_of_another_writer_may_have_their_keys_in_any_order(tmp_path):
    row = json.loads(to_line(NOTE))
    line = json.dumps(dict(sorted(row.items(), reverse=True)), separators=(",", ":"))
    (tmp_path / "queue.jsonl").write_text(f"{line}\n", "utf-8")
    queue = Queue(tmp_path / "queue.jsonl")
    assert queue[0] == NOTE
    assert queue.labels == ("PATIENT",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "Mr Snith 🙂 left"}, "fingerprint"),
        ({"spans": [{"start": 3, "end": 99, "label": "PATIENT"}]}, "outside of a text of 15 characters"),
        ({"spans": [{"start": 3, "end": 3, "label": "PATIENT"}]}, "3-3 is empty"),
        ({"spans": [{"start": "3", "end": 8, "label": "PATIENT"}]}, "no note of a review queue"),
        ({"spans": [{"start": 3, "end": 8, "label": "PATIENT", "score": "high"}]}, "no note of a review queue"),
        ({"questions": [{"start": 3, "end": 8, "label": "PATIENT", "kind": "why"}]}, "of kind why"),
        ({"value": float("nan")}, "no note of a review queue"),
        ({"text": None}, "id and text are strings"),
        ({"text": "Mr Smith \ud83d left"}, "UTF-8"),
    ],
)
def test_a_faulty_note_is_refused_when_it_is_shown_and_not_quoted(tmp_path, change, says):
    row = {**json.loads(to_line(NOTE)), **change}
    if set(change) & {"text"} and change["text"]:
        row["fingerprint"] = NOTE.document.fingerprint
    (tmp_path / "queue.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    with pytest.raises(DataError, match="line 1") as error:
        Queue(tmp_path / "queue.jsonl")[0]
    assert says in str(error.value)
    assert "Smith" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_file_that_is_no_queue_is_refused_at_once(tmp_path):
    path = tmp_path / "queue.jsonl"
    with pytest.raises(DataError, match="No such file"):
        Queue(path)
    line = to_line(NOTE)
    path.write_text(line + line[:40], "utf-8")
    with pytest.raises(DataError, match=r"queue.jsonl line 2: is empty or cut off"):
        Queue(path)
    path.write_text(line + '{"id": Smith}\n', "utf-8")
    with pytest.raises(DataError, match=r"line 2: is no JSON") as error:
        Queue(path)
    assert "Smith" not in str(error.value)
    path.write_text(line + line, "utf-8")
    with pytest.raises(DataError, match="two notes have the id 'n-1'"):
        Queue(path)


def test_a_queue_is_never_written_over_nor_half_written(tmp_path):
    write([NOTE], tmp_path / "queue.jsonl")
    with pytest.raises(DataError, match="exists already"):
        write([NOTE], tmp_path / "queue.jsonl")
    bad = QueuedNote(Document("n-2", "short", (Span(0, 9, "PATIENT"),)))
    with pytest.raises(DataError, match="outside of a text"):
        write([NOTE, bad], tmp_path / "other.jsonl")
    with pytest.raises(DataError, match="two notes"):
        write([NOTE, NOTE], tmp_path / "other.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["queue.jsonl"]


def test_an_open_queue_stays_what_it_was(tmp_path):
    path = tmp_path / "queue.jsonl"
    write([NOTE], path)
    queue = Queue(path)
    path.unlink()
    path.write_text("something else", "utf-8")
    assert queue[0] == NOTE


def test_ten_thousand_notes_open_without_being_read(long_queue, record_property):
    """The bar is a second. Counted is this process's own time, which others on the machine cannot take."""
    began = time.process_time()
    queue = Queue(long_queue)
    took = time.process_time() - began
    record_property("cpu_seconds_to_open", took)
    assert len(queue) == 10_000 and queue.labels == ("DATE", "DOCTOR", "PATIENT")
    assert queue[9_999].document.id == "n-9999"
    assert took < 1.5
