"""Which encodings bytes may have: a hint for whoever must declare one. No encoding is ever guessed for reading."""

from __future__ import annotations

import codecs

from deidlab.types import ConfigError

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def likely(raw: bytes) -> list[str]:
    """Encodings that the bytes seem to have, the likeliest first; the start of a large file is enough."""
    if (marked := _MARKS.get(raw[:2])) is not None:
        return [marked]
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:65536]).best()
    names = [best.encoding] if best is not None else []
    try:
        raw.decode("cp1252")
        names.insert(0, "cp1252")  # of all the single-byte encodings that fit, the commonest by far
    except UnicodeDecodeError:
        pass
    return list(dict.fromkeys(names))


def known(encoding: str) -> str:
    """The encoding by its usual name; raises `ConfigError` for one that Python does not have."""
    try:
        "".encode(encoding)  # hex and the like are codecs, and none of text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise ConfigError(
            f"encoding {encoding!r} is unknown; some are utf-8, cp1252, cp1250, latin-1, utf-16"
        ) from None
