"""`deidlab export`: what it asks for and what it says."""

import pytest
from typer.testing import CliRunner

from deidlab.cli.main import app
from deidlab.types import ConfigError


def test_a_format_must_be_named(tmp_path):
    ended = CliRunner().invoke(app, ["export", str(tmp_path), "--out", str(tmp_path / "onnx")])
    assert isinstance(ended.exception, ConfigError) and "--onnx" in str(ended.exception)


def test_8_bits_without_notes_are_refused(tmp_path):
    pytest.importorskip("onnxscript", reason="exporting needs onnxscript: pip install -e '.[export]'")
    ended = CliRunner().invoke(app, ["export", str(tmp_path), "--out", str(tmp_path / "x"), "--onnx", "--int8"])
    assert isinstance(ended.exception, ConfigError) and "--notes" in str(ended.exception)
