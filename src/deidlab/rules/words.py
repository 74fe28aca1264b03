"""The word lists of the rules (`data/words.yaml`)."""

from __future__ import annotations

from importlib.resources import files

import yaml

WORDS: dict[str, list[str]] = yaml.safe_load(files("deidlab.rules").joinpath("data/words.yaml").read_text("utf-8"))
