"""Units whose gold tags were drawn from known probabilities."""

from collections.abc import Callable

import numpy as np
import pytest

from deidlab.calibration.scaling import normalised


@pytest.fixture(scope="session")
def true_units() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Log-probabilities of O, B-A, I-A, B-B, I-B, and tags drawn from these very probabilities."""
    return drawn_units


def drawn_units(n: int, seed: int = 0, drawn_from: tuple[int, ...] = (0, 1, 2, 3, 4)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=(n, 5))
    logits[:, 0] += 2
    logits[:, [t for t in range(5) if t not in drawn_from]] -= 60
    log_probs = normalised(logits)
    gold = (np.exp(log_probs).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return log_probs, gold
