"""`deidlab image`: what it refuses before anything is read, and what it says when a file fails."""

import numpy as np
import pytest
from typer.testing import CliRunner

from deidlab.cli.main import app
from deidlab.types import ConfigError

Image = pytest.importorskip("PIL.Image", reason='needs pip install "deidlab[image]"')
pytest.importorskip("rapidocr", reason='needs pip install "deidlab[image]"')


def run(*arguments: object):
    return CliRunner().invoke(app, ["image", *map(str, arguments)])


@pytest.fixture
def page(tmp_path):
    Image.fromarray(np.full((40, 50), 255, np.uint8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fill", "blur"], "can be read again"),
        (["--ocr", "abbyy"], "rapidocr"),
        (["--workers", "0"], "workers"),
        (["--padding", "-1"], "padding"),
        (["--dpi", "7"], "dpi"),
    ],
)
def test_settings_that_cannot_work_are_refused(page, options, message):
    result = run(page, "--rules-only", "--out", page.with_name("b.png"), *options)
    assert isinstance(result.exception, ConfigError) and message in str(result.exception)
    assert not page.with_name("b.png").exists()


def test_nothing_is_replaced_unasked(page):
    for out, message in ((page, "is the input"), (page.parent, "is a folder")):
        assert message in str(run(page, "--rules-only", "--out", out).exception)
    other = page.with_name("b.png")
    other.write_bytes(b"mine")
    assert "--overwrite" in str(run(page, "--rules-only", "--out", other).exception)
    assert "lies in the input" in str(run(page.parent, "--rules-only", "--out", page.parent / "out").exception)


def test_a_folder_is_done_file_by_file_and_what_fails_is_told(page, tmp_path_factory):
    (page.parent / "broken.png").write_bytes(b"Anne Smith")
    out = tmp_path_factory.mktemp("out") / "shared"
    result = run(page.parent, "--rules-only", "--out", out)
    assert result.exit_code == 1 and [file.name for file in out.iterdir()] == ["a.png"]
    assert "failed, not written: broken.png" in result.stderr and "Anne" not in result.stderr
    assert "a.png: 1 pages, 0.0% covered; found nothing" in result.stderr
