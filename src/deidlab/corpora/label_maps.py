"""Label maps as small YAML files: drafted from the labels of a corpus, mended by a person, applied to documents.

map:
  PERSON: PATIENT
  Misc: O      # O: not an identifier, its spans are left out and counted
  Unit: TODO   # what the draft is not sure of, and `convert` refuses
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from deidlab.labels import OUTSIDE, LabelSet
from deidlab.redaction.taxonomy import normalised, taxonomy
from deidlab.types import ConfigError, DataError, Document, Losses

UNSURE = "TODO"


@dataclass(frozen=True)
class Guess:
    """What a label seems to mean in a label set, and why; `type` is None where it is not sure."""

    type: str | None
    why: str


def guess(label: str, labels: LabelSet) -> Guess:
    """The type of a label: by its name, by the maps that come with the label set, by what names like it mean."""
    name = normalised(label)
    types = {normalised(kind): kind for kind in labels.types}
    if name in types:
        return Guess(types[name], "the same name")
    told = {
        (kind, vocabulary)
        for vocabulary, mapping in labels.maps.items()
        for known, kind in mapping.items()
        if normalised(known) == name
    }
    if len({kind for kind, _ in told}) == 1:
        kind = told.pop()[0]
        return Guess(kind, f"as the labels of {labels.name} map it")
    meaning = taxonomy().type_of.get(name)
    alike = [kind for plain, kind in types.items() if meaning and taxonomy().type_of.get(plain) == meaning]
    if len(alike) == 1:
        return Guess(alike[0], "another name of the same")
    choices = {kind for kind, _ in told} or set(alike) or set(_close(name, types))
    return Guess(None, f"perhaps {' or '.join(sorted(choices))}" if choices else "no type has such a name")


def _close(name: str, types: Mapping[str, str]) -> list[str]:
    """Types whose names look like it, or share a word with it."""
    words = set(name.split("_"))
    sharing = [kind for plain, kind in types.items() if words & set(plain.split("_"))]
    return sharing[:3] or [types[plain] for plain in difflib.get_close_matches(name, types, n=2)]


def drafted(counts: Mapping[str, int], labels: LabelSet) -> str:
    """A label map as YAML, a line a label with the guess and its reason, to be mended by a person."""
    lines = [
        f"# The labels of the notes, and their types in the label set {labels.name}:",
        f"# {', '.join(labels.types)}; or O, no identifier.",
        f"# Check every line; {UNSURE} must be settled before `deidlab convert --labels` takes this file.",
        "map:",
    ]
    for label, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        found = guess(label, labels)
        # In quotes `no` and `1` stay labels.
        quoted = yaml.safe_dump(label, default_style='"', allow_unicode=True, width=1 << 20).strip()
        lines.append(f"  {quoted}: {found.type or UNSURE}  # {number} spans; {found.why}")
    return "\n".join(lines if counts else [*lines[:-1], "map: {}"]) + "\n"


def load_map(path: str | Path) -> dict[str, str]:
    """The label map in a YAML file; raises `ConfigError` for one with labels that are still to be settled."""
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"label map {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError):  # a day that no calendar has is a ValueError
        raise ConfigError(f"label map {path} is not YAML in UTF-8") from None
    mapping: Any = content.get("map") if isinstance(content, dict) else None
    if not isinstance(mapping, dict):
        raise ConfigError(f"label map {path}: expected `map:` and a line a label; draft one with --draft-map")
    if wrong := [str(key) for key, value in mapping.items() if not (isinstance(key, str) and isinstance(value, str))]:
        raise ConfigError(
            f"label map {path}: {', '.join(wrong)} must be quoted, label and type: YAML reads them otherwise"
        )
    if empty := [label for label, kind in mapping.items() if not kind.strip()]:
        raise ConfigError(f"label map {path}: {', '.join(empty)} have no type; give each one, or O")
    if open_ := [label for label, kind in mapping.items() if kind == UNSURE]:
        raise ConfigError(f"label map {path}: {', '.join(open_)} are {UNSURE}; give each a type, or O")
    return mapping


def load_labels(source: str | Path) -> LabelSet:
    """A label set from its YAML file, or by its name from `conf/labels/`, here or of the checkout that is installed.

    Raises `ConfigError` otherwise.
    """
    path = Path(source) if Path(source).suffix else _named(f"{source}.yaml")
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError:
        raise ConfigError(
            f"no label set at {path}; give the YAML file of one (the project's are in conf/labels)"
        ) from None
    except (yaml.YAMLError, ValueError):
        raise ConfigError(f"label set {path} is not YAML in UTF-8") from None
    if not isinstance(content, dict) or not isinstance(content.get("types"), list):
        raise ConfigError(f"label set {path}: expected `types:` and a list of names")
    parts = {key: content[key] for key in ("scheme", "maps", "coarse", "names") if content.get(key) is not None}
    return LabelSet(str(content.get("name", path.stem)), tuple(map(str, content["types"])), **parts)


def _named(file: str) -> Path:
    """Where the label set of a file's name is, or would be."""
    here, installed = Path("conf", "labels"), Path(__file__).parents[3] / "conf" / "labels"
    return installed / file if not (here / file).is_file() and (installed / file).is_file() else here / file


def check_complete(mapping: Mapping[str, str], counts: Mapping[str, int], place: str) -> None:
    """Raise `DataError` that lists the labels of a corpus which a map does not have."""
    if missing := sorted(set(counts) - set(mapping)):
        raise DataError(f"{place} has no line for {', '.join(missing)}; add one each, a type or O")


def relabelled(document: Document, mapping: Mapping[str, str], losses: Losses) -> Document:
    """The document with its labels mapped; those mapped to O are left out and counted, and so are doubles."""
    kept = []
    for span in document.spans:
        if (label := mapping[span.label]) == OUTSIDE:
            losses.count("mapped_to_O", span.label)
        elif (mapped := replace(span, label=label)) in kept:
            losses.count("same_after_mapping", span.label)
        else:
            kept.append(mapped)
    return replace(document, spans=tuple(sorted(kept)))
