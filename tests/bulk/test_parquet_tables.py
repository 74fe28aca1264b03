"""Parquet keeps every column but the text: values, types, schema, metadata."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deidlab.bulk.job import Job, run
from deidlab.bulk.notes import Reading
from deidlab.bulk.parquet_tables import ParquetTable
from deidlab.types import DataError


def rich_table(rows: int = 3) -> pa.Table:
    texts = (["Mr Smith", None, "seen on 01/02/2012"] * rows)[:rows]
    return pa.table(
        {
            "id": pa.array([f"k{i}" for i in range(rows)]),
            "kind": pa.array(["a", "b", "a"] * (rows // 3)).dictionary_encode(),
            "text": pa.array(texts, pa.large_string()),
            "when": pa.array([datetime.datetime(2012, 1, 2)] * rows, pa.timestamp("us", "Europe/Madrid")),
            "price": pa.array([decimal.Decimal("1.50")] * rows, pa.decimal128(9, 2)),
            "tags": pa.array([[{"x": 1}], None, []] * (rows // 3)),
            "mrn": pa.array([7, None, 8] * (rows // 3)),
        }
    ).replace_schema_metadata({"owner": "clinic"})


def written(tmp_path, table, **settings):
    pq.write_table(table, tmp_path / "n.parquet", **settings)
    return tmp_path / "n.parquet"


def test_all_but_the_text_is_kept_over_shards_and_row_groups(tmp_path, engine):
    file = written(tmp_path, rich_table(30), row_group_size=7, compression="zstd")
    before = pq.read_table(file)
    job = Job(ParquetTable(file, Reading()), tmp_path / "out.parquet", {}, shard_notes=4)
    assert run(job, engine).notes == 30
    after = pq.read_table(tmp_path / "out.parquet")
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after.drop(["text"]).equals(before.drop(["text"]))
    assert after["text"].to_pylist() == ["Mr [NAME]", None, "seen on [DATE]"] * 10
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_ids_and_patients_are_columns(tmp_path):
    file = written(tmp_path, rich_table())
    notes = ParquetTable(file, Reading(id_column="id", patient_column="mrn")).notes()
    patients = {"k0": {"patient": "7"}, "k1": {}, "k2": {"patient": "8"}}
    assert {note.id: note.document.meta for note in notes} == patients


def test_failed_rows_are_left_out(tmp_path, engine):
    file = written(tmp_path, pa.table({"text": ["Smith", "boom Smith", "x\0", "y" * 50], "n": [0, 1, 2, 3]}))
    summary = run(Job(ParquetTable(file, Reading(max_bytes=20)), tmp_path / "out.parquet", {}), engine)
    assert (summary.notes, summary.failed) == (4, 3)
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"text": "[NAME]", "n": 0}]


def test_no_rows_give_no_rows(tmp_path, engine):
    file = written(tmp_path, rich_table().slice(0, 0))
    assert run(Job(ParquetTable(file, Reading()), tmp_path / "out.parquet", {}), engine).notes == 0
    assert pq.read_table(tmp_path / "out.parquet").schema.equals(pq.read_schema(file), check_metadata=True)


def test_what_is_no_parquet_or_lacks_a_column_says_so(tmp_path):
    (tmp_path / "n.parquet").write_bytes(b"Mr Smith")
    with pytest.raises(DataError, match="is no whole Parquet file"):
        _ = ParquetTable(tmp_path / "n.parquet", Reading()).file
    file = written(tmp_path, rich_table())
    with pytest.raises(DataError, match="no column 'body'; its columns: id, kind, text"):
        _ = ParquetTable(file, Reading(text_column="body")).file
    with pytest.raises(DataError, match="column 'mrn' is int64; expected a string"):
        _ = ParquetTable(file, Reading(text_column="mrn")).file


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_file_appended_to_another_is_refused_whatever_its_schema(tmp_path, compression, index):
    settings = {"compression": compression, "write_page_index": index, "row_group_size": 40}
    texts = [f"Mr Smith, {i}" for i in range(100)]
    first = written(tmp_path, pa.table({"text": texts, "n": range(100)}), **settings).read_bytes()
    for rows in (50, 100, 300):
        for name in ("n", "m"):
            other = pa.table({name: [str(i) for i in range(rows)], "text": (texts * 3)[:rows]})
            file = written(tmp_path, other, **settings)
            assert ParquetTable(file, Reading()).total() == rows
            file.write_bytes(first + file.read_bytes())
            with pytest.raises(DataError, match=r"n\.parquet: is two Parquet files, one after the other"):
                _ = ParquetTable(file, Reading()).file


def test_a_file_that_is_another_in_its_second_half_gives_no_output(tmp_path, engine):
    file = written(tmp_path, pa.table({"text": [f"Mr Smith, {i}" for i in range(4000)]}), row_group_size=1000)
    content = file.read_bytes()
    at = pq.ParquetFile(file).metadata.row_group(2).column(0).dictionary_page_offset
    file.write_bytes(content[:at] + b"\7" * 400 + content[at + 400 :])
    with pytest.raises(DataError, match=r"n\.parquet: cannot be read beyond row 1792; is the file whole"):
        run(Job(ParquetTable(file, Reading()), tmp_path / "out.parquet", {}), engine)
    assert not (tmp_path / "out.parquet").exists()
