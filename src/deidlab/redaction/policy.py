"""Policies: what happens to each type of identifier."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from deidlab.redaction.taxonomy import normalised, taxonomy
from deidlab.types import ConfigError

Style = Literal["mask", "mask_same_length", "remove", "tag", "surrogate"]
# `redact` is whatever style the user chose; `keep` leaves the identifier as it is.
Action = Literal["redact", "mask", "mask_same_length", "remove", "tag", "surrogate", "keep", "shift", "generalise"]
STYLES: tuple[str, ...] = get_args(Style)
ACTIONS: tuple[str, ...] = get_args(Action)
PRESETS = ("hipaa_safe_harbor", "limited_data_set", "i2b2")
GENERALISED = frozenset(("AGE", "ZIP", "DATE", "DATE_OF_BIRTH", "DATE_TIME"))
SHIFTED = frozenset(("DATE", "DATE_OF_BIRTH", "DATE_TIME", "TIME"))


@dataclass(frozen=True)
class DateSettings:
    """How dates are read and moved.

    A patient's dates all move by the same number of days, drawn by the key from 1 to `max_days` in either direction;
    `whole_weeks` draws whole weeks, so that weekdays named anywhere in a note, also outside the spans, stay true.
    `order` reads numbers as `mdy` or `dmy`; `auto` lets the dates of the note decide that can be read in one way only,
    and `ambiguous` (`mdy`, `dmy` or `mask`) is for notes that do not. Two-digit years up to `pivot` are of the 2000s.
    `reference_year` stands in for the year of a note that says none but that of a birth, when years are judged
    that would show an age of 90 or more.
    """

    max_days: int = 364
    whole_weeks: bool = True
    order: Literal["auto", "mdy", "dmy"] = "auto"
    ambiguous: Literal["mdy", "dmy", "mask"] = "mdy"
    pivot: int = 40
    reference_year: int = 2026

    def __post_init__(self) -> None:
        least = 14 if self.whole_weeks else 2
        if not (isinstance(self.max_days, int) and least <= self.max_days <= 36500):
            raise ConfigError(f"policy, dates.max_days is {self.max_days!r}; expected {least} to 36500 days")
        for name, value, known in (
            ("order", self.order, ("auto", "mdy", "dmy")),
            ("ambiguous", self.ambiguous, ("mdy", "dmy", "mask")),
        ):
            if value not in known:
                raise ConfigError(f"policy, dates.{name} is {value!r}; expected one of {', '.join(known)}")
        if not (isinstance(self.pivot, int) and 0 <= self.pivot <= 99):
            raise ConfigError(f"policy, dates.pivot is {self.pivot!r}; expected a two-digit year, 0 to 99")
        if not (isinstance(self.reference_year, int) and 1900 <= self.reference_year <= 2200):
            raise ConfigError(f"policy, dates.reference_year is {self.reference_year!r}; expected a year")


@dataclass(frozen=True)
class Policy:
    """An action for each type of identifier.

    `rules` are keyed by group (LOCATION), type (CITY) or label (TERRITORIO), the narrower one wins; a type without
    any rule is masked. `labels` gives types to labels of your own. `style` is what `redact` means unless the caller
    chooses another. Raises `ConfigError` that lists the types when a rule names none of them.
    """

    name: str = "policy"
    rules: Mapping[str, str] = field(default_factory=dict)
    style: str = "mask"
    labels: Mapping[str, str] = field(default_factory=dict)
    dates: DateSettings = DateSettings()

    def __post_init__(self) -> None:
        known = taxonomy()
        if self.style not in STYLES:
            raise ConfigError(f"policy {self.name}: style {self.style!r} is none of {', '.join(STYLES)}")
        labels = {normalised(str(k)): normalised(str(v)) for k, v in self.labels.items()}
        for label, kind in labels.items():
            if kind not in known.group_of:
                raise ConfigError(f"policy {self.name}, labels: {label} is given the type {_unknown(kind)}")
        object.__setattr__(self, "labels", labels)
        rules = {normalised(str(k)): v for k, v in self.rules.items()}
        for key, action in rules.items():
            if key not in known.groups and key not in known.type_of and key not in labels:
                raise ConfigError(f"policy {self.name}: a rule names {_unknown(key)}")
            if action not in ACTIONS:
                raise ConfigError(f"policy {self.name}, {key}: {action!r} is no action; choose {', '.join(ACTIONS)}")
            kinds = [k for k, g in known.group_of.items() if g == key] or [labels.get(key) or known.type_of[key]]
            for wanted, able in (("shift", SHIFTED), ("generalise", GENERALISED)):
                if action == wanted and able.isdisjoint(kinds):
                    raise ConfigError(
                        f"policy {self.name}, {key}: only {', '.join(sorted(able))} can be given the action {wanted}"
                    )
        object.__setattr__(self, "rules", rules)

    @classmethod
    def load(cls, source: str | Path) -> Policy:
        """Read a preset (`hipaa_safe_harbor`, `limited_data_set`, `i2b2`) or a YAML file of your own.

        The keys of the file are the fields of this class, and `base` to start from a preset and change some rules.
        Raises `ConfigError` when there is no such preset or file, or when it says what cannot be.
        """
        if str(source) in PRESETS:
            stream = files("deidlab.redaction").joinpath("data", "policies", f"{source}.yaml").read_bytes()
        else:
            try:
                stream = Path(source).read_bytes()
            except OSError as error:
                raise ConfigError(
                    f"policy {source}: neither a preset ({', '.join(PRESETS)}) nor a file that can be read "
                    f"({error.strerror})"
                ) from None
        try:
            content = yaml.safe_load(stream)
        except (yaml.YAMLError, ValueError):  # a day that no calendar has is a ValueError
            raise ConfigError(f"policy {source} is not YAML") from None
        return cls.from_mapping(content, name=Path(source).stem)

    @classmethod
    def from_mapping(cls, content: Any, name: str = "policy") -> Policy:
        """The policy that a YAML file's content describes."""
        if not isinstance(content, Mapping):
            raise ConfigError(f"policy {name}: expected a mapping with rules, as in `rules: {{NAME: mask}}`")
        allowed = ("base", "name", "style", "rules", "labels", "dates")
        if wrong := sorted(set(map(str, content)) - set(allowed)):
            raise ConfigError(f"policy {name} has no {', '.join(wrong)}; it has {', '.join(allowed)}")
        for part in ("rules", "labels", "dates"):
            if not isinstance(content.get(part) or {}, Mapping):
                raise ConfigError(f"policy {name}, {part}: expected a mapping")
        base = content.get("base")
        if base is not None and base not in PRESETS:
            raise ConfigError(f"policy {name}, base: expected one of {', '.join(PRESETS)}")
        base = cls.load(base) if base else cls()
        names = [f.name for f in fields(DateSettings)]
        dates = content.get("dates") or {}
        if wrong := sorted(set(map(str, dates)) - set(names)):
            raise ConfigError(f"policy {name}, dates has no {', '.join(wrong)}; it has {', '.join(names)}")
        settings = {n: getattr(base.dates, n) for n in names} | dict(dates)
        return cls(
            name=str(content.get("name") or name),
            rules={**base.rules, **(content.get("rules") or {})},
            style=content.get("style") or base.style,
            labels={**base.labels, **(content.get("labels") or {})},
            dates=DateSettings(**settings),
        )

    def type_of(self, label: str) -> str:
        """The type of identifier that a label means; an unknown label means OTHER."""
        label = normalised(label)
        return self.labels.get(label) or taxonomy().type_of.get(label, "OTHER")

    def action_for(self, label: str, style: str | None = None) -> str:
        """What happens to a label: never `redact`, which is resolved to the style. No rule: `mask`."""
        kind = self.type_of(label)
        for key in (normalised(label), kind, taxonomy().group_of[kind]):
            if key in self.rules:
                action = self.rules[key]
                break
        else:
            return "mask"
        action = (style or self.style) if action == "redact" else action
        if (action == "shift" and kind not in SHIFTED) or (action == "generalise" and kind not in GENERALISED):
            return "mask"
        return action

    def needs_key(self, style: str | None = None) -> bool:
        """Whether some identifier would get a surrogate or a shifted date."""
        used = {(style or self.style) if action == "redact" else action for action in self.rules.values()}
        return not used.isdisjoint(("surrogate", "shift"))


def _unknown(key: str) -> str:
    kinds = list(taxonomy().group_of)
    close = difflib.get_close_matches(key, {*kinds, *taxonomy().type_of}, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"{key}{hint}, which is no type. Types: {', '.join(kinds)}; groups: {', '.join(taxonomy().groups)}"
