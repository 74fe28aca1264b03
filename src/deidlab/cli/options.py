"""Options that several commands share, and what is said where they do not fit together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from deidlab.types import ConfigError

WHAT, HOW = "What is done to identifiers", "How they are found"


def option(help: str, panel: str, *names: str):
    return typer.Option(*names, help=help, rich_help_panel=panel)


Model = Annotated[
    Path | None, typer.Option("--model", "-m", help="A run of train.py, or what `deidlab export` made of one.")
]
Style = Annotated[str | None, option("mask [NAME], mask_same_length ****, remove, tag, surrogate.", WHAT)]
PolicyName = Annotated[str, option("hipaa_safe_harbor, limited_data_set, i2b2, or a YAML file of your own.", WHAT)]
KeyFile = Annotated[Path | None, option("File with the secret that surrogates and date shifts come of.", WHAT)]
KeyEnv = Annotated[str | None, option("Environment variable that holds that secret.", WHAT)]
Rules = Annotated[bool, option("Add what regular expressions find.", HOW)]
RulesOnly = Annotated[bool, option("No model, only regular expressions: most names stay.", HOW, "--rules-only")]
Consistency = Annotated[bool, option("Cover a name found once wherever it stands in the note.", HOW)]


def needed_key(
    file: Path | None, variable: str | None, policy: str, style: str | None, vault: bool = False
) -> bytes | None:
    """The secret that the user names, None where nothing needs one; raises `ConfigError` where one is wanting."""
    from deidlab.redaction.policy import Policy

    secret = read_key(file, variable)
    if secret is None and (vault or Policy.load(policy).needs_key(style)):
        raise ConfigError(
            "surrogates, shifted dates and a vault need a secret of your own: write what "
            "`python -c 'import secrets; print(secrets.token_hex(32))'` prints to a file for --key-file (or in a "
            "variable: --key-env)"
        )
    return secret


def read_key(file: Path | None, variable: str | None) -> bytes | None:
    """The secret that the user names; raises `ConfigError` when it is not there."""
    if file and variable:
        raise ConfigError("give --key-file or --key-env, not both")
    if file:
        try:
            return file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"--key-file {file}: {error.strerror}") from None
    if variable:
        if variable not in os.environ:
            raise ConfigError(f"--key-env {variable}: there is no such environment variable")
        return os.environ[variable].strip().encode()
    return None


def check_model(model: Path | None, rules_only: bool) -> None:
    """Raise `ConfigError` unless the user says which model, or that none is wanted."""
    if model is None and not rules_only:
        raise ConfigError("say which model: --model RUN (--rules-only does without one, and leaves most names)")
    if model is not None and rules_only:
        raise ConfigError("--rules-only is without a model: leave out --model")
