"""What stands in the place of an identifier that is simply taken out."""

from __future__ import annotations

from deidlab.redaction.taxonomy import taxonomy


def word_for(kind: str) -> str:
    """The word a mask shows for a type: NAME for whoever is named, else the type itself."""
    return "NAME" if taxonomy().group_of.get(kind) == "NAME" and kind != "USERNAME" else kind


def mask(kind: str) -> str:
    """`[NAME]`."""
    return f"[{word_for(kind)}]"


def same_length(text: str) -> str:
    """As many characters, none of them the one that stood there: `*`, and `#` where the identifier had a `*`."""
    return "".join("#" if ch == "*" else "*" for ch in text)


def tag(kind: str, number: int) -> str:
    """An empty XML element, `<NAME id="1"/>`: equal identifiers of a note have equal numbers.

    The text outside stays byte for byte, so a `<` or `&` of the note is not escaped and what comes out need not be
    well-formed XML; where a note itself holds such an element, only the annotations tell which ones are ours.
    """
    return f'<{word_for(kind)} id="{number}"/>'
