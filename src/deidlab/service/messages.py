"""What clients send and get. Every example is made up."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from deidlab.corpora.files import lone_surrogate
from deidlab.deidentifier import Deidentified, Failure
from deidlab.types import Document, Prediction

MOST_NOTES = 256  # in a request

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def whole(name: str) -> str:
    """The name; raises `ValueError` where no UTF-8 could give it back."""
    if lone_surrogate(name) is not None:
        raise ValueError("half of a UTF-16 pair")
    return name


_Name = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(whole)]


class Note(BaseModel):
    """A note. Its id names it in the answer; a patient's notes get the same surrogates and date shift."""

    model_config = _STRICT
    text: str = Field(repr=False, examples=["Mr. Smith was seen on 03/04/2012."])
    id: _Name | None = Field(default=None, examples=["n-1"], description="Must not be an identifier itself.")
    patient: _Name | None = Field(default=None, repr=False, examples=["p-7"])

    def document(self) -> Document:
        """As a document; without an id it is named by a digest of its text, so that equal notes are treated alike."""
        known = {"patient": self.patient} if self.patient else {}
        named = Document(self.id or "", self.text, meta=known)
        return named if self.id else Document(named.fingerprint, self.text, meta=known)


class Notes(BaseModel):
    """Up to 256 notes; one that fails does not keep the others from their answers."""

    model_config = _STRICT
    notes: list[Note] = Field(
        min_length=1,
        max_length=MOST_NOTES,
        examples=[[{"id": "n-1", "text": "Mr. Smith was seen on 03/04/2012."}, {"text": "No identifier here."}]],
    )


class Annotation(BaseModel):
    """A stretch of text by half-open offsets in characters (Unicode code points), and what it is."""

    start: int = Field(examples=[4])
    end: int = Field(examples=[10])
    label: str = Field(examples=["PATIENT"])


class Scored(Annotation):
    score: float | None = Field(default=None, description="Where the system gives one.")


class NoteDeidentified(BaseModel):
    """A note without its identifiers, or why there is none: `text` is null where `failed` says something."""

    id: str = Field(examples=["n-1"])
    text: str | None = Field(default=None, examples=["Mr. [NAME] was seen on 2012."])
    spans: list[Annotation] = Field(default=[], description="The annotations of the new text.")
    offsets: list[tuple[int, int, int]] = Field(
        default=[], description="Each replacement: where it began, old length, new length.", examples=[[[4, 5, 6]]]
    )
    failed: str | None = None

    @classmethod
    def of(cls, name: str, result: Deidentified | Prediction | Failure) -> NoteDeidentified:
        if not isinstance(result, Deidentified):
            return cls(id=name, failed=result.reason if isinstance(result, Failure) else "not de-identified")
        spans = [Annotation(start=s.start, end=s.end, label=s.label) for s in result.spans]
        return cls(id=name, text=result.text, spans=spans, offsets=list(result.offsets.edits))


class NoteAnalyzed(BaseModel):
    """What was found in a note, or why there is no answer: `spans` is null where `failed` says something."""

    id: str = Field(examples=["n-1"])
    spans: list[Scored] | None = None
    failed: str | None = None

    @classmethod
    def of(cls, name: str, result: Deidentified | Prediction | Failure) -> NoteAnalyzed:
        if not isinstance(result, Prediction):
            return cls(id=name, failed=result.reason if isinstance(result, Failure) else "not analysed")
        return cls(
            id=name, spans=[Scored(start=s.start, end=s.end, label=s.label, score=s.score) for s in result.spans]
        )


class DeidentifiedNotes(BaseModel):
    notes: list[NoteDeidentified]


class AnalyzedNotes(BaseModel):
    notes: list[NoteAnalyzed]


class Health(BaseModel):
    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])
    system: str = Field(examples=["checkpoint + rules + consistency"])


class Refused(BaseModel):
    """Why a request was refused; nothing of the request is repeated."""

    detail: str | list[dict[str, str | list[str | int]]] = Field(examples=["the body has more than 4,194,304 bytes"])
