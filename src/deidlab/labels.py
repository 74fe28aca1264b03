"""Label sets: entity types, a tagging scheme, and maps from the labels of corpora to these types.

A label set is data (`conf/labels/*.yaml`); this file gives it meaning.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from deidlab.types import ConfigError, DataError, Document, Losses, Span

Scheme = Literal["IO", "BIO", "BIOES", "BILOU"]
OUTSIDE = "O"
IGNORED = -100

# Prefixes in the order in which tags are numbered: (begin, inside, last, unit); a scheme without one reuses another.
PREFIXES: Mapping[str, tuple[str, str, str, str]] = {
    "IO": ("I", "I", "I", "I"),
    "BIO": ("B", "I", "I", "B"),
    "BIOES": ("B", "I", "E", "S"),
    "BILOU": ("B", "I", "L", "U"),
}


@dataclass(frozen=True)
class LabelSet:
    """Entity types under a scheme.

    Tags are numbered O first, then the prefixes of each type in turn (`B-X I-X L-X U-X` under BILOU).
    `maps[vocabulary][corpus_label]` is one of `types` or "O"; `coarse[name][type]` groups types for reports.
    """

    name: str
    types: tuple[str, ...]
    scheme: Scheme = "BIO"
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    coarse: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # The types that name a person, for tables about names only.
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", tuple(self.types))
        object.__setattr__(self, "names", tuple(self.names))
        if self.scheme not in PREFIXES:
            raise ConfigError(f"label set {self.name}: scheme {self.scheme!r} is none of {', '.join(PREFIXES)}")
        if not self.types:
            raise ConfigError(f"label set {self.name} has no types")
        for kind, seen in (("type", self.types), ("name type", self.names)):
            if len(set(seen)) != len(seen):
                raise ConfigError(f"label set {self.name} lists a {kind} twice")
        known = {*self.types, OUTSIDE}
        for where, mapping in self.maps.items():
            if wrong := sorted(set(mapping.values()) - known):
                raise ConfigError(f"label set {self.name}, map {where}: {', '.join(wrong)} are not among its types")
        for where, mapping in self.coarse.items():
            if wrong := sorted(set(mapping) - known):
                raise ConfigError(f"label set {self.name}, coarse map {where}: {', '.join(wrong)} are no types of it")
            if missing := sorted(set(self.types) - set(mapping)):
                raise ConfigError(f"label set {self.name}, coarse map {where} misses {', '.join(missing)}")
        if wrong := sorted(set(self.names) - known):
            raise ConfigError(f"label set {self.name}: names {', '.join(wrong)} are not among its types")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """All tags in the order of the model's outputs."""
        prefixes = dict.fromkeys(PREFIXES[self.scheme])
        return (OUTSIDE, *(f"{p}-{t}" for t in self.types for p in prefixes))

    @property
    def tag_ids(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    def mapping_for(
        self,
        vocabulary: str,
        labels: Iterable[str],
        extra: Mapping[str, str] | None = None,
        setting: str = "data.label_map",
    ) -> dict[str, str]:
        """Map every label of a corpus to a type or to O.

        `extra` (the user's own, from `setting`) wins over the map shipped for `vocabulary`; a label equal to
        a type maps to itself. Raises `DataError` that lists every label left unmapped.
        """
        shipped = {**{t: t for t in self.types}, **self.maps.get(vocabulary, {}), **(extra or {})}
        if wrong := sorted(set((extra or {}).values()) - {*self.types, OUTSIDE}):
            raise ConfigError(
                f"{setting} maps to {', '.join(wrong)}: no types of {self.name} ({', '.join(self.types)})"
            )
        wanted = sorted(set(labels))
        if unmapped := [label for label in wanted if label not in shipped]:
            hints = []
            for label in unmapped:
                close = difflib.get_close_matches(label.upper(), self.types, n=1)
                hints.append(f"{label} (did you mean {close[0]}?)" if close else label)
            raise DataError(
                f"label set {self.name} has no place for these labels of ({vocabulary}): {', '.join(hints)}. "
                f"Map each to a type or to O: {setting}={{{unmapped[0]}: O, ...}}. Types: {', '.join(self.types)}"
            )
        return {label: shipped[label] for label in wanted}

    def relabel(self, document: Document, mapping: Mapping[str, str], losses: Losses) -> Document:
        """The document with its spans' labels mapped to types; those mapped to O are left out and counted."""
        kept = []
        for span in document.spans:
            if (label := mapping[span.label]) == OUTSIDE:
                losses.count("mapped_to_O", span.label)
            else:
                kept.append(Span(span.start, span.end, label, span.score))
        return replace(document, spans=tuple(kept))

    def to_dict(self) -> dict:
        """What a checkpoint keeps: enough to decode and to report, without the maps from corpora."""
        return {
            "name": self.name,
            "types": list(self.types),
            "scheme": self.scheme,
            "coarse": {k: dict(v) for k, v in self.coarse.items()},
            "names": list(self.names),
        }


def tag_sequence(span_of_unit: Iterable[tuple[int, str] | None], scheme: Scheme) -> list[str]:
    """Tags of consecutive units, each given as (span number, type) or None for outside."""
    units = list(span_of_unit)
    begin, inside, last, unit = PREFIXES[scheme]
    tags = []
    for i, here in enumerate(units):
        if here is None:
            tags.append(OUTSIDE)
            continue
        first = i == 0 or units[i - 1] != here
        final = i + 1 == len(units) or units[i + 1] != here
        prefix = unit if first and final else begin if first else last if final else inside
        tags.append(f"{prefix}-{here[1]}")
    return tags
