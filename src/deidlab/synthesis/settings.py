"""What to write: the settings of a stream of notes, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deidlab.synthesis.grammar import Shares
from deidlab.synthesis.institutions import institutions
from deidlab.synthesis.noise import Noise
from deidlab.synthesis.people import GENDERS, cultures
from deidlab.synthesis.resources import load_yaml
from deidlab.synthesis.vocabulary import CONVENTIONS, Convention
from deidlab.types import ConfigError

# What `None` stands for. Clinic visits are most of what is written; every type of note and culture is among them.
# Here and not in the configs: Hydra would add weights given on the command line to these instead of replacing them.
NOTE_TYPES: Mapping[str, float] = {
    "progress_note": 8, "history_and_physical": 3, "emergency_note": 2, "discharge_summary": 1.5,
    "referral_letter": 1.5, "nursing_note": 1, "operative_report": 0.7, "radiology_report": 0.7,
    "pathology_report": 0.5,
}  # fmt: skip
CULTURES: Mapping[str, float] = {
    "us": 8, "british": 1, "canadian": 0.5, "australian": 0.5, "indian": 0.7, "hindi": 0.7, "bengali": 0.5,
    "nigerian": 0.7, "mandarin": 0.9, "vietnamese": 0.5, "korean": 0.5, "filipino": 0.5, "spanish": 1.5, "french": 0.6,
    "arabic": 0.7, "polish": 0.4,
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What to write. A list means all alike, a mapping gives weights, which need not sum to one.

    `None` stands for `NOTE_TYPES`, for all institutions, for `CULTURES`.
    """

    note_types: Sequence[str] | Mapping[str, float] | None = None
    institutions: Sequence[str] | Mapping[str, float] | None = None
    cultures: Mapping[str, float] | None = field(default_factory=lambda: {"us": 1.0})
    genders: Mapping[str, float] = field(default_factory=lambda: {"female": 0.5, "male": 0.5})
    mixing: float = 0.3
    abroad: float = 0.15  # chance that the note is written in the patient's own country, not in the United States
    native_script: float = 0.0
    long: float = 0.02
    convention: Convention = "whole"
    balanced: bool = False  # cultures and genders take turns instead of being drawn
    split: str | None = None  # whose identifiers and templates to use; None: all of them
    series: str = "all"  # keeps the notes and ids of two splits apart
    shares: Shares = field(default_factory=Shares)
    noise: Noise = field(default_factory=Noise)

    def __post_init__(self) -> None:
        if self.note_types is None:
            object.__setattr__(self, "note_types", NOTE_TYPES)
        if self.cultures is None:
            object.__setattr__(self, "cultures", CULTURES)
        _known("note type", self.note_types, note_types())
        _known("institution", self.institutions, institutions())
        _known("culture", self.cultures, cultures())
        _known("gender", self.genders, GENDERS)
        _known("convention", [self.convention], CONVENTIONS)
        for name in ("mixing", "abroad", "native_script", "long"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected a rate in 0..1")


def _known(what: str, chosen, choices: Sequence[str]) -> None:
    if chosen is None:
        return
    if not chosen:
        raise ConfigError(f"no {what} is chosen; choose from {', '.join(choices)}")
    if wrong := sorted(map(str, set(chosen) - set(choices))):
        raise ConfigError(f"unknown {what} {', '.join(wrong)}; choose from {', '.join(choices)}")
    if isinstance(chosen, Mapping) and (min(chosen.values()) < 0 or not sum(chosen.values())):
        raise ConfigError(f"the weights of {what} are {dict(chosen)}; expected none below 0 and one above")


def note_types() -> tuple[str, ...]:
    """The nine note types."""
    return tuple(load_yaml("notes.yaml"))
