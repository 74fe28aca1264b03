"""What flows through deidlab: spans, documents, windows, scores, predictions, and the ledger of losses.

Nothing here prints note text: the `repr` of a `Document` gives its size, never its content,
so that a traceback or a debugger's log line cannot leak a name.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # a command line that says what is wrong with its options needs no numpy
    import numpy as np


class DeidlabError(Exception):
    """An error a user can mend; its message says what, where and how, and never quotes a note."""


class DataError(DeidlabError, ValueError):
    """A document, annotation or file that is not what it should be."""


class ConfigError(DeidlabError, ValueError):
    """A setting that cannot work, or settings that contradict each other."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled stretch of text: half-open character offsets into the unmodified text."""

    start: int
    end: int
    label: str
    score: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A note, its gold spans (immutable, sorted by the reader), and what is known about it.

    `meta` holds patient, institution, note_type, culture, gender, ...; a slice of a table is a key of `meta`.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Document(id={self.id!r}, text=<{len(self.text)} characters>, spans=<{len(self.spans)}>)"

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of the text's SHA-256: tells two texts apart without holding either."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document's subwords that fits the model, special tokens not yet added.

    `first` is the document index of the window's first subword. Subwords `core_start <= i < core_end` (document
    indices) are scored here and nowhere else; the others are context and carry the label -100.
    """

    document_id: str
    first: int
    core_start: int
    core_end: int
    input_ids: np.ndarray  # (subwords,) int32
    labels: np.ndarray | None = None  # (subwords,) int32, -100 where the loss must not look
    shapes: np.ndarray | None = None  # (subwords,) int32, how their words look (`deidlab.word_shapes`)


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a model says of one document, computed once: decoding and calibration never run it again.

    `unit_spans` is (units, 2) int32, half-open characters that a unit stands for; `log_probs` is (units, tags) float32.
    """

    document_id: str
    unit_spans: np.ndarray
    log_probs: np.ndarray


@dataclass(frozen=True, slots=True)
class Prediction:
    """The spans a system found in a document; holds no text, so it may be saved anywhere.

    `doubts` are stretches outside of them that may be identifiers all the same, with that probability as their score.
    One that `failed` says why there is no answer: its note counts as one in which nothing was found where systems are
    judged, and must never be emitted as if it were clean.
    """

    document_id: str
    spans: tuple[Span, ...]
    fingerprint: str | None = None  # of the text it was made for
    failed: str | None = None
    doubts: tuple[Span, ...] = ()


OnError = Literal["raise", "count"]


@dataclass
class Losses:
    """The ledger of what could not be represented: counted per reason and label, never dropped in silence.

    `on_error="raise"` turns a recoverable fault of the data into a `DataError`; `"count"` counts it and goes on.
    `setting` is what a user calls that switch.
    """

    on_error: OnError = "raise"
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    setting: str = "data.on_error"

    def __post_init__(self) -> None:
        if self.on_error not in ("raise", "count"):
            raise ConfigError(f"on_error is {self.on_error!r}; expected 'raise' or 'count'")

    def count(self, reason: str, label: str = "-", n: int = 1) -> None:
        """Count something that is no fault of the data (a relation in a brat file, a span cut by a subword)."""
        self.counts[reason, label] += n

    def placed(self, reason: str, document_id: str, span: Span) -> None:
        """Count something of one span that is no fault; a ledger that keeps places learns this one."""
        self.count(reason, span.label)

    def fault(self, reason: str, label: str, message: str) -> None:
        """Report a fault of the data: raise `DataError(message)` or count it, as `on_error` says."""
        if self.on_error == "raise":
            # From None: what a parser said before may quote the note.
            raise DataError(f"{message} ({self.setting}=count leaves it out, counts it and goes on)") from None
        self.counts[reason, label] += 1

    def placed_fault(self, reason: str, document_id: str, span: Span | None, message: str) -> None:
        """Report a fault of a note or of one span of it; a ledger that keeps places learns this one."""
        self.fault(reason, (span and span.label) or "-", message)

    def rows(self) -> list[dict[str, str | int]]:
        """The ledger as sorted rows of reason, label, count."""
        return [{"reason": r, "label": lab, "count": n} for (r, lab), n in sorted(self.counts.items())]


def left_out(losses: Losses) -> str:
    """What a ledger holds, in parentheses, for the error that nothing remained."""
    counted = ", ".join(f"{row['count']} {row['reason']}" for row in losses.rows())
    return f" (left out or counted: {counted})" if counted else ""
