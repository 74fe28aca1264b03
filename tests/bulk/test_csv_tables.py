"""Records are read as the standard library reads them, and written back byte for byte but for the text."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.bulk.csv_tables import CsvTable, fields, records
from deidlab.bulk.notes import Reading
from deidlab.types import ConfigError, DataError

CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
MIXED = CELLS | st.text(st.sampled_from('a,;"\n\r é'), max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(MIXED, min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from([0, 1]),
       st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ";", "\t"]))  # fmt: skip
def test_records_and_fields_are_those_of_the_standard_library(rows, quoting, line_end, delimiter):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=quoting, lineterminator=line_end, delimiter=delimiter).writerows(rows)
    raw = stream.getvalue().encode()
    found = [record for _, record in records(io.BytesIO(raw), 10_000, delimiter.encode())]
    assert b"".join(found) == raw
    decoded = [record.decode().removesuffix(line_end) for record in found]
    assert [[field.value for field in fields(record, delimiter)] for record in decoded] == rows
    for record in decoded:
        assert delimiter.join(record[f.start : f.end] for f in fields(record, delimiter)) == record


def table(tmp_path, raw, name="n.csv", **reading):
    file = tmp_path / name
    file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return CsvTable(file, Reading(**reading))


def test_other_columns_quotes_and_line_ends_stay(tmp_path, masked):
    source = table(tmp_path, '\ufeffid,text,n\r\n"1",Mr Smith,007\r\n2,"Mr ""S"" Smith,\r\n01/02/2012",  1.50 \r\n3,,')
    assert source.head().decode() == "\ufeffid,text,n\r\n"
    assert b"".join(masked(source)).decode() == ('"1",Mr [NAME],007\r\n2,"Mr ""S"" [NAME],\r\n[DATE]",  1.50 \r\n3,,\n')
    assert source.total() == 3


def test_tabs_and_declared_encodings(tmp_path, masked):
    raw = "id\ttext\n1\tSr. Muñoz, año\n".encode("cp1252")
    assert masked(table(tmp_path, raw, "n.tsv", encoding="cp1252")) == ["1\tSr. [NAME], año\n".encode("cp1252")]
    (failed,) = masked(table(tmp_path, raw, "n.tsv"))
    assert "byte 8 is no utf-8; it may be cp1252" in failed and "--encoding" in failed and "Mu" not in failed
    with pytest.raises(ConfigError, match="lines in utf-16 cannot be told apart"):
        table(tmp_path, raw, encoding="utf-16")


def test_columns_give_ids_and_patients(tmp_path):
    source = table(tmp_path, "key,text,mrn\nk-1,x,7\nk-2,y,\n", id_column="key", patient_column="mrn")
    assert [(n.id, dict(n.document.meta)) for n in source.notes()] == [("k-1", {"patient": "7"}), ("k-2", {})]


def test_a_missing_column_lists_those_there_are(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'text'; its columns: id, body$"):
        _ = table(tmp_path, "id,body\n").columns
    with pytest.raises(DataError, match=r"its columns: id;text; is it parted by another character \(--delimiter\)"):
        _ = table(tmp_path, "id;text\n").columns
    with pytest.raises(DataError, match=r"its columns: not shown, for they do not look like names$"):
        _ = table(tmp_path, 'a,"Mr. Smith, 54, was seen on 3/4/2012"\n').columns
    with pytest.raises(DataError, match="no column 'mrn'"):
        _ = table(tmp_path, "id,text\n", patient_column="mrn").columns
    with pytest.raises(DataError, match="two columns 'text'"):
        _ = table(tmp_path, "text,text\n").columns
    with pytest.raises(DataError, match="has no header"):
        _ = table(tmp_path, "").columns
    with pytest.raises(DataError, match="bare carriage return"):
        _ = table(tmp_path, "id,text\r1,x\r").columns


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ('1,a "quoted" Smith', "a quote inside a field"),
        ('1,"Smith"x', "a quote inside a field"),
        ("1", "has 1 fields; the header has 2"),
        ("1,Smith,2", "has 3 fields; the header has 2"),
        ("1,Smith\0", "NUL"),
        ("1," + "Smith " * 100, "longer than --max-note-mb allows"),
    ],
)
def test_a_bad_record_says_where_and_why_and_the_next_is_read(record, why, tmp_path, masked):
    source = table(tmp_path, f"id,text\n0,Smith\n{record}\n2,fine\n", max_bytes=100)
    first, bad, last = masked(source)
    assert (first, last) == (b"0,[NAME]\n", b"2,fine\n")
    assert why in bad and "record 2 (line 3)" in bad and "Smith" not in bad


def test_a_quote_in_an_open_field_spoils_its_own_record_alone(tmp_path, masked):
    source = table(tmp_path, 'id,text\n1,Mr Smith\n2,5" tall Smith\n3,Mr Smith\n')
    first, bad, last = masked(source)
    assert (first, last) == (b"1,Mr [NAME]\n", b"3,Mr [NAME]\n") and "record 2 (line 3): a quote inside a field" in bad


def test_a_record_of_empty_fields_is_one_whatever_parts_them(tmp_path):
    assert [note.document.text for note in table(tmp_path, "id\ttext\n1\ta\n\t\n\n2\tb\n", "n.tsv").notes()] == [
        "a",
        "",
        "b",
    ]


def test_a_quote_that_is_never_closed_fails_what_it_swallows(tmp_path, masked):
    first, bad = masked(table(tmp_path, 'id,text\n0,Smith\n1,"Smith\n2,fine\n'))
    assert first == b"0,[NAME]\n" and "record 2 (line 3): a quote that is not closed" in bad and "Smith" not in bad


def test_what_the_encoding_cannot_carry_fails_that_note(tmp_path, deidentifier):
    from dataclasses import replace

    source = table(tmp_path, "text\nSmith\n".encode("latin-1"), encoding="latin-1")
    (note,) = source.notes()
    result = replace(deidentifier.deidentify(note.document), text="Łukasz")
    with pytest.raises(DataError, match=r"latin-1 cannot write U\+0141 at character 0"):
        source.render(note, result)
