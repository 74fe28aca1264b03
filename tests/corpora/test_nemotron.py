"""Nemotron-PII's parquet: Python literals, numbers, twins."""

import os
import re
import subprocess
import sys
import traceback

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deidlab.corpora import nemotron
from deidlab.types import DataError, Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def nemotron_row(uid, locale, spans, text="Anna, 42, 007, 1.50", domain="Healthcare"):
    return {
        "uid": uid, "domain": domain, "document_type": "note", "document_format": "unstructured",
        "locale": locale, "text": text, "spans": spans, "text_tagged": "",
    }  # fmt: skip


def test_nemotron_spans_are_python_literals_with_numbers_in_them(tmp_path):
    spans = (
        "[{'start': 0, 'end': 4, 'text': 'Anna', 'label': 'first_name'},"
        " {'start': 6, 'end': 8, 'text': 42, 'label': 'age'},"
        " {'start': 10, 'end': 13, 'text': 7, 'label': 'pin'}, {'start': 15, 'end': 19, 'text': 1.5, 'label': 'cvv'}]"
    )
    rows = [
        nemotron_row("u1", "us", spans),
        nemotron_row("u1", "intl", "[]"),
        nemotron_row("u2", "us", "[]", domain="Law"),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-0.parquet")
    first, second = nemotron.read(tmp_path, Losses(), domain="Healthcare")
    assert found(first) == [("Anna", "first_name"), ("42", "age"), ("007", "pin"), ("1.50", "cvv")]
    assert [(d.id, d.meta["uid"]) for d in (first, second)] == [("u1-us", "u1"), ("u1-intl", "u1")]
    assert len(list(nemotron.read(tmp_path, Losses()))) == 3


def test_nemotron_mismatches_are_counted_per_label_and_no_code_is_run(tmp_path):
    rows = [
        nemotron_row("u1", "us", "[{'start': 0, 'end': 4, 'text': 'Lena', 'label': 'first_name'}]"),
        nemotron_row("u2", "us", "__import__('os').abort()"),
        nemotron_row("u3", "us", "[{'start': 6, 'end': 8, 'text': 43, 'label': 'age'}]"),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    losses = Losses("count")
    assert [d.id for d in nemotron.read(tmp_path, losses)] == ["u1-us", "u3-us"]
    assert [(r["reason"], r["label"], r["count"]) for r in losses.rows()] == [
        ("malformed_spans", "-", 1),
        ("offset_mismatch", "age", 1),
        ("offset_mismatch", "first_name", 1),
    ]


def test_a_syntax_error_does_not_quote_the_note(tmp_path):
    pq.write_table(pa.Table.from_pylist([nemotron_row("u1", "us", "[{'text': 'Zyxomma")]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"u1-us \(.*a.parquet, row 0\): spans is no list") as error:
        list(nemotron.read(tmp_path, Losses()))
    assert "Zyxomma" not in "".join(traceback.format_exception(error.value))


def test_nemotron_without_its_columns_or_without_parquet_is_an_error(tmp_path):
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet: has no column uid, spans; expected uid, text, spans"):
        list(nemotron.read(tmp_path, Losses("count")))
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"a.parquet: is no parquet file"):
        list(nemotron.read(tmp_path, Losses("count")))


def test_without_a_network_the_error_says_what_to_download_and_where_to_point(tmp_path):
    code = (
        "from deidlab.corpora.nemotron import read_hub; from deidlab.types import Losses;"
        "next(read_hub('train', Losses(), 'nvidia/Nemotron-PII', 'b70ffaf5ff39e079776134c5bf4381f00a9fd1ed'))"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    failed = subprocess.run([sys.executable, "-c", code], env=offline, capture_output=True, text=True)
    assert re.search(r"DataError: nvidia/Nemotron-PII .* cannot be had.*hf download .*data.path=", failed.stderr)
