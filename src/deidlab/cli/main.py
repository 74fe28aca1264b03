"""The command line: `deidlab COMMAND`. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path

import typer

from deidlab import __version__
from deidlab.cli.convert import convert
from deidlab.cli.deidentify import deidentify
from deidlab.cli.export import export
from deidlab.cli.image import image
from deidlab.cli.inspect import inspect
from deidlab.cli.passport import passport
from deidlab.cli.review import review
from deidlab.cli.serve import serve
from deidlab.types import DeidlabError

# Typer's own tracebacks would show the values of variables: notes.
app = typer.Typer(
    name="deidlab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(convert)
app.command()(deidentify)
app.command()(export)
app.command()(image)
app.command()(inspect)
app.command()(passport)
app.command()(review)
app.command()(serve)


def shown_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deidlab {__version__}")
        raise typer.Exit


@app.callback()
def deidlab(
    version: bool = typer.Option(False, "--version", callback=shown_version, is_eager=True, help="Show the version."),
) -> None:
    """Take the identifiers out of clinical notes.

    `deidlab deidentify --help` shows how. Models are trained and judged with `train.py` and `scripts/evaluate.py`.
    """


def main() -> None:
    """Run a command. Exit status: 0 done, 1 some notes failed, 2 a wrong setting or input, 70 a fault of ours."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    for noisy in ("httpx", "huggingface_hub", "transformers", "torch"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        app()
    except DeidlabError as error:
        fail(f"error: {error}", 2)
    except BrokenPipeError:  # whoever read the output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (package := missing_package(error)):
            fail(f"error: this needs {package}, which is not installed: install deidlab with all that it depends on "
                 "(a run that `deidlab export` wrote needs no PyTorch)", 2)  # fmt: skip
        fail(unexpected(error), 70)


def missing_package(error: ModuleNotFoundError) -> str | None:
    """The package that is not installed; None for a module of our own, or of a package that is there."""
    name = error.name or ""
    return name if name.isidentifier() and name != "deidlab" else None


def unexpected(error: Exception) -> str:
    """What we did not foresee, without the message of the error, which may quote a note."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {Path(frame.filename).name} line {frame.lineno}, {frame.name}" for frame in frames]
    return "\n".join(
        [f"a fault of deidlab: {type(error).__name__} (its message is withheld: it may quote a note), at", *lines[-8:]]
    )


def fail(message: str, status: int) -> None:
    typer.echo(message, err=True)
    raise SystemExit(status)
