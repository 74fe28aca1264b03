"""JSON CAS 0.4 (https://github.com/apache/uima-uimaj-io-jsoncas): `%TYPES`, `%FEATURE_STRUCTURES`, `%VIEWS`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deidlab.corpora.cas_structures import (
    INITIAL_VIEW,
    SOFA,
    TYPES,
    Cas,
    Structure,
    structures_of,
)
from deidlab.corpora.files import decoded, encoded, lone_surrogate, named, private_folder, without_bom, write_new
from deidlab.types import Document, Losses

STRUCTURES = "%FEATURE_STRUCTURES"


def parsed(raw: bytes, place: str, losses: Losses, encoding: str = "utf-8") -> Cas | None:
    """The CAS in the bytes of a JSON file, or None after a fault."""
    if (content := decoded(raw, place, losses, encoding)) is None:
        return None
    try:
        found = json.loads(without_bom(content, losses))
    except json.JSONDecodeError as error:
        losses.fault("malformed_json", "-", f"{place}, character {error.pos}: {error.msg}; mend the JSON")
        return None
    except (ValueError, RecursionError):
        losses.fault("malformed_json", "-", f"{place}: holds a number or a nesting that is too large; mend the JSON")
        return None
    structures = _listed(found.get(STRUCTURES)) if isinstance(found, dict) else None
    if structures is None:
        losses.fault("malformed_cas", "-", f"{place}: has no list of {STRUCTURES}; is this JSON CAS 0.4?")
        return None
    cas = _cas(found, structures)
    if cas.text is not None and (position := lone_surrogate(cas.text)) is not None:
        losses.fault("lone_surrogate", "-", f"{place}: half of a UTF-16 pair at character {position}; mend the escape")
        return None
    return cas


def _listed(structures: Any) -> list[Mapping[str, Any]] | None:
    """The feature structures as a list of objects; earlier drafts keyed them by their ids."""
    if isinstance(structures, dict) and all(isinstance(one, dict) for one in structures.values()):
        return [{"%ID": int(key) if key.isdecimal() else key, **one} for key, one in structures.items()]
    if isinstance(structures, list) and all(
        isinstance(one, dict) and isinstance(one.get("%ID"), int | str | None) for one in structures
    ):
        return structures
    return None


def _cas(found: Mapping[str, Any], structures: Iterable[Mapping[str, Any]]) -> Cas:
    sofas = [one for one in structures if one.get("%TYPE") == SOFA]
    sofa = next((one for one in sofas if one.get("sofaID") == INITIAL_VIEW), sofas[0] if sofas else {})
    text = sofa.get("sofaString")
    members = _members(found.get("%VIEWS"), sofa.get("sofaID"))
    kept = [
        _structure(one)
        for one in structures
        if one.get("%TYPE") != SOFA
        and one.get("@sofa") == sofa.get("%ID")
        and (members is None or one.get("%ID") in members)
    ]
    return Cas(text if isinstance(text, str) else None, tuple(kept))


def _members(views: Any, name: Any) -> set[int] | None:
    """The ids of what is in a view; None where the file does not say."""
    match views:
        case {**named} if isinstance(view := named.get(str(name)), dict) and isinstance(view.get("%MEMBERS"), list):
            return {member for member in view["%MEMBERS"] if isinstance(member, int)}
    return None


def _structure(one: Mapping[str, Any]) -> Structure:
    # The caret marks offsets in drafts of the specification; 0.4 writes them plainly.
    begin, end = (one.get(key, one.get(f"^{key}")) for key in ("begin", "end"))
    features = {key: value for key, value in one.items() if isinstance(value, str) and key[:1] not in "%@^#"}
    return Structure(str(one.get("%ID")), str(one.get("%TYPE")), _whole(begin), _whole(end), features)


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None  # by type, since True is an int too


def write(documents: Iterable[Document], path: Path) -> None:
    """Write each document to `path/ID.json`.

    Raises `DataError` for a lone surrogate, an id that is no file name, and a file that exists.
    """
    folder = private_folder(path)
    for document in documents:
        write_new(named(folder, document.id, ".json"), to_json(document), document.id)


def to_json(document: Document) -> bytes:
    """The document as JSON CAS with its types, which INCEpTION and `cassis` load as it is."""
    encoded(document.text, document.id)  # so that an error names the place in the note, not in the file
    sofa = {"%ID": 1, "%TYPE": SOFA, "sofaNum": 1, "sofaID": INITIAL_VIEW, "mimeType": "text"}
    structures = [
        {"%ID": int(s.id), "%TYPE": s.type, "@sofa": 1, "begin": s.begin, "end": s.end, **s.features}
        for s in structures_of(document)
    ]
    types = {
        name: {
            "%NAME": name,
            "%SUPER_TYPE": above,
            **{feature: {"%NAME": feature, "%RANGE": "uima.cas.String"} for feature in features},
        }
        for name, (above, features) in TYPES.items()
    }
    content = {
        "%TYPES": types,
        STRUCTURES: [{**sofa, "sofaString": document.text}, *structures],
        "%VIEWS": {INITIAL_VIEW: {"%SOFA": 1, "%MEMBERS": [one["%ID"] for one in structures]}},
    }
    return encoded(json.dumps(content, ensure_ascii=False, indent=1) + "\n", document.id)
