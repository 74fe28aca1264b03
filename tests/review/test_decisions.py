import json
import resource

import pytest

from deidlab.review.decisions import Decision, Journal, NotSaved, read
from deidlab.types import DataError, Span

ONE = Decision("n-1", "f" * 16, "Ada", "2026-01-02T03:04:05+00:00", ((Span(3, 8, "PATIENT"), True),))
TWO = Decision("n-1", "f" * 16, "Zoë", "2026-01-02T03:04:06+00:00", ((Span(3, 8, "PATIENT"), None),), True, 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue.jsonl.decisions.jsonl"


def test_decisions_are_read_as_they_were_made(path):
    assert read(path) == []
    journal = Journal(path)
    for decision in (ONE, TWO):
        journal.append(decision)
        assert read(path)[-1] == decision
    journal.close()
    assert Journal(path).decisions == [ONE, TWO]
    assert path.stat().st_mode & 0o077 == 0


def test_a_torn_last_line_does_not_count_and_is_not_gone_on_in(path):
    for cut in (0, 1, 40, len(TWO.to_line()) - 1):
        path.write_bytes(ONE.to_line() + TWO.to_line()[:cut])
        assert read(path) == [ONE]
        journal = Journal(path)
        journal.append(TWO)
        journal.close()
        assert read(path) == [ONE, TWO]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Smith",
        b"[]",
        b'{"note": "Smith"}',
        json.dumps({**json.loads(ONE.to_line()), "verdicts": [[3, "Smith", "PATIENT", True]]}).encode(),
        json.dumps({**json.loads(ONE.to_line()), "verdicts": [[3, 8, "PATIENT", "Smith"]]}).encode(),
        json.dumps({**json.loads(ONE.to_line()), "undoes": "Smith"}).encode(),
        json.dumps({**json.loads(ONE.to_line()), "Smith": 1}).encode(),
        b"\xff",
    ],
)
def test_a_faulty_line_is_named_and_not_passed_over(path, line):
    path.write_bytes(ONE.to_line() + line + b"\n" + TWO.to_line())
    with pytest.raises(DataError, match=r"decisions.jsonl line 2: is no decision of a review") as error:
        Journal(path)
    assert "Smith" not in str(error.value)
    path.write_bytes(ONE.to_line())
    Journal(path).close()  # the lock is not held by what failed


def test_two_processes_do_not_write_one_journal(path):
    journal = Journal(path)
    with pytest.raises(DataError, match="being reviewed already"):
        Journal(path)
    journal.close()
    Journal(path).close()


@pytest.mark.parametrize("room", [0, 10])
def test_a_decision_that_does_not_fit_on_the_disk_leaves_the_journal_whole(path, room):
    """A limit on the size of files stands in for a full disk: the kernel writes what fits, or nothing."""
    journal = Journal(path)
    journal.append(ONE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, limits[1]))
    try:
        with pytest.raises(NotSaved, match="could not be saved"):
            journal.append(TWO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == ONE.to_line()
    journal.append(TWO)
    assert read(path) == [ONE, TWO]
