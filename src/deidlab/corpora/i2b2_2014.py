"""The XML of the 2014 i2b2/UTHealth de-identification track, and of MEDDOCAN, which took it over.

One file a note: `TEXT` holds it, `TAGS` has an element per span with `start`, `end` (0-based characters into TEXT, end
exclusive), `text` and `TYPE`. The label of a span is its TYPE; the element's name is the category of that type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from deidlab.corpora import safe_xml
from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.files import files_in, named, private_folder, write_new
from deidlab.types import DataError, Document, Losses

_PATIENT_AND_NOTE = re.compile(r"(?P<patient>\d+)-\d+")

# The element of each TYPE: first those of i2b2 2014, then those of MEDDOCAN. Any other type is written as OTHER.
_TYPES = {
    "NAME": "PATIENT DOCTOR USERNAME NOMBRE_SUJETO_ASISTENCIA NOMBRE_PERSONAL_SANITARIO",
    "PROFESSION": "PROFESSION PROFESION",
    "LOCATION": "ROOM DEPARTMENT HOSPITAL ORGANIZATION STREET CITY STATE COUNTRY ZIP LOCATION-OTHER "
    "CENTRO_SALUD INSTITUCION CALLE TERRITORIO PAIS",
    "AGE": "AGE EDAD_SUJETO_ASISTENCIA",
    "DATE": "DATE FECHAS",
    "CONTACT": "PHONE FAX EMAIL URL IPADDR NUMERO_TELEFONO NUMERO_FAX CORREO_ELECTRONICO DIREC_PROT_INTERNET URL_WEB",
    "ID": "SSN MEDICALRECORD HEALTHPLAN ACCOUNT LICENSE VEHICLE DEVICE BIOID IDNUM "
    "ID_SUJETO_ASISTENCIA ID_CONTACTO_ASISTENCIAL ID_ASEGURAMIENTO ID_TITULACION_PERSONAL_SANITARIO "
    "ID_EMPLEO_PERSONAL_SANITARIO IDENTIF_VEHICULOS_NRSERIE_PLACAS IDENTIF_DISPOSITIVOS_NRSERIE "
    "IDENTIF_BIOMETRICOS NUMERO_BENEF_PLAN_SALUD OTRO_NUMERO_IDENTIF",
}
ELEMENT_OF_TYPE = {label: element for element, labels in _TYPES.items() for label in labels.split()}


def read(path: Path, losses: Losses, encoding: str = "utf-8") -> Iterator[Document]:
    """Read an `.xml` file or a folder of them; the patient of `XXX-YY.xml` becomes `meta.patient`.

    `encoding` is that of files that declare none, or UTF-8 wrongly. Raises `DataError` for a folder without `.xml`, and
    for any fault unless faults are counted.
    """
    for file in files_in(path, ".xml"):
        if (document := parse(file.stem, file.read_bytes(), losses, encoding)) is not None:
            yield document


def parse(document_id: str, raw: bytes, losses: Losses, encoding: str = "utf-8") -> Document | None:
    """A document from the bytes of its XML, or None after a fault that leaves no note."""
    root = safe_xml.parsed(raw, document_id, losses, encoding)
    if root is None:
        return None
    note = root.find("TEXT")
    if note is None:
        losses.fault("no_text", "-", f"{document_id}: has no TEXT element below {root.tag}; is this i2b2 2014 XML?")
        return None
    text = "".join(note.itertext())
    tags = root.find("TAGS")
    if tags is None:
        losses.count("no_tags_element")
    spans = checked_spans(document_id, text, _annotations(document_id, tags, losses), losses)
    return Document(document_id, text, spans, meta_of(document_id))


def meta_of(document_id: str) -> dict[str, str]:
    """What the name of a file says: the patient of `XXX-YY`."""
    found = _PATIENT_AND_NOTE.fullmatch(document_id)
    return {"patient": found["patient"]} if found else {}


def _annotations(document_id: str, tags: Element | None, losses: Losses) -> Iterator[Annotation]:
    for number, tag in enumerate(() if tags is None else tags, start=1):
        label = tag.get("TYPE") or tag.tag
        place = tag.get("id") or f"tag {number}"
        try:
            start, end = int(tag.attrib["start"]), int(tag.attrib["end"])
        except (KeyError, ValueError):
            losses.fault(
                "malformed_span", label, f"{document_id}, {place}: {label} needs whole numbers as start and end"
            )
            continue
        yield Annotation(start, end, label, tag.get("text"), place)


def write(documents: Iterable[Document], path: Path) -> None:
    """Write each document to `path/ID.xml`.

    Raises `DataError` for a character XML cannot carry, an id that is no file name, and a file that exists.
    """
    folder = private_folder(path)
    for document in documents:
        write_new(named(folder, document.id, ".xml"), to_xml(document), document.id)


def to_xml(document: Document) -> bytes:
    """The document in i2b2 2014 XML, which parses back to the same text and spans."""
    safe_xml.check_carried(document.text, document.id)
    tags = []
    for number, span in enumerate(document.spans):
        if not span.label:
            raise DataError(f"{document.id}: span {span.start}-{span.end} has no label")
        safe_xml.check_carried(span.label, f"{document.id}, label of span {span.start}-{span.end}")
        covered = quoteattr(document.text[span.start : span.end])
        tags.append(
            f'<{ELEMENT_OF_TYPE.get(span.label, "OTHER")} id="P{number}" start="{span.start}" end="{span.end}" '
            f'text={covered} TYPE={quoteattr(span.label)} comment="" />\n'
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<deIdi2b2>\n<TEXT>{safe_xml.cdata(document.text)}</TEXT>\n'
        f"<TAGS>\n{''.join(tags)}</TAGS>\n</deIdi2b2>\n"
    ).encode()
