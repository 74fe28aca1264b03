"""The way back, for those who must have one: what stood in the place of each replacement, encrypted.

Opt-in and apart from the notes. A record is a Fernet token (AES-128-CBC with HMAC-SHA256, `cryptography`), bound to the
note's id; the file is one JSON line a note, mode 0600. Needs the extra `vault`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deidlab.redaction.keys import check_key
from deidlab.redaction.text import OffsetMap, Redacted
from deidlab.types import ConfigError, DataError, Document


@dataclass(frozen=True, slots=True)
class Sealed:
    """A note's encrypted record; `document_id` is what the note is called, in clear."""

    document_id: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Vault:
    """Seals what a redaction took out and restores it; the user's `key` opens it and is stored nowhere.

    Raises `ConfigError` for a missing or weak key, and when `cryptography` is not installed.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key(self.key)
        _fernet(self.key)

    def seal(self, document: Document, redacted: Redacted) -> Sealed:
        """The originals of all that was replaced in a document, encrypted."""
        originals = [
            [start, length, new, document.text[start : start + length]] for start, length, new in redacted.offsets.edits
        ]
        record = {"id": document.id, "of": _digest(redacted.text), "originals": originals}
        return Sealed(document.id, _fernet(self.key).encrypt(json.dumps(record).encode()).decode("ascii"))

    def restore(self, sealed: Sealed, text: str) -> str:
        """The original text of a note, from its redacted one.

        Raises `DataError` when the key does not open the record, or when record, id and text do not belong together.
        """
        from cryptography.fernet import InvalidToken

        try:
            record = json.loads(_fernet(self.key).decrypt(sealed.token.encode("utf-8")))
        except (InvalidToken, UnicodeEncodeError):
            raise DataError(
                f"vault record of {sealed.document_id}: not opened by this key, or changed since it was written"
            ) from None
        if record["id"] != sealed.document_id or record["of"] != _digest(text):
            raise DataError(
                f"vault record of {sealed.document_id}: belongs to another note, or the note was changed after it was "
                "redacted; restore from the text as it was written"
            )
        starts = OffsetMap.from_list([edit[:3] for edit in record["originals"]]).inverted().edits
        pieces, at = [], 0
        for (start, length, _), (_, _, _, original) in zip(starts, record["originals"], strict=True):
            pieces += [text[at:start], original]
            at = start + length
        return "".join((*pieces, text[at:]))


def write_sealed(path: str | Path, records: Iterable[Sealed], append: bool = False) -> None:
    """Write records to a file of mode 0600 from its first byte on, one JSON line a note; `append` adds to it.

    Raises `ConfigError` when the file is there already (unless appending) or may be read by others.
    """
    path = Path(path)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise ConfigError(f"vault {path} exists already; name another file, or move it away") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        if os.fstat(descriptor).st_mode & 0o077:
            raise ConfigError(f"vault {path} may be read by others; set its mode to 600 (chmod 600)")
        for record in records:
            stream.write(json.dumps({"id": record.document_id, "token": record.token}) + "\n")


def read_sealed(path: str | Path) -> Iterator[Sealed]:
    """The records of a vault file. Raises `DataError` naming the line that is none."""
    with Path(path).open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                record = json.loads(line)
                yield Sealed(str(record["id"]), str(record["token"]))
            except (ValueError, KeyError, TypeError):
                raise DataError(f"{path} line {number}: expected a vault record with id and token") from None


def _fernet(key: bytes):
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        raise ConfigError("a vault needs the package cryptography: pip install 'deidlab[vault]'") from None
    # A key of its own, so that the vault and the surrogates may be given the same secret.
    return Fernet(base64.urlsafe_b64encode(hmac.digest(key, b"deidlab vault 1", "sha256")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
