"""`deidlab passport`: what a model is, how good, for what, and who answers for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deidlab.types import ConfigError


def passport(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run of train.py.")],
    sign: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")] = "",
    role: Annotated[str, typer.Option(help="As what.")] = "",
    use: Annotated[str, typer.Option(help="What the model is for, in a sentence.")] = "",
    limit: Annotated[list[str] | None, typer.Option(help="A limit of this model; may be said again.")] = None,
    adaptation: Annotated[Path | None, typer.Option(help="The folder of a scripts/institution.py.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Is the passport there about these weights?")] = False,
) -> None:
    """Write RUN/passport.json and passport.md, signed off by a person; or check one."""
    from deidlab import passport as passports

    if check:
        signed = passports.check(run)["signed"]
        typer.echo(f"{run}: signed off by {signed['by']} on {signed['on']}; weights and passport are unchanged")
        return
    if not sign:
        raise ConfigError("say who signs (--sign NAME) and what the model is for (--use TEXT), or --check")
    passports.issue(run, sign, use, tuple(limit or ()), adaptation, role)
    typer.echo(f"{run}/: passport.json, passport.md")
