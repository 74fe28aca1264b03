"""Notes that look wrong by themselves: empty, not annotated, or damaged on their way through encodings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deidlab.inspection.findings import Finding
from deidlab.types import Document

# UTF-8 read as Windows-1252 or Latin-1 and saved again, and what decoders put where they gave up.
_DAMAGED = re.compile(
    "Ã[\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Â[\u0080-\u009f\u00a1-\u00bf]|â€[\u0080-\u00bf™œ\u009d“”˜¦]|ï»¿|\ufffd"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")


def suspicious(document: Document) -> Iterator[Finding]:
    """What looks wrong about the text of a note."""
    if not document.text.strip():
        yield Finding("empty_document", document.id)
    elif not document.spans:
        yield Finding("no_annotations", document.id)
    for code, pattern in (("damaged_characters", _DAMAGED), ("control_characters", _CONTROL)):
        found = list(pattern.finditer(document.text))
        if found:
            first = found[0]
            yield Finding(code, document.id, first.start(), first.end(), detail=f"{len(found)} places, the first here")
