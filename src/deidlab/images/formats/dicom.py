"""DICOM by pydicom: frames are pages, bytes outside of what is covered stay as they were, the header is cleaned."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from deidlab.images.fill import FILLS, check_fill
from deidlab.images.formats import dicom_header
from deidlab.images.formats.source import Limits, Masks
from deidlab.images.words import Reading
from deidlab.types import ConfigError, DataError

_FILMS = ("MPEG", "HEVC")
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422")


@dataclass(frozen=True)
class Dicom:
    """A DICOM file with pixels, in any transfer syntax that the installed handlers decode; written uncompressed.

    Raises `DataError` for one that is damaged, holds no pixels, or is encoded as nothing here can decode.
    """

    path: Path
    limits: Limits = field(default_factory=Limits)
    kind: str = "DICOM"

    @cached_property
    def _dataset(self) -> Any:
        """The file with its pixels decompressed."""
        try:
            import pydicom
        except ImportError:
            raise ConfigError('DICOM files need pydicom: pip install "deidlab[image]"') from None
        silence(pydicom)
        place = self.path.name
        try:
            dataset = pydicom.dcmread(self.path)
            self._check(dataset)
            if dataset.file_meta.TransferSyntaxUID.is_compressed:
                pydicom.pixels.decompress(dataset, generate_instance_uid=False)
        except DataError:
            raise
        except FileNotFoundError:
            raise DataError(f"{place}: does not exist") from None
        except pydicom.errors.InvalidDicomError:
            raise DataError(f"{place}: is no DICOM file") from None
        except (RuntimeError, NotImplementedError):
            syntax = dataset.file_meta.TransferSyntaxUID
            mend = (
                "save its frames as pictures first"  # no handler decodes films
                if any(name in syntax.name for name in _FILMS)
                else "pip install pylibjpeg-libjpeg or python-gdcm"
            )
            raise DataError(f"{place}: no installed handler decodes {syntax.name}; {mend}") from None
        except Exception as error:  # pydicom raises nearly anything for damaged files, and may quote them
            raise DataError(f"{place}: cannot be decoded ({type(error).__name__}); is the file whole?") from None
        return dataset

    def _check(self, dataset: Any) -> None:
        place = self.path.name
        if "PixelData" not in dataset:
            raise DataError(f"{place}: has no pixels (PixelData); there is no picture to de-identify")
        if not getattr(dataset.file_meta, "TransferSyntaxUID", None):
            raise DataError(f"{place}: does not say how it is encoded (TransferSyntaxUID)")
        if dataset.PhotometricInterpretation not in (*PHOTOMETRIC, "YBR_RCT", "YBR_ICT"):
            raise DataError(f"{place}: PhotometricInterpretation is none of {', '.join(PHOTOMETRIC)}")
        self.limits.check_size(dataset.Columns, dataset.Rows, place)
        frames = int(dataset.get("NumberOfFrames") or 1)
        self.limits.check_pages(frames, place)
        # All frames are held at once: the file's size bounds them, unless it is compressed.
        total = dataset.Columns * dataset.Rows * frames / 1e6
        if total > 20 * self.limits.megapixels:
            raise DataError(f"{place}: {total:,.0f} million pixels in all; raise --max-megapixels to take it")

    def __len__(self) -> int:
        return int(self._dataset.get("NumberOfFrames") or 1)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """What the header tells of the patient and others, to be looked for in the pixels."""
        return dicom_header.identifiers(self._dataset)

    def page(self, number: int) -> np.ndarray:
        """A frame for reading: grey of any depth, or RGB."""
        from pydicom.pixels import apply_color_lut, pixel_array

        try:
            frame = pixel_array(self._dataset, index=number)
            if self._dataset.PhotometricInterpretation == "PALETTE COLOR":
                frame = apply_color_lut(frame, self._dataset)
        except Exception as error:
            raise DataError(
                f"{self.path.name}, frame {number + 1}: cannot be decoded ({type(error).__name__})"
            ) from None
        if frame.ndim == 3 and frame.dtype != np.uint8:
            frame = (frame >> (8 * (frame.dtype.itemsize - 1))).astype(np.uint8)
        return frame

    def printed(self, number: int) -> tuple[Reading, ...]:
        return ()

    def write(self, stream: BinaryIO, masks: Masks, fill: str) -> None:
        """The file with every frame covered where any of them is: what is burned in stands still."""
        import pydicom

        check_fill(fill)
        known, dataset = self.known, self._dataset
        height, width = dataset.Rows, dataset.Columns
        frames = len(self)
        mask = np.zeros((height, width), bool)
        for number in range(frames):
            mask |= masks(number, height, width)
        cover(dataset, mask, fill)
        drop_hidden_bits(dataset, self.path.name)
        dicom_header.deidentify(dataset, known, self.path.name)
        dicom_header.mark(dataset)
        fresh = pydicom.dataset.FileMetaDataset()
        fresh.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
        fresh.MediaStorageSOPClassUID = dataset.SOPClassUID
        fresh.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.file_meta, dataset.preamble = fresh, b"\0" * 128
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)


def silence(pydicom: Any) -> None:
    """Keep pydicom from quoting values of a header in warnings and log lines."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    warnings.filterwarnings("ignore", module="pydicom")
    for name in ("pydicom", "openjpeg"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def cover(dataset: Any, mask: np.ndarray, fill: str) -> None:
    """Put a fill under a mask, (rows, columns) bool, in all frames of an uncompressed dataset; in place.

    Only bytes of covered pixels change. Where two pixels share their colour (YBR_FULL_422), both are covered.
    """
    frames, samples = int(dataset.get("NumberOfFrames") or 1), int(dataset.SamplesPerPixel)
    height, width = mask.shape
    if dataset.BitsAllocated == 1:
        dataset.PixelData = _covered_bits(dataset, mask, frames, fill)
        return
    content = bytearray(dataset.PixelData)
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    kind = "i" if dataset.PixelRepresentation else "u"
    values = np.frombuffer(content, f"{order}{kind}{dataset.BitsAllocated // 8}")
    if dataset.PhotometricInterpretation == "YBR_FULL_422":  # Y Y Cb Cr for each pair of pixels
        pairs = values[: frames * height * width * 2].reshape(frames, height, width // 2, 4)
        paired = mask[:, : width // 2 * 2].reshape(height, -1, 2).any(axis=2)
        pairs[:, paired] = _value(dataset, values, fill)[[0, 0, 1, 2]]
    elif samples > 1 and dataset.get("PlanarConfiguration") == 1:
        planes = values[: frames * height * width * samples].reshape(frames, samples, height, width)
        for channel, value in enumerate(_value(dataset, values, fill)):
            planes[:, channel, mask] = value
    else:
        pixels = values[: frames * height * width * samples].reshape(frames, height, width, samples)
        pixels[:, mask] = _value(dataset, values, fill)
    dataset.PixelData = bytes(content)


def _covered_bits(dataset: Any, mask: np.ndarray, frames: int, fill: str) -> bytes:
    from pydicom.pixels.utils import pack_bits, unpack_bits

    bits = unpack_bits(dataset.PixelData)
    pixels = bits[: frames * mask.size].reshape(frames, *mask.shape)
    bright = dataset.PhotometricInterpretation != "MONOCHROME1"
    pixels[:, mask] = (FILLS[fill] >= 0.5) == bright
    return pack_bits(bits)


def _value(dataset: Any, values: np.ndarray, fill: str) -> np.ndarray:
    """The samples of the fill, (samples,).

    Greys are taken between the darkest and the brightest value there is, so that windows fitted to the values stay.
    """
    share = FILLS[fill]
    match dataset.PhotometricInterpretation:
        case "MONOCHROME1" | "MONOCHROME2":
            low, high = int(values.min()), int(values.max())
            dark_first = dataset.PhotometricInterpretation == "MONOCHROME2"
            return np.array([round(low + (share if dark_first else 1 - share) * (high - low))])
        case "PALETTE COLOR":
            from pydicom.pixels import apply_color_lut

            entries = np.arange(int(values.min()), int(values.max()) + 1).astype(values.dtype.newbyteorder("="))
            colours = apply_color_lut(entries[None, :], dataset)[0].astype(float)
            wanted = share * np.iinfo(apply_color_lut(entries[None, :1], dataset).dtype).max
            return np.array([entries[np.argmin(np.abs(colours[:, :3] - wanted).sum(axis=1))]])
        case "RGB":
            return np.full(3, round(share * (2**dataset.BitsStored - 1)))
        case _:  # YBR: no colour lies in the middle
            middle = 2 ** (dataset.BitsStored - 1)
            return np.array([round(share * (2**dataset.BitsStored - 1)), middle, middle])


def drop_hidden_bits(dataset: Any, place: str) -> None:
    """Clear the bits above those of pixels where an old kind of overlay hides text in them (group 60xx)."""
    groups = {e.tag.group for e in dataset if 0x6000 <= e.tag.group <= 0x60FF}
    if not any((g, 0x0102) in dataset and (g, 0x3000) not in dataset for g in groups):
        return
    if dataset.PixelRepresentation or dataset.BitsAllocated not in (8, 16) or not dataset.BitsStored:
        raise DataError(f"{place}: an overlay is hidden in the bits of signed pixels; convert the file first")
    values = np.frombuffer(bytearray(dataset.PixelData), f"<u{dataset.BitsAllocated // 8}")
    dataset.PixelData = (values & (2**dataset.BitsStored - 1)).astype(values.dtype).tobytes()
