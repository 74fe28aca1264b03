"""UIMA CAS XMI 2.0, and the type system that its readers want beside it.

An element is named by its type, the package as a namespace: `http:///org/example/type.ecore` and `Name` are
`org.example.type.Name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from deidlab.corpora import safe_xml
from deidlab.corpora.cas_structures import INITIAL_VIEW, SOFA, TYPES, Cas, Structure, structures_of
from deidlab.corpora.files import named, private_folder, write_new
from deidlab.types import Document, Losses

TYPE_SYSTEM = "TypeSystem.xml"
_XMI = "http://www.omg.org/XMI"
_ID = f"{{{_XMI}}}id"
_NAMESPACE = re.compile(r"\{http:///(?P<package>[^}]*)\.ecore\}(?P<name>.+)")
_STRUCTURAL = {"begin", "end", "sofa"}


def parsed(raw: bytes, place: str, losses: Losses, encoding: str = "utf-8") -> Cas | None:
    """The CAS in the bytes of an XMI file, or None after a fault."""
    root = safe_xml.parsed(raw, place, losses, encoding)
    if root is None:
        return None
    if root.tag != f"{{{_XMI}}}XMI":
        losses.fault("malformed_cas", "-", f"{place}: its root is no xmi:XMI; is this UIMA CAS XMI?")
        return None
    elements = [(_type(element), element) for element in root]
    sofas = [element for kind, element in elements if kind == SOFA]
    sofa = next((one for one in sofas if one.get("sofaID") == INITIAL_VIEW), sofas[0] if sofas else None)
    if sofa is None:
        return Cas(None, ())
    number = sofa.get(_ID)
    views = [
        e.get("members", "").split() for kind, e in elements if kind == "uima.cas.View" and e.get("sofa") == number
    ]
    members = {member for view in views for member in view}
    kept = [
        _structure(kind, element)
        for kind, element in elements
        if element.get("sofa") == number and kind != "uima.cas.View" and (not views or element.get(_ID) in members)
    ]
    return Cas(sofa.get("sofaString"), tuple(kept))


def _type(element: Element) -> str:
    found = _NAMESPACE.fullmatch(element.tag)
    return f"{found['package'].replace('/', '.')}.{found['name']}" if found else element.tag


def _structure(kind: str, element: Element) -> Structure:
    features = {key: value for key, value in element.items() if key not in _STRUCTURAL and not key.startswith("{")}
    begin, end = (_whole(element.get(key)) for key in ("begin", "end"))
    return Structure(element.get(_ID) or "?", kind, begin, end, features)


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"-?\d{1,15}", value) else None


def write(documents: Iterable[Document], path: Path) -> None:
    """Write each document to `path/ID.xmi`, and `TypeSystem.xml` beside them.

    Raises `DataError` for a character XML cannot carry, an id that is no file name, and a file that exists.
    """
    folder = private_folder(path)
    for document in documents:
        write_new(named(folder, document.id, ".xmi"), to_xmi(document), document.id)
    write_new(folder / TYPE_SYSTEM, type_system(), TYPE_SYSTEM)


def to_xmi(document: Document) -> bytes:
    """The document as XMI, which parses back to the same text and spans."""
    safe_xml.check_carried(document.id, "its id")
    safe_xml.check_carried(document.text, document.id)
    for span in document.spans:
        safe_xml.check_carried(span.label, f"{document.id}, label of span {span.start}-{span.end}")
    packages = {name.rpartition(".")[0]: f"p{number}" for number, name in enumerate(TYPES, start=1)}
    namespaces = "".join(
        f' xmlns:{prefix}="http:///{package.replace(".", "/")}.ecore"' for package, prefix in packages.items()
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<xmi:XMI xmlns:xmi="{_XMI}" xmlns:cas="http:///uima/cas.ecore"{namespaces} xmi:version="2.0">\n',
        '<cas:NULL xmi:id="0"/>\n',
    ]
    members = []
    for structure in structures_of(document):
        package, _, name = structure.type.rpartition(".")
        features = "".join(f" {key}={quoteattr(value)}" for key, value in structure.features.items())
        lines.append(
            f'<{packages[package]}:{name} xmi:id="{structure.id}" sofa="1" begin="{structure.begin}" '
            f'end="{structure.end}"{features}/>\n'
        )
        members.append(structure.id)
    lines += [
        f'<cas:Sofa xmi:id="1" sofaNum="1" sofaID="{INITIAL_VIEW}" mimeType="text" '
        f"sofaString={quoteattr(document.text)}/>\n",
        f'<cas:View sofa="1" members="{" ".join(members)}"/>\n',
        "</xmi:XMI>\n",
    ]
    return "".join(lines).encode()


def type_system() -> bytes:
    """The types that our XMI files use, as UIMA describes them."""
    types = []
    for name, (above, features) in TYPES.items():
        listed = "".join(
            f"<featureDescription><name>{feature}</name><description/>"
            "<rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>\n"
            for feature in features
        )
        types.append(
            f"<typeDescription>\n<name>{name}</name>\n<description/>\n<supertypeName>{above}</supertypeName>\n"
            f"<features>\n{listed}</features>\n</typeDescription>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier">\n<types>\n'
        f"{''.join(types)}</types>\n</typeSystemDescription>\n"
    ).encode()
