"""A label set that grows out of another, and what a trained head knows already of the tags of a new label set."""

from __future__ import annotations

from collections.abc import Mapping

from deidlab.labels import OUTSIDE, PREFIXES, LabelSet
from deidlab.types import ConfigError


def extended(
    base: LabelSet,
    add: Mapping[str, str] | None = None,
    maps: Mapping[str, Mapping[str, str]] | None = None,
    name: str | None = None,
) -> LabelSet:
    """`base` with new types appended after its own, so that the tags of `base` keep their numbers.

    `add` gives each new type its category, which it has in every coarse map that knows more than one. `maps` joins
    those of `base`; a corpus label of a new type's own name goes to that type. Raises `ConfigError` for a type that
    `base` has already.
    """
    add = add or {}
    if known := sorted(set(add) & {*base.types, OUTSIDE}):
        raise ConfigError(f"labels.add has {', '.join(known)}, which label set {base.name} has already")
    grown = {
        vocabulary: {label: to for label, to in lines.items() if label not in add}
        for vocabulary, lines in base.maps.items()
    }
    for vocabulary, lines in (maps or {}).items():
        grown[vocabulary] = {**grown.get(vocabulary, {}), **lines}
    coarse = {}
    for kind, groups in base.coarse.items():
        values = {group for group in groups.values() if group != OUTSIDE}
        only = values.pop() if len(values) == 1 else None
        coarse[kind] = {**groups, **{new: only or category for new, category in add.items()}}
    title = name or (f"{base.name}+{len(add)}" if add else base.name)
    return LabelSet(title, (*base.types, *add), base.scheme, grown, coarse, base.names)


def origins(earlier: LabelSet, labels: LabelSet) -> tuple[tuple[int, ...], ...]:
    """For each tag of `labels` the tags of `earlier` (their numbers) that mean the same; none for what is new.

    A type is known by its name, or else by the map of `labels` from the label set of that name; prefixes by their role,
    so that the schemes may differ.
    """
    ids = earlier.tag_ids
    shipped = labels.maps.get(earlier.name, {})
    found: list[tuple[int, ...]] = [(ids[OUTSIDE],)]
    for tag in labels.tags[1:]:
        prefix, _, kind = tag.partition("-")
        same = [kind] if kind in earlier.types else [old for old in earlier.types if shipped.get(old) == kind]
        roles = [role for role, letter in enumerate(PREFIXES[labels.scheme]) if letter == prefix]
        letters = dict.fromkeys(PREFIXES[earlier.scheme][role] for role in roles)
        found.append(tuple(ids[f"{letter}-{old}"] for old in same for letter in letters))
    return tuple(found)
