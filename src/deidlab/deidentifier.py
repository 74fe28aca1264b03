"""Notes in, de-identified notes out: a system finds the identifiers, a redactor replaces them.

Fails closed: a note that raised anywhere, or whose prediction is missing, is of another text or lies outside of it,
becomes a `Failure`, which holds no text; the other notes of its batch are not affected.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from deidlab.corpora.files import lone_surrogate
from deidlab.flagging import Flagging
from deidlab.labels import LabelSet
from deidlab.redaction.keys import check_key
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.redaction.text import OffsetMap
from deidlab.redaction.vault import Sealed, Vault
from deidlab.review.queue import QueuedNote
from deidlab.types import ConfigError, DataError, DeidlabError, Document, Prediction, Span

if TYPE_CHECKING:
    from deidlab.evaluation import System
    from deidlab.hardware import Precision


@dataclass(frozen=True, slots=True)
class Deidentified:
    """A note with its identifiers replaced.

    `spans` are the annotations of the new text, `replaced` the labels of what was taken out of the old one, `offsets`
    the map between old and new characters, `fallbacks` the (label, reason) of what was masked because nothing better
    could be said.
    """

    id: str
    text: str = field(repr=False)
    spans: tuple[Span, ...]
    offsets: OffsetMap
    fallbacks: tuple[tuple[str, str], ...] = ()
    sealed: Sealed | None = None  # the way back, where a vault is wanted
    replaced: tuple[str, ...] = ()
    review: QueuedNote | None = None  # what a person should look at, where that is wanted and there is something


@dataclass(frozen=True, slots=True)
class Failure:
    """A note that could not be processed, and why; it has no text, so that nobody passes it on."""

    id: str
    reason: str


@dataclass(frozen=True)
class Deidentifier:
    """A system, and what is done with the spans it finds."""

    system: System
    redactor: Redactor
    vault: Vault | None = None
    flagging: Flagging | None = None

    @overload  # a text is an iterable of texts, too: the first that fits is meant
    def deidentify(self, notes: str | Document) -> Deidentified: ...  # type: ignore[overload-overlap]

    @overload
    def deidentify(self, notes: Iterable[str | Document]) -> list[Deidentified | Failure]: ...

    def deidentify(self, notes):
        """De-identify one note, or many at once (faster); texts without an id are called note-1, note-2, ...

        One note gives its result and raises `DataError` when it fails; many give a result or a `Failure` each.
        """
        if isinstance(notes, str | Document):
            (result,) = self.results([named(notes, 1)])
            if isinstance(result, Failure):
                raise DataError(f"{result.id}: {result.reason}")
            return result
        return self.results([named(note, number) for number, note in enumerate(notes, start=1)])

    def results(self, documents: Sequence[Document]) -> list[Deidentified | Failure]:
        """A result for each document, in order."""
        return [
            found if isinstance(found, Failure) else self.redacted(document, found)
            for document, found in zip(documents, self.found(documents), strict=True)
        ]

    def found(self, documents: Sequence[Document]) -> list[Prediction | Failure]:
        """What the system finds in each document, in order."""
        try:
            return list(predicted(self.system, documents))
        except Exception:
            # One of them took the others down: alone, each succeeds or fails for itself.
            return [self._alone(document) for document in documents]

    def _alone(self, document: Document) -> Prediction | Failure:
        try:
            (prediction,) = predicted(self.system, [document])
        except Exception as error:
            return Failure(document.id, reason(error))
        return prediction

    def redacted(self, document: Document, prediction: Prediction) -> Deidentified | Failure:
        """A document without what was found in it."""
        try:
            redacted = self.redactor.redact(document, prediction.spans)
            sealed = self.vault.seal(document, redacted) if self.vault else None
            asked = self.flagging.queued(document, prediction) if self.flagging else None
        except Exception as error:
            return Failure(document.id, reason(error))
        return Deidentified(
            document.id, redacted.text, redacted.spans, redacted.offsets, redacted.fallbacks, sealed,
            redacted.replaced, asked if asked and asked.questions else None,
        )  # fmt: skip


def named(note: str | Document, number: int) -> Document:
    return note if isinstance(note, Document) else Document(f"note-{number}", note)


def predicted(system: System, documents: Sequence[Document]) -> Iterator[Prediction]:
    """The predictions of some documents; raises `DataError` unless there is one for every text, of that very text."""
    for document in documents:
        if (place := lone_surrogate(document.text)) is not None:
            raise DataError(f"half of a UTF-16 pair at character {place}; mend the text")
    predictions = iter(system.predict(documents))
    for document in documents:
        prediction = next(predictions, None)
        if prediction is None or prediction.document_id != document.id:
            raise DataError(f"the system {system.name} gave no answer for this note")
        if prediction.failed is not None:
            raise DataError(f"the system {system.name} failed on this note: {prediction.failed}")
        if prediction.fingerprint not in (None, document.fingerprint):
            raise DataError(f"the system {system.name} answered for another text of this id")
        if any(not 0 <= span.start < span.end <= len(document.text) for span in prediction.spans):
            raise DataError(f"the system {system.name} found a span that lies outside of the note")
        yield prediction


def reason(error: Exception) -> str:
    """Why a note failed, without its text.

    Our own messages hold none. Those of others may quote a note: of them only the kind is told, and where it happened.
    """
    if isinstance(error, DeidlabError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "deidlab" in Path(frame.filename).parts] or frames
    where = f" in {Path(ours[-1].filename).name} line {ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{where}"


def load(
    model: str | Path | None,
    *,
    style: str | None = None,
    policy: str | Path | Policy = "hipaa_safe_harbor",
    key: bytes | str | None = None,
    rules: bool = True,
    consistency: bool = True,
    vault: bool = False,
    device: str = "auto",
    precision: Precision = "auto",
    batch_tokens: int = 8192,
    recall_target: float | None = None,
    review: bool = False,
) -> Deidentifier:
    """A de-identifier of a trained model: `deidlab.load("outputs/001").deidentify(text).text`.

    `rules` adds what regular expressions find to what the model finds; `consistency` covers a name found once wherever
    else it stands in the note. `key` (text or bytes) is needed for surrogates and shifted dates, and for a `vault`:
    then each result has an encrypted record of what was replaced. Without a model (None) the rules stand alone: they
    find what has a form, such as dates and numbers, and miss most names.
    With a `recall_target` so much is covered that at most this share of identifier characters is missed on average; the
    model must have been calibrated. `review` gives each result what a person should look at, if anything.
    Raises `ConfigError` for a folder that holds no model, a policy that is none, and a missing or weak key.
    """
    check_finders(model, rules, recall_target, review)
    settings = policy if isinstance(policy, Policy) else Policy.load(policy)
    secret = key.encode() if isinstance(key, str) else key
    redactor = Redactor(settings, style, secret)
    seals = Vault(check_key(secret)) if vault else None
    # PyTorch may be needed from here on: what is wrong with the settings is known before it is loaded.
    from deidlab.systems.consistent import ConsistentSystem

    system: System
    decoding = {"mode": "recall_target", "alpha": recall_target} if recall_target is not None else None
    if model is None:
        system = rules_of(settings, style)
    elif (Path(model) / "model.onnx").is_file():  # an exported run, which does without PyTorch
        from deidlab.systems import onnx

        system = onnx.load(model, decoding=decoding)
    else:
        from deidlab.systems import checkpoint

        system = checkpoint.load(model, batch_tokens, precision, device, decoding)
    if rules and model is not None:
        system = with_rules(system, settings, style)
    if consistency:
        system = ConsistentSystem(system, settings)
    return Deidentifier(system, redactor, seals, Flagging() if review else None)


def kept(types: Iterable[str], policy: Policy, style: str | None) -> frozenset[str]:
    """The types that a policy keeps: where a name is found in a country (Dr. Israel), the name must win."""
    return frozenset(label for label in types if policy.action_for(label, style) == "keep")


def rules_of(policy: Policy, style: str | None) -> System:
    """The rules, whose types yield to each other as the policy wants it."""
    from deidlab.rules.finding import TYPES
    from deidlab.systems.rules import RulesSystem

    return RulesSystem(yielding=kept(TYPES, policy, style))


def with_rules(model: System, policy: Policy, style: str | None) -> System:
    """What the model or the rules find, each in its own types: a policy knows what they all mean."""
    from deidlab.systems.several import SeveralSystems

    parts = {"model": model, "rules": rules_of(policy, style)}
    types = tuple(dict.fromkeys(label for part in parts.values() for label in part.labels.types))
    labels = LabelSet(f"{model.labels.name} and rules", types)
    mappings = {name: {t: t for t in part.labels.types} for name, part in parts.items()}
    return SeveralSystems(labels, parts, mappings, yielding=kept(types, policy, style))


def describe(
    model: str | Path | None,
    *,
    style: str | None,
    policy: str | Path,
    key: bytes | None,
    rules: bool,
    consistency: bool,
    vault: bool = False,
    recall_target: float | None = None,
    review: bool = False,
    **_,
) -> dict[str, Any]:
    """What the output of such a de-identifier depends on, as JSON; no path and no key, but a check of it.

    Cheap, and raises what `load` would: `ConfigError` for a wrong model folder, policy, style or key.
    """
    check_finders(model, rules, recall_target, review)
    settings = Policy.load(policy)
    Redactor(settings, style, key)
    if vault:
        Vault(check_key(key))
    return {
        "model": checkpoint_digest(Path(model)) if model is not None else None,
        "policy": digest(json.dumps(asdict(settings), sort_keys=True, default=str).encode()),
        "style": style or settings.style,
        "rules": rules,
        "consistency": consistency,
        "vault": vault,
        "recall_target": recall_target,
        "review": review,
        # Slow on purpose: from it no key can be tried out in bulk.
        "key_check": hashlib.scrypt(key, salt=b"deidlab resume", n=2**14, r=8, p=1)[:8].hex() if key else None,
    }


def check_finders(model: str | Path | None, rules: bool, recall_target: float | None, review: bool) -> None:
    """Raise `ConfigError` where nothing would be found, or what only a model has is asked of rules."""
    if model is None and not rules:
        raise ConfigError("neither a model nor rules: nothing would be found in any note")
    if model is None and (recall_target is not None or review):
        raise ConfigError("a recall target and a review queue go by a model's probabilities: rules have none")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def checkpoint_digest(model: Path) -> str:
    """Tells one model from another; raises `ConfigError` for a folder that is none."""
    folder = model / "checkpoint" if (model / "checkpoint").is_dir() else model
    if not (folder / "deidlab.json").is_file():
        raise ConfigError(f"--model {model} holds no model of deidlab: give a run of train.py, or its checkpoint/")
    seen = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        seen.update(f"{file.name} {file.stat().st_size} ".encode())
        with file.open("rb") as stream:  # the ends of large weights: their header, and what every training step changes
            seen.update(stream.read(1 << 20))
            stream.seek(max(file.stat().st_size - (1 << 20), 0))
            seen.update(stream.read(1 << 20))
    return seen.hexdigest()[:16]
