import json
from pathlib import Path

import pytest

from deidlab.corpora import brat
from deidlab.review.decisions import Journal, journal_of
from deidlab.review.desk import Desk
from deidlab.review.queue import Queue, QueuedNote, write
from deidlab.types import Document, Losses, Span

NOTE = Document("n-1", "Mr Smith, 54, was seen.", (Span(3, 8, "PATIENT", 0.9), Span(10, 12, "AGE", 0.4)))


@pytest.fixture
def queue(tmp_path) -> Path:
    """Two notes, one of which Ada has finished."""
    path = tmp_path / "queue.jsonl"
    write([QueuedNote(NOTE), QueuedNote(Document("n-2", "Nobody."))], path)
    journal = Journal(journal_of(path))
    desk = Desk(Queue(path), journal)
    fingerprint = desk.queue.entries[0].fingerprint
    desk.decide(0, fingerprint, "Ada", 0, "reject", NOTE.spans[1])
    desk.decide(0, fingerprint, "Ada", 1, "finish")
    journal.close()
    return path


def test_finished_notes_become_gold(deidlab, queue, tmp_path):
    said = deidlab("review", queue, "--export", tmp_path / "gold", "--to", "brat")
    assert (said.status, said.out) == (0, f"{tmp_path / 'gold'}: 1 notes; 1 are not finished\n")
    (note,) = brat.read(tmp_path / "gold", Losses())
    assert note == Document("n-1", NOTE.text, (Span(3, 8, "PATIENT"),))


def test_a_torn_decision_and_those_for_another_text_are_told(deidlab, queue, tmp_path):
    journal = journal_of(queue)
    journal.write_bytes(journal.read_bytes() + b'{"note": "n-')
    assert deidlab("review", queue, "--export", tmp_path / "gold").status == 0
    row = json.loads(journal.read_bytes().splitlines()[0])
    journal.write_text(json.dumps({**row, "fingerprint": "0" * 16}) + "\n" + journal.read_text().splitlines()[1] + "\n")
    said = deidlab("review", queue, "--export", tmp_path / "more")
    assert "1 decisions do not count: made for another text" in said.out


def test_a_queue_is_made_of_notes_and_anybodys_predictions(deidlab, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "n-1.txt").write_text(NOTE.text, "utf-8")
    (tmp_path / "notes" / "n-9.txt").write_text("Not predicted.", "utf-8")
    rows = [{"start": s.start, "end": s.end, "label": s.label, "score": s.score} for s in NOTE.spans]
    line = {"id": "n-1", "fingerprint": NOTE.fingerprint, "spans": rows}
    (tmp_path / "found.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    queue = tmp_path / "queue.jsonl"
    said = deidlab("review", queue, "--notes", tmp_path / "notes", "--predictions", tmp_path / "found.jsonl",
                   "--unsure-below", 0.5, "--export", tmp_path / "gold")  # fmt: skip
    (note,) = Queue(queue)
    assert note.document == NOTE
    assert [question.span for question in note.questions] == [NOTE.spans[1]]
    assert said.status == 2 and "no note has been finished yet" in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.jsonl"], "missing.jsonl: No such file"),
        (["queue.jsonl", "--notes", "notes"], "from --notes and --predictions, both"),
        (["queue.jsonl", "--export", "gold", "--to", "pdf"], "choose from jsonl, brat, i2b2"),
        (["queue.jsonl", "--export", "gold", "--reviewer", "Eve"], "'Eve' has decided nothing in this queue; Ada has"),
        (["queue.jsonl", "--port", "99999"], "no such port"),
        (["queue.jsonl", "--reviewer", "../Ada"], "'../Ada' is no name for a reviewer"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_do(deidlab, queue, monkeypatch, arguments, says):
    monkeypatch.chdir(queue.parent)
    said = deidlab("review", *arguments)
    assert said.status == 2
    assert says in said.err and "Smith" not in said.err


def test_a_queue_that_is_being_reviewed_is_not_opened_again(deidlab, queue):
    journal = Journal(journal_of(queue))
    said = deidlab("review", queue)
    assert said.status == 2 and "being reviewed already" in said.err
    journal.close()
