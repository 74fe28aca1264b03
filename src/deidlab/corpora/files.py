"""Files of notes: which there are, their bytes as text and back, and safe names for them."""

from __future__ import annotations

import os
from pathlib import Path

from deidlab.corpora.encodings import known, likely
from deidlab.types import DataError, Losses

BOM = "\ufeff"


def files_in(path: Path, *suffixes: str) -> list[Path]:
    """`path` itself if it is a file, else the files directly in that folder that end on one of `suffixes`, by name.

    Raises `DataError` when there is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    wanted = " or ".join(f"*{suffix}" for suffix in suffixes)
    if not path.is_dir():
        raise DataError(f"{path} does not exist; expected a file or a folder of {wanted}")

    def wanted_here(file: Path) -> bool:  # whatever the case of its suffix; what begins with a point is nobody's note
        return file.name.lower().endswith(suffixes) and not file.name.startswith(".")

    if found := sorted(file for file in path.iterdir() if wanted_here(file) and file.is_file()):
        return found
    below = sorted({str(file.parent.relative_to(path)) for file in path.rglob("*") if wanted_here(file)})
    hint = f"; there are some in {', '.join(below[:5])}: name these in data.splits" if below else ""
    raise DataError(f"{path} holds no {wanted}{hint}")


def decoded(raw: bytes, place: str, losses: Losses, encoding: str = "utf-8") -> str | None:
    """The bytes as text with every line end and any byte-order mark left as it is, or None after a fault."""
    name = known(encoding)
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        shown = "UTF-8" if name == "utf-8" else name
        losses.fault(
            f"invalid_{shown.lower().replace('-', '')}",
            "-",
            f"{place}: byte {error.start} is no {shown}; {_mend(raw, name)}",
        )
        return None


def _mend(raw: bytes, tried: str) -> str:
    """How to have a file read whose bytes are not what was declared."""
    others = [name for name in likely(raw) if name != tried]
    name = others[0] if others else "NAME"
    declared = f"data.reader.encoding={name} in train.py, --encoding {name} elsewhere"
    if not others:
        return f"save the file as UTF-8, or declare its encoding ({declared})"
    return f"it may be {' or '.join(others)}: declare it ({declared}), or save the file as UTF-8"


def without_bom(text: str, losses: Losses) -> str:
    """The text without a leading byte-order mark, which is counted: for formats whose offsets do not see it."""
    if not text.startswith(BOM):
        return text
    losses.count("bom")
    return text[1:]


def encoded(text: str, place: str) -> bytes:
    """The text as UTF-8; raises `DataError` at a lone surrogate, which no UTF-8 file can carry."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"{place}: lone surrogate at character {error.start}; UTF-8 cannot carry it") from None


def lone_surrogate(text: str) -> int | None:
    """Where the first half of a broken UTF-16 pair stands, if there is one: such a text cannot be stored as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return error.start
    return None


def write_new(path: Path, content: bytes, document_id: str) -> None:
    """Write a file that must not exist yet, readable by its owner only: it is a note."""
    try:
        with open(path, "xb", opener=private) as file:
            file.write(content)
    except FileExistsError:
        raise DataError(f"{document_id}: {path} exists already; write to an empty place, each id once") from None


def named(folder: Path, document_id: str, suffix: str) -> Path:
    """The file of a document in a folder; raises `DataError` for an id that is no safe file name."""
    name = f"{document_id}{suffix}"
    unsafe = not document_id or document_id.startswith(".") or any(c in "/\\\0\r\n" for c in document_id)
    if unsafe or lone_surrogate(name) is not None or len(name.encode()) > 255:
        raise DataError(
            f"document id {document_id!r} is no file name (no slash, no leading dot, at most 255 bytes); rename it"
        )
    return Path(folder) / name


def private_folder(path: Path) -> Path:
    """The folder, made if need be with mode 0700."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def private(path: str, flags: int) -> int:
    """An opener (as `open` takes one) for files that only their owner may read."""
    return os.open(path, flags, 0o600)
