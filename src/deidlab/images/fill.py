"""What is put over an identifier: one value, the same everywhere, so that nothing of what was there shines through."""

from __future__ import annotations

import numpy as np

from deidlab.types import ConfigError

FILLS = {"black": 0.0, "grey": 0.5, "white": 1.0}  # share of the brightest value


def check_fill(fill: str) -> None:
    """Raise `ConfigError` for a fill that is none, and for one that can be undone."""
    if fill in ("blur", "pixelate", "mosaic"):
        raise ConfigError(f"--fill {fill} is refused: what is blurred can be read again; choose {', '.join(FILLS)}")
    if fill not in FILLS:
        raise ConfigError(f"--fill {fill!r} is none of {', '.join(FILLS)}")


def filled(pixels: np.ndarray, mask: np.ndarray, fill: str) -> np.ndarray:
    """A copy of a page, (height, width) or (height, width, channels), with one value under the mask.

    Integers reach from 0 to the most their type holds; all other pixels stay as they are, to the bit.
    """
    check_fill(fill)
    covered = pixels.copy()
    if pixels.dtype == bool:
        covered[mask] = FILLS[fill] >= 0.5
    else:
        covered[mask] = round(FILLS[fill] * np.iinfo(pixels.dtype).max)
    return covered
