"""Which format a file of pictures is in: by its first bytes, for names lie."""

from __future__ import annotations

from pathlib import Path

from deidlab.images.formats.dicom import Dicom
from deidlab.images.formats.pdf import Pdf
from deidlab.images.formats.raster import SUFFIXES, Raster
from deidlab.images.formats.source import Limits, Source
from deidlab.types import ConfigError, DataError

ENDINGS = {"PDF": (".pdf",), "DICOM": (".dcm", ".dicom", ".ima", ""), **{
    kind: tuple(ending for ending, of in SUFFIXES.items() if of == kind) for kind in set(SUFFIXES.values())
}}  # fmt: skip
_HEAD = 1024


def opened(path: Path, limits: Limits) -> Source:
    """The file as pages; raises `DataError` when it does not exist, is empty, or is none of the formats."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise DataError(f"{path.name}: {error.strerror}") from None
    if not head:
        raise DataError(f"{path.name}: is empty")
    if b"%PDF-" in head:
        return Pdf(path, limits)
    if head[128:132] == b"DICM":
        return Dicom(path, limits)
    return Raster(path, limits)


def check_ending(source: Source, out: Path) -> None:
    """Raise `ConfigError` for an output whose name says another format than that of the input, which it will have."""
    if out.suffix.lower() not in ENDINGS[source.kind]:
        expected = " or ".join(filter(None, ENDINGS[source.kind]))
        raise ConfigError(f"--out {out.name}: the input is {source.kind} and so is the output; name it {expected}")


def looks_like_pictures(path: Path) -> bool:
    """Whether a file of a folder is taken for pictures, by its ending or as DICOM by its first bytes."""
    if path.suffix.lower() in {ending for endings in ENDINGS.values() for ending in endings if ending}:
        return True
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
