"""`deidlab review`: a page where people decide what a system was not sure of, and their gold as files."""

from __future__ import annotations

import getpass
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from deidlab.cli.options import option
from deidlab.types import ConfigError

PAGE, GOLD, MAKING = "The page", "Gold from decisions", "A queue from predictions"


def review(
    queue: Annotated[Path, typer.Argument(metavar="QUEUE", help="What `deidlab deidentify --review` has set aside.")],
    port: Annotated[int, option("0 takes a free one.", PAGE)] = 0,
    reviewer: Annotated[
        str | None, option("Whose decisions: proposed on the page; with --export, whose gold (else merged).", PAGE)
    ] = None,
    labels: Annotated[str, option("More types for the page, with commas: PATIENT,DATE.", PAGE)] = "",
    browser: Annotated[
        bool, option("Open the link in a browser; until then, who lists this machine's processes sees it.", PAGE)
    ] = False,
    export: Annotated[Path | None, option("Write finished notes as gold to this new folder.", GOLD)] = None,
    to: Annotated[str, option("jsonl, brat, i2b2, or any other format of `deidlab convert`.", GOLD)] = "jsonl",
    final: Annotated[str | None, option("A reviewer whose word is the last where several differ.", GOLD)] = None,
    notes: Annotated[
        Path | None, option("Make QUEUE from these notes first: .txt, or any format of `deidlab convert`.", MAKING)
    ] = None,
    predictions: Annotated[Path | None, option("What a system found in them: .ann, .xml or .jsonl.", MAKING)] = None,
    unsure_below: Annotated[float, option("A span with a lower score is asked about.", MAKING)] = 0.8,
) -> None:
    """Review uncertain notes in a browser, with the keyboard alone if you like; nothing leaves this machine.

    Each decision is on the disk before the page shows it, in QUEUE.decisions.jsonl, which holds no text.

    **Examples**

    - `deidlab review queue.jsonl`

    - `deidlab review queue.jsonl --export gold --to brat`

    - `deidlab review queue.jsonl --notes notes/ --predictions outputs/001/predictions.jsonl`
    """
    if (notes is None) != (predictions is None):
        raise ConfigError("a queue is made from --notes and --predictions, both")
    if notes is not None and predictions is not None:
        from deidlab.flagging import Flagging
        from deidlab.review.making import make

        typer.echo(f"{queue}: {make(queue, notes, predictions, Flagging(sure=unsure_below))} notes", err=True)
    if export is not None:
        write_gold(queue, export, to, reviewer, final)
    else:
        serve(queue, port, reviewer or getpass.getuser(), [one for one in labels.split(",") if one], browser)


def write_gold(queue: Path, folder: Path, form: str, reviewer: str | None, final: str | None) -> None:
    """Export the gold, and say what is missing from it."""
    from deidlab.review import decisions
    from deidlab.review.desk import Opinions
    from deidlab.review.gold import export
    from deidlab.review.queue import Queue

    opinions = Opinions.read(Queue(queue), decisions.read(decisions.journal_of(queue)))
    made = export(opinions, folder, form, reviewer, final)
    typer.echo(f"{folder}: {made.written} notes; {made.unreviewed} are not finished")
    if made.disputed:
        typer.echo(
            f"{made.disputed} notes are left out, for reviewers are even on {len(made.disputes)} spans "
            f"({folder / 'about' / 'review.json'} lists them): settle them on the page, or name a --final reviewer"
        )
    for reason, count in opinions.set_aside.items():
        typer.echo(f"{count} decisions do not count: {reason}")


def serve(queue: Path, port: int, reviewer: str, labels: list[str], browser: bool) -> None:
    if missing := [name for name in ("fastapi", "uvicorn") if not importlib.util.find_spec(name)]:
        raise ConfigError(f'deidlab review needs {", ".join(missing)}: pip install "deidlab[serve]"')
    import logging
    import webbrowser
    from urllib.parse import quote

    import uvicorn

    from deidlab.cli.serve import listening
    from deidlab.review.decisions import REVIEWER, Journal, journal_of
    from deidlab.review.desk import Desk
    from deidlab.review.queue import Queue
    from deidlab.review.server import create

    if not REVIEWER.fullmatch(reviewer):
        raise ConfigError(f"{reviewer!r} is no name for a reviewer: letters, digits, blanks and . - _ @, at most 40")
    opened = Queue(queue)
    if not len(opened):
        typer.echo(f"{queue} is empty: nothing is to be reviewed", err=True)
        return
    desk = Desk(opened, Journal(journal_of(queue)), labels)
    for reason, count in desk.opinions.set_aside.items():
        typer.echo(f"{count} decisions do not count: {reason}", err=True)
    with listening("127.0.0.1", port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def link(token: str) -> str:
            # What follows # stays in the browser, through the redirect too.
            return f"{address}?token={token}#{quote(reviewer)}"

        app = create(desk, lambda token: typer.echo(f"another browser: {link(token)}", err=True))
        typer.echo(f"{len(opened)} notes to review at {link(app.token)}\nCtrl+C ends.", err=True)
        if browser:
            webbrowser.open(link(app.token))
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        config = uvicorn.Config(app, access_log=False, log_config=None, lifespan="off", server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
