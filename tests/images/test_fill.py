"""A fill is one value under the mask, and changes nothing else."""

import numpy as np
import pytest

from deidlab.images.fill import check_fill, filled
from deidlab.types import ConfigError


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_what_is_not_covered_stays_to_the_bit(dtype, channels):
    pixels = np.random.default_rng(0).integers(0, 200, (8, 9, *channels)).astype(dtype)
    mask = np.zeros((8, 9), bool)
    mask[2:4, 3:6] = True
    covered = filled(pixels, mask, "white")
    assert (covered[~mask] == pixels[~mask]).all() and (covered[mask] == np.iinfo(dtype).max).all()
    assert covered.dtype == dtype


def test_black_and_white_pages():
    assert not filled(np.ones((2, 2), bool), np.eye(2, dtype=bool), "black")[0, 0]
    assert filled(np.zeros((2, 2), bool), np.eye(2, dtype=bool), "white")[1, 1]


@pytest.mark.parametrize("fill", ["blur", "pixelate", "red"])
def test_what_can_be_undone_is_refused(fill):
    with pytest.raises(ConfigError, match="fill"):
        check_fill(fill)
