"""`deidlab serve`: a de-identifier behind HTTP, on this machine only unless a token guards it."""

from __future__ import annotations

import importlib.util
import ipaddress
import math
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from deidlab.cli import options
from deidlab.cli.options import option
from deidlab.types import ConfigError

SERVICE = "The service"
WEAKEST_TOKEN = 16  # bytes


def serve(
    model: options.Model = None,
    host: Annotated[str, option("Address to listen at; any but this machine's own needs a token.", SERVICE)] = (
        "127.0.0.1"
    ),
    port: Annotated[int, option("0 takes a free one, and tells which.", SERVICE)] = 8000,
    token_file: Annotated[Path | None, option("File with the bearer token that requests must carry.", SERVICE)] = None,
    token_env: Annotated[str | None, option("Environment variable that holds that token.", SERVICE)] = None,
    max_request_mb: Annotated[float, option("A larger request is refused (413).", SERVICE)] = 4.0,
    wait_ms: Annotated[float, option("How long a request waits for others to share its batch with.", SERVICE)] = 5.0,
    style: options.Style = None,
    policy: options.PolicyName = "hipaa_safe_harbor",
    key_file: options.KeyFile = None,
    key_env: options.KeyEnv = None,
    rules: options.Rules = True,
    rules_only: options.RulesOnly = False,
    consistency: options.Consistency = True,
    device: Annotated[str, option("auto, cpu, cuda, mps.", SERVICE)] = "auto",
    batch_tokens: Annotated[int, option("Tokens the model sees at once.", SERVICE)] = 8192,
) -> None:
    """Serve `/deidentify`, `/analyze`, `/health`, `/metrics` and their description, `/openapi.json`.

    Requests that come at the same time share batches. Neither notes nor addresses of clients are ever logged.

    **Examples**

    - `deidlab serve -m outputs/001`

    - `curl -H 'Content-Type: application/json' -d '{"notes": [{"text": "Mr. Smith, 03/04/2012"}]}'
      http://127.0.0.1:8000/deidentify`

    - `deidlab serve -m outputs/001 --host 0.0.0.0 --token-file token` behind a proxy that speaks TLS
    """
    options.check_model(model, rules_only)
    token = read_token(token_file, token_env)
    if token is None and not is_loopback(host):
        raise ConfigError(f"--host {host} is reached from other machines: set a token (--token-file or --token-env)")
    if not 0 < max_request_mb < math.inf or wait_ms < 0:
        raise ConfigError("--max-request-mb is above 0, and --wait-ms is not below 0")
    if missing := [name for name in ("fastapi", "uvicorn", "prometheus_client") if not importlib.util.find_spec(name)]:
        raise ConfigError(f'deidlab serve needs {", ".join(missing)}: pip install "deidlab[serve]"')
    secret = options.needed_key(key_file, key_env, policy, style)
    with listening(host, port) as listener:
        from deidlab import deidentifier
        from deidlab.service.app import create
        from deidlab.types import Document

        loaded = deidentifier.load(
            model, style=style, policy=policy, key=secret, rules=rules, consistency=consistency, device=device,
            batch_tokens=batch_tokens,
        )  # fmt: skip
        loaded.results([Document("warm-up", "Warm-up.")])
        app = create(loaded, token=token, most_bytes=int(max_request_mb * 2**20), wait=wait_ms / 1000)
        run(app, listener)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: Path | None, variable: str | None) -> bytes | None:
    """The token that the user names; raises `ConfigError` when it is not there, or is soon guessed."""
    if file and variable:
        raise ConfigError("give --token-file or --token-env, not both")
    if file:
        try:
            token = file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"--token-file {file}: {error.strerror}") from None
    elif variable:
        if variable not in os.environ:
            raise ConfigError(f"--token-env {variable}: there is no such environment variable")
        token = os.environ[variable].strip().encode()
    else:
        return None
    if len(token) < WEAKEST_TOKEN:
        raise ConfigError(
            f"the token has {len(token)} bytes, fewer than {WEAKEST_TOKEN}: "
            "use what `python -c 'import secrets; print(secrets.token_hex(32))'` prints"
        )
    return token


def listening(host: str, port: int) -> socket.socket:
    """A socket at an address, taken before a model is loaded; raises `ConfigError` where it is not to be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no such port"
        raise ConfigError(f"--host {host} --port {port}: {why}; choose another") from None


def run(app, listener: socket.socket) -> None:
    import logging

    import uvicorn

    logging.getLogger("deidlab.service").setLevel(logging.INFO)
    # No access log of uvicorn's: it has the addresses of clients and whole URLs. Ours has neither.
    config = uvicorn.Config(app, access_log=False, log_config=None, lifespan="on", server_header=False)
    host, port = listener.getsockname()[:2]
    typer.echo(f"deidlab serves at http://{f'[{host}]' if ':' in host else host}:{port}", err=True)
    sys.stderr.flush()
    uvicorn.Server(config).run(sockets=[listener])
