from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidlab.review.decisions import Journal, journal_of, read
from deidlab.review.desk import Conflict, Desk, Opinions
from deidlab.review.opinions import Malformed
from deidlab.review.queue import Queue
from deidlab.types import Span

SMITH, DATE, BELL, JONES = (
    Span(3, 8, "PATIENT"), Span(26, 36, "DATE"), Span(50, 54, "PATIENT"), Span(43, 48, "DOCTOR"),
)  # fmt: skip


def decide(desk: Desk, action: str, span=None, to=None, *, base=None, who="Ada", number=0) -> None:
    entry = desk.queue.entries[number]
    base = desk.opinions.held(who, entry.id).revision if base is None else base
    desk.decide(number, entry.fingerprint, who, base, action, span, to)


def answer(desk: Desk, who="Ada", number=0) -> set[Span]:
    return set(desk.opinions.answer(number, who).spans)


def again(desk: Desk) -> Opinions:
    """What a server that starts now would hold."""
    return Opinions.read(desk.queue, read(journal_of(desk.queue.path)))


def test_a_decision_is_on_the_disk_when_it_counts(desk):
    decide(desk, "reject", BELL)
    decide(desk, "accept", JONES)
    decide(desk, "finish")
    assert answer(desk) == {SMITH, DATE, JONES}
    assert again(desk).answer(0, "Ada").spans == desk.opinions.answer(0, "Ada").spans
    assert again(desk).done("Ada") == [0]
    assert again(desk).held("Ada", "n-1").revision == 3  # so that a page may go on after a restart


def test_reviewers_do_not_touch_each_others_opinions(desk):
    decide(desk, "reject", BELL)
    decide(desk, "reject", SMITH, who="Ben")
    assert answer(desk) == {SMITH, DATE}
    assert answer(desk, "Ben") == {DATE, BELL}


def test_a_second_edit_of_what_another_page_has_changed_is_refused_and_one_elsewhere_is_not(desk):
    decide(desk, "change", SMITH, Span(0, 8, "PATIENT"), base=0)
    with pytest.raises(Conflict, match="has changed this since"):
        decide(desk, "change", SMITH, Span(3, 8, "DOCTOR"), base=0)
    with pytest.raises(Conflict):
        decide(desk, "add", None, Span(0, 2, "DOCTOR"), base=0)
    decide(desk, "reject", BELL, base=0)
    assert answer(desk) == {Span(0, 8, "PATIENT"), DATE}
    decide(desk, "change", Span(0, 8, "PATIENT"), Span(1, 8, "PATIENT"), base=2)
    assert again(desk).answer(0, "Ada") == desk.opinions.answer(0, "Ada")


def test_a_note_is_finished_only_as_it_was_seen(desk):
    decide(desk, "reject", BELL, base=0)
    with pytest.raises(Conflict):
        decide(desk, "finish", base=0)
    decide(desk, "finish", base=1)
    with pytest.raises(Conflict):
        decide(desk, "reopen", base=9)  # of another journal


def test_another_text_and_an_unknown_type_are_refused(desk):
    with pytest.raises(Conflict, match="another text"):
        desk.decide(0, "0" * 16, "Ada", 0, "accept", SMITH)
    with pytest.raises(Conflict, match="another text"):
        desk.decide(99, desk.queue.entries[0].fingerprint, "Ada", 0, "accept", SMITH)
    with pytest.raises(Malformed, match="no label of this queue"):
        decide(desk, "change", SMITH, Span(3, 8, "PATEINT"))
    assert not read(journal_of(desk.queue.path))


def test_undoing_goes_back_through_all_notes_and_survives_a_restart(desk):
    decide(desk, "reject", BELL)
    decide(desk, "reject", Span(3, 9, "PATIENT"), number=1)
    decide(desk, "finish", number=1)
    assert [desk.undo("Ada", desk.undoable("Ada")) for _ in range(2)] == [1, 1]
    assert not desk.opinions.done("Ada")
    assert answer(desk, number=1) == {Span(3, 9, "PATIENT")}
    restarted = again(desk)
    assert [one.note for one in restarted.undoable["Ada"]] == ["n-1"]
    assert desk.undo("Ada", desk.undoable("Ada")) == 0
    assert answer(desk) == {SMITH, DATE, BELL}
    with pytest.raises(Malformed, match="nothing to undo"):
        desk.undo("Ada", 1)


def test_undo_takes_back_what_the_page_means_and_only_ones_own(desk):
    decide(desk, "reject", BELL)
    expected = desk.undoable("Ada")
    decide(desk, "reject", DATE, who="Ben")
    decide(desk, "reject", SMITH)
    with pytest.raises(Conflict, match="has decided since"):
        desk.undo("Ada", expected)
    desk.undo("Ada", desk.undoable("Ada"))
    desk.undo("Ada", expected)
    assert answer(desk, "Ben") == {SMITH, BELL}


def test_decisions_for_another_text_or_no_note_of_the_queue_are_set_aside_and_counted(desk, tmp_path):
    decide(desk, "reject", BELL)
    decide(desk, "finish", number=1)
    desk.undo("Ada", desk.undoable("Ada"))
    lines = desk.queue.path.read_text("utf-8").splitlines(keepends=True)
    other = desk.queue.path.read_text("utf-8").splitlines(keepends=True)[2]
    entry = desk.queue.entries[0]
    changed = lines[0].replace("Mr Smith", "Mr Smyth").replace(entry.fingerprint, "a4e8c2f1b0d93c77")
    (tmp_path / "new.jsonl").write_text(changed + other, "utf-8")
    opinions = Opinions.read(Queue(tmp_path / "new.jsonl"), read(journal_of(desk.queue.path)))
    assert opinions.set_aside == {"made for another text": 1, "note not in the queue": 2}
    assert not opinions.of and not any(opinions.undoable.values())


actions = st.lists(st.sampled_from(["reject smith", "accept jones", "move", "back", "retype", "add", "finish", "undo"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_whatever_is_decided_a_restart_gives_the_same_and_undoing_all_gives_the_beginning(queue_file, actions):
    journal_of(queue_file).unlink(missing_ok=True)
    journal = Journal(journal_of(queue_file))
    desk = Desk(Queue(queue_file), journal)
    wide = Span(0, 8, "PATIENT")
    steps = {
        "reject smith": ("reject", SMITH), "accept jones": ("accept", JONES), "move": ("change", SMITH, wide),
        "back": ("change", wide, SMITH), "retype": ("change", DATE, Span(26, 36, "DOCTOR")),
        "add": ("add", None, Span(0, 2, "DOCTOR")), "finish": ("finish",),
    }  # fmt: skip
    for action in actions:
        try:
            if action == "undo":
                desk.undo("Ada", desk.undoable("Ada") or 0)
            else:
                decide(desk, *steps[action])
        except Malformed:
            continue
    restarted = again(desk)
    assert (restarted.of, restarted.undoable) == (desk.opinions.of, desk.opinions.undoable)
    while desk.undoable("Ada"):
        desk.undo("Ada", desk.undoable("Ada"))
    assert answer(desk) == {SMITH, DATE, BELL}
    assert not desk.opinions.done("Ada")
    journal.close()


def test_two_who_decide_at_once_lose_nothing(desk):
    def work(who: str) -> None:
        for _ in range(20):
            decide(desk, "reject", BELL, who=who)
            decide(desk, "accept", BELL, who=who)

    threads = [Thread(target=work, args=(who,)) for who in ("Ada", "Ben", "Cem")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [again(desk).held(who, "n-1").revision for who in ("Ada", "Ben", "Cem")] == [40, 40, 40]
