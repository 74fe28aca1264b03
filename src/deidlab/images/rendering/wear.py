"""What scanners, cameras, fax lines and rubber stamps do to a page, and where they move its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deidlab.images.geometry import quarter_turns, turning


@dataclass(frozen=True)
class Wear:
    """How badly a page fares. Degrees of `skew` and shares of `tilt` (of the edge, seen at an angle) are the most that
    is drawn; `blur` is a standard deviation in pixels, `noise` one in grey levels, `specks` a share of pixels, `jpeg` a
    quality (0: none), `shade` the share of light lost towards a corner, `turns` quarter turns; `bilevel` is a fax."""

    skew: float = 0.0
    tilt: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    specks: float = 0.0
    jpeg: int = 0
    shade: float = 0.0
    stamp: bool = False
    bilevel: bool = False
    turns: int = 0


def worn(pixels: np.ndarray, wear: Wear, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A grey page, uint8, after all that; and the 3 x 3 matrix that moves points of the old one to the new."""
    import cv2

    ground = int(np.median(pixels))
    height, width = pixels.shape
    if wear.stamp:
        pixels = stamped(pixels, rng)
    matrix = np.eye(3)
    if wear.skew:
        matrix, height, width = turning(rng.uniform(0.3, 1) * wear.skew * rng.choice((-1, 1)), height, width)
    if wear.tilt:
        corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        inwards = rng.uniform(0, wear.tilt, (4, 2)) * (width, height) * ((1, 1), (-1, 1), (-1, -1), (1, -1))
        matrix = cv2.getPerspectiveTransform(corners, (corners + inwards).astype(np.float32)) @ matrix
    if wear.skew or wear.tilt:
        pixels = cv2.warpPerspective(
            pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ground
        )
    values = pixels.astype(np.float32)
    if wear.shade:
        down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        values *= 1 - wear.shade * (down * rng.uniform(0.3, 1) + across * rng.uniform(0.3, 1)) / 2
    if wear.blur:
        values = cv2.GaussianBlur(values, (0, 0), wear.blur)
    if wear.noise:
        values += rng.normal(0, wear.noise, values.shape)
    if wear.specks:
        hit = rng.random(values.shape) < wear.specks
        values[hit] = rng.choice((0.0, 255.0), int(hit.sum()))
    pixels = np.clip(values, 0, 255).astype(np.uint8)
    if wear.bilevel:
        pixels = np.where(pixels > 150, 255, 0).astype(np.uint8)
    if wear.jpeg:
        pixels = cv2.imdecode(
            cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, wear.jpeg])[1], cv2.IMREAD_GRAYSCALE
        )
    if wear.turns:
        matrix = quarter_turns(wear.turns, height, width) @ matrix
        pixels = np.ascontiguousarray(np.rot90(pixels, wear.turns))
    return pixels, matrix


def stamped(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A page with a slanting, half transparent stamp on it."""
    from PIL import Image, ImageDraw

    from deidlab.images.rendering.sheet import font_of

    height, width = pixels.shape
    font = font_of("bold", max(width // 22, 14))
    text = rng.choice(("RECEIVED", "COPY", "SCANNED", "CONFIDENTIAL"))
    stamp = Image.new("L", (int(font.getlength(text)) + 24, int(font.size * 1.8)), 0)
    draw = ImageDraw.Draw(stamp)
    draw.text((12, font.size * 0.3), text, font=font, fill=110)
    draw.rectangle((2, 2, stamp.width - 3, stamp.height - 3), outline=110, width=3)
    stamp = stamp.rotate(float(rng.uniform(-25, 25)), expand=True)
    layer = Image.new("L", (width, height), 0)
    layer.paste(stamp, (int(rng.uniform(0.1, 0.6) * width), int(rng.uniform(0.1, 0.8) * height)))
    return np.clip(pixels.astype(np.int16) - np.asarray(layer), 0, 255).astype(np.uint8)
