"""The data files that ship with the package."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import yaml

from deidlab.types import ConfigError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=64)
def load_yaml(name: str):
    """The content of `data/<name>`, parsed once. Treat it as read-only."""
    with files("deidlab.synthesis").joinpath("data", *name.split("/")).open("rb") as stream:
        return yaml.load(stream, Loader=_LOADER)


@lru_cache(maxsize=8)
def load_all(folder: str) -> dict:
    """The mappings of every YAML file in `data/<folder>`, united. Raises `ConfigError` when two define one key."""
    united: dict = {}
    for path in sorted(files("deidlab.synthesis").joinpath("data", folder).iterdir(), key=lambda p: p.name):
        if path.name.endswith(".yaml"):
            part = load_yaml(f"{folder}/{path.name}") or {}
            if twice := sorted(set(part) & set(united)):
                raise ConfigError(f"{folder}/{path.name} defines {', '.join(twice)} a second time")
            united.update(part)
    return united
