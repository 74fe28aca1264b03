"""Types of identifiers: what the labels of any label set or corpus mean, so that one policy serves them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Taxonomy:
    """`group_of` each type and `type_of` each label; labels are upper case with `_` for `-`."""

    group_of: Mapping[str, str]
    type_of: Mapping[str, str]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.group_of.values()))


def normalised(label: str) -> str:
    """A label as the taxonomy writes it: `Location-Other` is LOCATION_OTHER."""
    return label.upper().replace("-", "_").replace(" ", "_")


@lru_cache(maxsize=1)
def taxonomy() -> Taxonomy:
    """The types that ship with the package (`data/taxonomy.yaml`)."""
    with files("deidlab.redaction").joinpath("data", "taxonomy.yaml").open("rb") as stream:
        groups = yaml.safe_load(stream)
    group_of = {kind: group for group, kinds in groups.items() for kind in kinds}
    type_of = {label: kind for kinds in groups.values() for kind, labels in kinds.items() for label in labels}
    return Taxonomy(group_of, {**type_of, **{kind: kind for kind in group_of}})
