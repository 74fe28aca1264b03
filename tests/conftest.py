"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared corpora and parity cases (`DEIDLAB_DATA`), which no test copies and some need."""
    folder = Path(os.environ.get("DEIDLAB_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"shared data not found at {folder}; set DEIDLAB_DATA to the folder that holds meddocan/ and parity/")
    return folder
