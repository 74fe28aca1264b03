"""RapidOCR: PP-OCR's detector and recogniser as ONNX models that come inside of its package; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from deidlab.images.geometry import Box, box_of, moved, quarter_turns
from deidlab.images.overlooked import overlooked
from deidlab.images.symbols import STRONG, ink_of, placed, rows
from deidlab.images.words import Reading, Symbol, Word

_TALL = 1.5  # height by width from which a line runs up or down the page
_DOUBT = 0.8  # confidence below which such a line is also tried the other way round
_GAP = 0.33  # of the height of a line: bare ground that is a blank even where none was read


@dataclass(frozen=True)
class RapidEngine:
    """Lines are found, straightened, and read; symbols are placed by the recogniser's columns and by the ink.

    `box_threshold` is the detector's: lower finds more, also what is no text. `threads` are ONNX Runtime's.
    """

    box_threshold: float = 0.4
    threads: int = 1
    name: str = "rapidocr"

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        runtime = "EngineConfig.onnxruntime"
        return RapidOCR(
            params={
                "Global.log_level": "critical",  # its warnings may name what it read
                "Global.use_cls": False,
                "Global.return_word_box": True,
                # The size is ours to choose: preparing.py looks at the letters, these at the page.
                "Global.max_side_len": 100_000,
                "Det.limit_type": "max",
                "Det.limit_side_len": 100_000,
                "Det.box_thresh": self.box_threshold,
                f"{runtime}.intra_op_num_threads": self.threads,
                f"{runtime}.inter_op_num_threads": 1,
            }
        )

    def read(self, pixels: np.ndarray) -> Reading:
        """Words line by line; a line in which nothing is recognised is unread. Lines are the detector's, and rows of
        letters that it did not see."""
        colour = np.repeat(pixels[:, :, None], 3, axis=2)
        detected = self._engine(colour, use_det=True, use_cls=False, use_rec=False)
        quads = [] if detected.boxes is None else [np.asarray(quad, dtype=np.float32) for quad in detected.boxes]
        words, unread = self._read_in(colour, quads)
        rows = overlooked(pixels, [*(word.box for word in words), *unread])
        more, nothing = self._read_in(colour, [row.corners().astype(np.float32) for row in rows])
        return Reading(self.name, (*words, *more), (*unread, *nothing))

    def _read_in(self, colour: np.ndarray, quads: Sequence[np.ndarray]) -> tuple[list[Word], list[Box]]:
        """The words in places of a page, and the places where none was recognised."""
        words: list[Word] = []
        unread: list[Box] = []
        for quad, (strip, line) in zip(quads, self._lines([straightened(colour, q) for q in quads]), strict=True):
            found = list(words_of(strip, line))
            words += found
            if not found:
                unread.append(box_of(quad))
        return words, unread

    def _lines(self, strips: Sequence[Strip]) -> list[tuple[Strip, Line]]:
        """Each strip with its text; one that ran up or down the page is read from the end where that goes better."""
        lines = list(zip(strips, self._recognised(strips), strict=True))
        doubted = [i for i, (strip, line) in enumerate(lines) if strip.tall and line.confidence < _DOUBT]
        over = [strips[i].upside_down() for i in doubted]
        for i, strip, line in zip(doubted, over, self._recognised(over), strict=True):
            if line.confidence > lines[i][1].confidence:
                lines[i] = strip, line
        return lines

    def _recognised(self, strips: Sequence[Strip]) -> list[Line]:
        if not strips:
            return []
        found = self._engine.recognize_txt([strip.pixels for strip in strips])
        return [
            Line.of(text, info, strip.pixels.shape[1])
            for text, info, strip in zip(found.txts, found.word_results, strips, strict=True)
        ]


@dataclass(frozen=True)
class Line:
    """Characters of a line, blanks among them, about where each is (pixels from the left), and how sure."""

    text: Sequence[str]
    centres: Sequence[float]
    confidences: Sequence[float]

    @property
    def confidence(self) -> float:
        return float(np.mean(self.confidences)) if len(self.confidences) else 0.0

    @classmethod
    def of(cls, text: str, info: Any, width: int) -> Line:
        """From RapidOCR's answer, which gives the columns of what is no blank and the confidence of every character."""
        if not text.strip() or not info.line_txt_len:
            return cls((), (), ())
        per_column = width / info.line_txt_len
        seen = [(column + 0.5) * per_column for columns in info.word_cols for column in columns]
        places = [i for i, ch in enumerate(text) if not ch.isspace()]
        if len(places) != len(seen) or len(info.confs) != len(text):  # a character of several columns: spread evenly
            centres = (np.arange(len(text)) + 0.5) * width / len(text)
            sure = float(np.mean(info.confs)) if info.confs else 0.0
            return cls(text, centres.tolist(), [sure] * len(text))
        return cls(text, np.interp(range(len(text)), places, seen).tolist(), info.confs)


@dataclass(frozen=True)
class Strip:
    """A line cut out of a page and laid straight, (height, width, 3) uint8; `to_page` (3 x 3) leads back."""

    pixels: np.ndarray
    to_page: np.ndarray
    tall: bool  # it ran up or down the page

    def upside_down(self) -> Strip:
        height, width = self.pixels.shape[:2]
        turned = np.ascontiguousarray(self.pixels[::-1, ::-1])
        return Strip(turned, self.to_page @ quarter_turns(2, height, width), self.tall)


def straightened(pixels: np.ndarray, quad: np.ndarray) -> Strip:
    """The strip under a detected line, (4, 2) clockwise from the left top."""
    import cv2

    width = int(max(float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[3] - quad[2])), 1))
    height = int(max(float(np.linalg.norm(quad[0] - quad[3])), float(np.linalg.norm(quad[1] - quad[2])), 1))
    tall = height >= _TALL * width
    if tall:  # taken to run upwards: its left top is the left bottom of the page
        quad, width, height = quad[[3, 0, 1, 2]], height, width
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(quad), flat)
    strip = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Strip(strip, np.linalg.inv(matrix), tall)


def words_of(strip: Strip, line: Line) -> Iterator[Word]:
    """The words of a line, cut at blanks that were read and at bare ground as wide as one."""
    runs = [
        [i for i, _ in run] for blank, run in groupby(enumerate(line.text), lambda at: at[1].isspace()) if not blank
    ]
    if not runs:
        return
    ink = ink_of(strip.pixels[:, :, 0])
    top, bottom = rows(ink)
    centres = [[line.centres[i] for i in run] for run in runs]
    for run, places in zip(runs, placed(ink, centres, ink_of(strip.pixels[:, :, 0], STRONG)), strict=True):
        symbols: list[Symbol] = []
        for i, (left, right), (_, before) in zip(run, places, [places[0], *places[:-1]], strict=True):
            if symbols and left - before > _GAP * ink.shape[0]:
                yield Word(tuple(symbols))
                symbols = []
            box = box_of(moved(Box(left, top, right, bottom).corners(), strip.to_page))
            symbols.append(Symbol(line.text[i], box, float(line.confidences[i])))
        yield Word(tuple(symbols))
