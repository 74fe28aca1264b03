"""DICOM frames with the patient burned in, as ultrasound machines and film scanners leave them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, BinaryIO

import numpy as np

from deidlab.images.rendering.pages import Rendered
from deidlab.images.rendering.sheet import Sheet, font_of, quads_of
from deidlab.synthesis.people import Person
from deidlab.types import Document, Span

_TECHNICAL = ("MI 0.9  TIS 0.4", "FR 32 Hz", "Gen 5.0 MHz", "Depth 14 cm", "Gain 62", "Map 3", "C5-1 Abd")


@dataclass(frozen=True)
class Frame:
    """A frame, what is burned into it, and what its header says (DICOM keywords and values)."""

    rendered: Rendered
    header: Mapping[str, str]


def frame(identity: str, patient: Person, physician: Person, hospital: str, seed: int) -> Frame:
    """A frame with names, number, dates and hospital in its corners; the same for the same seed."""
    rng = random.Random(f"frame {seed} {identity}")
    birth = date(1930, 1, 1) + timedelta(days=rng.randrange(29_000))
    study = date(2015, 1, 1) + timedelta(days=rng.randrange(3_600))
    number = f"{rng.randrange(10**6, 10**8)}"
    shown_date = rng.choice(("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d %b %Y"))
    lines: list[list[tuple[str, str | None]]] = [
        [(hospital, "hospital")],
        [(named(patient, rng), "patient_name")],
        [(rng.choice(("ID: ", "MRN ", "")), None), (number, "medical_record_number")],
        [(rng.choice(("DOB: ", "*", "Born ")), None), (birth.strftime(shown_date), "date_of_birth")],
        [(study.strftime(shown_date), "date"), (f"  {rng.randrange(7, 19)}:{rng.randrange(60):02}", None)],
        [(rng.choice(("Dr. ", "Ref: Dr. ")), None), (f"{physician.given[:1]}. {physician.family}", "clinician_name")],
    ]
    if rng.random() < 0.5:
        lines[1], lines[0] = lines[0], lines[1]
    document = _document(identity, lines)
    sheet = _sheet(document, rng)
    rendered = Rendered(document, np.asarray(sheet.image), np.array(sheet.places, np.int32), quads_of(sheet))
    header = {
        "PatientName": f"{patient.family}^{patient.given}", "PatientID": number,
        "PatientBirthDate": birth.strftime("%Y%m%d"), "StudyDate": study.strftime("%Y%m%d"),
        "ContentDate": study.strftime("%Y%m%d"), "InstitutionName": hospital,
        "ReferringPhysicianName": f"{physician.family}^{physician.given}", "PatientSex": patient.gender[:1].upper(),
    }  # fmt: skip
    return Frame(rendered, header)


def named(person: Person, rng: random.Random) -> str:
    whole = rng.choice(
        (f"{person.family}, {person.given}", f"{person.given} {person.family}", f"{person.family} {person.given}")
    )
    return whole.upper() if rng.random() < 0.5 else whole


def _document(identity: str, lines: list[list[tuple[str, str | None]]]) -> Document:
    text, spans = "", []
    for number, line in enumerate(lines):
        text += "\n" if number else ""
        for shown, label in line:
            if label:
                spans.append(Span(len(text), len(text) + len(shown), label))
            text += shown
    return Document(identity, text, tuple(spans))


def _sheet(document: Document, rng: random.Random) -> Sheet:
    width, height = rng.choice(((640, 480), (800, 600), (1024, 768)))
    sheet = Sheet(width, height, 0)
    _fan(sheet, rng)
    font = font_of(rng.choice(("sans", "mono", "bold")), rng.choice((12, 14, 16, 18)))
    left, right = 10.0, width * 0.62
    tops = {left: 8.0, right: 8.0}
    at = 0
    for number, line in enumerate(document.text.split("\n")):
        x = left if number < 4 else right
        tops[x] = sheet.paragraph(line, at, x, tops[x], width - x - 4, font, rng.choice((255, 255, 220)), leading=1.3)
        at += len(line) + 1
    for i, text in enumerate(rng.sample(_TECHNICAL, 4)):
        sheet.word(text, None, left, height * 0.72 + i * font.size * 1.4, font, 200)
    return sheet


def _fan(sheet: Sheet, rng: random.Random) -> None:
    """Speckle in the fan of a curved probe."""
    noise = np.random.default_rng(rng.randrange(2**32))
    down, across = np.mgrid[0 : sheet.height, 0 : sheet.width]
    y, x = down - 0.08 * sheet.height, across - sheet.width / 2
    inside = (np.hypot(x, y) < 0.85 * sheet.height) & (np.abs(np.arctan2(x, y)) < 0.6) & (y > 0.1 * sheet.height)
    speckle = noise.rayleigh(40, inside.shape) * (0.6 + 0.4 * np.sin(y / 23 + x / 61))
    sheet.image.paste(_picture(np.where(inside, np.clip(speckle, 0, 190), 0)))


def _picture(values: np.ndarray) -> Any:
    from PIL import Image

    return Image.fromarray(values.astype(np.uint8))


def write(stream: BinaryIO, made: Frame, kind: str = "MONOCHROME2", bits: int = 8) -> None:
    """The frame as a DICOM file: MONOCHROME1, MONOCHROME2 (8 or 16 bits) or RGB, uncompressed."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UltrasoundImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[made.rendered.document.id])
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality = "US"
    for keyword, value in made.header.items():
        setattr(dataset, keyword, value)
    pixels = made.rendered.pixels
    match kind:
        case "RGB":
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
            dataset.PlanarConfiguration = 0
        case "MONOCHROME1":
            pixels = 255 - pixels
    if bits == 16:
        pixels = pixels.astype(np.uint16) * 16
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if kind == "RGB" else 1), kind
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (
        bits,
        (12 if bits == 16 else 8),
        (11 if bits == 16 else 7),
    )
    dataset.PixelRepresentation = 0
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    dataset.save_as(stream, enforce_file_format=True)
