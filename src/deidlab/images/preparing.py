"""A page made readable: grey, large enough, dark on light, upright, straight. Engines see this and never the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deidlab.images.geometry import quarter_turns, scaling, turning

_GLYPHS = (5, 120)  # pixels in height of what may be letters; smaller is noise
_DARK = 110  # median grey below which a page is white on black
_STEEPEST = 8.0  # degrees of skew that are looked for
_STRAIGHT = 0.15  # degrees that are left as they are


@dataclass(frozen=True)
class Preparation:
    """How large letters are made, and what else is done to a page before it is read.

    A page whose letters are lower than `least_glyph` pixels (median) is enlarged, at most `most_enlarged` times; one
    whose letters are higher than `most_glyph` is made smaller, as is one of more than `longest_side` pixels.
    """

    least_glyph: float = 11.0
    most_glyph: float = 22.0
    most_enlarged: float = 3.0
    longest_side: int = 3200
    invert: bool = True
    deskew: bool = True


@dataclass(frozen=True)
class View:
    """A picture to read, (height, width) uint8, and the 3 x 3 matrix from its points to the page's."""

    pixels: np.ndarray
    to_page: np.ndarray


def grey(pixels: np.ndarray) -> np.ndarray:
    """A page of any depth, (height, width) or (height, width, 3), as uint8, (height, width); contrast stretched."""
    flat = pixels @ np.array((0.299, 0.587, 0.114)) if pixels.ndim == 3 else pixels
    if flat.dtype == bool:
        return flat.astype(np.uint8) * 255
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(flat).astype(np.uint8)
    low, high = np.percentile(flat, (0.1, 99.9))
    # What is burned in lies at the end of the scale, which a percentile of few pixels may cut: keep the order.
    low, high = (low, high) if high > low else (float(flat.min()), float(flat.max()) + 1)
    return np.clip((flat.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def prepared(page: np.ndarray, settings: Preparation, turns: int = 0) -> View:
    """A grey page turned by quarters (`np.rot90`), scaled, inverted and straightened as the settings say."""
    import cv2

    height, width = page.shape
    pixels = np.ascontiguousarray(np.rot90(page, turns))
    from_page = quarter_turns(turns, height, width)
    if settings.invert and np.median(pixels) < _DARK:
        pixels = 255 - pixels
    factor = _factor(pixels, settings)
    if factor != 1:
        size = max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1)
        from_page = scaling(size[0] / pixels.shape[1], size[1] / pixels.shape[0]) @ from_page
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    if settings.deskew and abs(angle := skew(pixels)) > _STRAIGHT:
        matrix, tall, wide = turning(-angle, *pixels.shape)
        pixels = cv2.warpAffine(
            pixels, matrix[:2], (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        from_page = matrix @ from_page
    return View(pixels, np.linalg.inv(from_page))


def _factor(pixels: np.ndarray, settings: Preparation) -> float:
    height = glyph_height(pixels)
    factor = 1.0
    if height:
        factor = max(1.0, settings.least_glyph / height) * min(1.0, settings.most_glyph / height)
    return min(factor, settings.most_enlarged, settings.longest_side / max(pixels.shape))


def glyph_height(pixels: np.ndarray) -> float:
    """Median height in pixels of connected ink that may be letters, on a light ground; 0 where there is none."""
    import cv2

    _, ink = cv2.threshold(pixels, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, _, found, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    heights, widths = found[1:, cv2.CC_STAT_HEIGHT], found[1:, cv2.CC_STAT_WIDTH]
    letters = heights[(heights >= _GLYPHS[0]) & (heights <= _GLYPHS[1]) & (widths < 4 * heights)]
    return float(np.median(letters)) if len(letters) >= 5 else 0.0


def skew(pixels: np.ndarray) -> float:
    """Degrees by which lines of text fall to the right; 0 where no angle stands out.

    The angle under which the ink, summed along lines, changes most from line to line (projection profile).
    """
    import cv2

    height, width = pixels.shape
    factor = min(1.0, 800 / max(height, width))
    small = cv2.resize(
        pixels, (max(int(width * factor), 1), max(int(height * factor), 1)), interpolation=cv2.INTER_AREA
    )
    # Edges, not darkness: the shadow in a photograph and the picture in an ultrasound frame are no lines.
    edges = np.abs(np.diff(small.astype(np.int16), axis=0, prepend=small[:1])) > 40
    y, x = np.nonzero(edges)
    if len(y) < 200:
        return 0.0
    if len(y) > 40_000:
        chosen = np.linspace(0, len(y) - 1, 40_000).astype(int)
        y, x = y[chosen], x[chosen]

    def sharpness(degrees: float) -> float:
        along = y - x * np.tan(np.deg2rad(degrees))
        profile = np.bincount((along - along.min()).astype(int)).astype(float)
        return float(np.square(np.diff(profile)).sum())

    coarse = np.arange(-_STEEPEST, _STEEPEST + 0.1, 0.5)
    best = max(coarse, key=sharpness)
    best = max(np.arange(best - 0.4, best + 0.45, 0.1), key=sharpness)
    return float(best) if sharpness(best) > 1.1 * sharpness(0.0) else 0.0
