"""What is done, how fast, how long still: a bar on a terminal, lines elsewhere; never anything of a note."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

EVERY = 30.0  # seconds between two lines where there is no terminal


def progress_bar(disable: bool = False, stderr: bool = False) -> Progress | Lines:
    """A bar with count, elapsed and remaining time; tasks carry a field `note` for loss or rate.

    With `stderr` it stays out of what a command writes to its standard output.
    """
    console = Console(stderr=stderr)
    if not disable and not console.is_terminal:
        return Lines(console)
    return Progress(
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=disable,
    )


@dataclass
class Task:
    """One thing that is under way."""

    description: str
    total: float | None
    completed: float
    note: str
    first: float  # what was completed when it began: a resumed run has a head start
    began: float = field(default_factory=lambda: time.monotonic())
    shown: float = field(default_factory=lambda: time.monotonic())

    def line(self) -> str:
        """Count, elapsed and remaining time, and the note."""
        now = time.monotonic()
        gone, done = now - self.began, self.completed - self.first
        left = clock(gone / done * (self.total - self.completed)) if self.total and done > 0 else "-"
        count = f"{self.completed:,.0f}" + (f"/{self.total:,.0f}" if self.total else "")
        return f"{self.description} {count}  {clock(gone)} gone, {left} left  {self.note}".rstrip()


class Lines:
    """Stands where a bar would, in a log file: prints a line every half a minute and one at the end of a task."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tasks: list[Task] = []

    def add_task(self, description: str, total: float | None = None, completed: float = 0, note: str = "") -> TaskID:
        self.tasks.append(Task(description, total, completed, note, completed))
        return TaskID(len(self.tasks) - 1)

    def update(self, task: TaskID, advance: float = 0, **changed: Any) -> None:
        one = self.tasks[task]
        for name, value in changed.items():
            setattr(one, name, value)
        one.completed += advance
        if time.monotonic() - one.shown >= EVERY or (advance and one.total and one.completed >= one.total):
            self._show(one)

    def _show(self, task: Task) -> None:
        self.console.print(task.line(), soft_wrap=True, highlight=False)
        task.shown = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.tasks:
            if task.completed and not (task.total and task.completed >= task.total):
                self._show(task)


def clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
