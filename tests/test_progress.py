"""Where there is no terminal, a line now and then says how far things are."""

import pytest

from deidlab import progress
from deidlab.progress import Lines, progress_bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 100.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    return clock


def test_a_log_file_gets_a_line_every_half_a_minute_and_at_the_end(clock, capsys):
    bar = progress_bar()
    assert isinstance(bar, Lines), "pytest's output is no terminal"
    with bar:
        task = bar.add_task("training", total=100, note="")
        for _ in range(100):
            clock.now += 1
            bar.update(task, advance=1, note="loss 0.5")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "training 30/100  0:00:30 gone, 0:01:10 left  loss 0.5",
        "training 60/100  0:01:00 gone, 0:00:40 left  loss 0.5",
        "training 90/100  0:01:30 gone, 0:00:10 left  loss 0.5",
        "training 100/100  0:01:40 gone, 0:00:00 left  loss 0.5",
    ]


def test_what_ends_early_says_where(clock, capsys):
    with progress_bar() as bar:
        task = bar.add_task("evaluating", note="")
        bar.update(task, advance=7)
    assert capsys.readouterr().out.splitlines() == ["evaluating 7  0:00:00 gone, - left"]


def test_a_resumed_task_estimates_from_what_it_did_itself(clock, capsys):
    with progress_bar() as bar:
        task = bar.add_task("training", total=100, completed=80, note="")
        clock.now += 30
        bar.update(task, advance=10)
    assert capsys.readouterr().out.splitlines()[0] == "training 90/100  0:00:30 gone, 0:00:30 left"


def test_a_silent_process_prints_nothing(capsys):
    with progress_bar(disable=True) as bar:
        bar.update(bar.add_task("training", total=1, note=""), advance=1)
    assert capsys.readouterr().out == ""
