"""A note a file: folders with their subfolders, in each of three formats."""

import pytest

from deidlab.bulk.job import Job, run
from deidlab.bulk.notes import Reading
from deidlab.bulk.text_files import TextFile, TextFolder, folder_kind
from deidlab.corpora import brat, i2b2_2014
from deidlab.types import ConfigError, DataError, Document, Losses, Span

NOTE = Document("100-01", "Mr Smith\r\n\tseen  01/02/2012 \n", (Span(3, 8, "NAME"),))


def out_of(folder, kind, engine, tmp_path, **reading):
    source = TextFolder(folder, Reading(**reading), kind)
    return source, run(Job(source, tmp_path / "out", {}), engine)


def test_text_files_keep_their_names_subfolders_and_bytes(tmp_path, engine):
    folder = tmp_path / "in"
    (folder / "ward" / "b").mkdir(parents=True)
    (folder / "a.txt").write_bytes(NOTE.text.encode())
    (folder / "ward" / "b" / "n.txt").write_bytes("\ufeffSra. Muñoz\r".encode())
    (folder / "empty.txt").touch()
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7")
    (folder / ".DS_Store").touch()
    source, summary = out_of(folder, "txt", engine, tmp_path)
    written = {str(f.relative_to(tmp_path / "out")): f.read_bytes() for f in (tmp_path / "out").rglob("*.txt")}
    assert written == {
        "a.txt": b"Mr [NAME]\r\n\tseen  [DATE] \n",
        "ward/b/n.txt": "\ufeffSra. [NAME]\r".encode(),
        "empty.txt": b"",
    }
    assert (summary.notes, summary.failed, dict(source.ignored)) == (3, 0, {".pdf": 1, "hidden": 1})
    assert (tmp_path / "out" / "failed.jsonl").read_bytes() == b""
    assert {f.stat().st_mode & 0o77 for f in [tmp_path / "out", *(tmp_path / "out").rglob("*")]} == {0}


def test_brat_gets_the_annotations_of_the_output_and_none_of_the_input(tmp_path, engine):
    brat.write([NOTE], tmp_path / "in")
    out_of(tmp_path / "in", "brat", engine, tmp_path)
    (found,) = brat.read(tmp_path / "out", Losses())
    assert found.text == "Mr [NAME]\r\n\tseen  [DATE] \n"
    assert [(found.text[s.start : s.end], s.label) for s in found.spans] == [("[NAME]", "PATIENT"), ("[DATE]", "DATE")]


def test_xml_gets_the_annotations_of_the_output_and_none_of_the_input(tmp_path, engine):
    i2b2_2014.write([NOTE], tmp_path / "in")
    raw = (tmp_path / "in" / "100-01.xml").read_text()
    (tmp_path / "in" / "100-01.xml").write_text(raw.replace("</deIdi2b2>", "<KEPT>Smith</KEPT></deIdi2b2>"))
    source, _ = out_of(tmp_path / "in", "i2b2", engine, tmp_path)
    assert [n.document.meta for n in source.notes()] == [{"patient": "100"}]
    (found,) = i2b2_2014.read(tmp_path / "out" / "100-01.xml", Losses())
    assert [(found.text[s.start : s.end], s.label) for s in found.spans] == [("[NAME]", "PATIENT"), ("[DATE]", "DATE")]
    assert "Smith" not in (tmp_path / "out" / "100-01.xml").read_text()


def test_a_pattern_names_the_patient_of_a_file(tmp_path):
    (tmp_path / "p12").mkdir()
    (tmp_path / "p12" / "1.txt").touch()
    (note,) = TextFolder(tmp_path, Reading(patient_pattern=r"^p(\d+)/"), "txt").notes()
    assert note.document.meta == {"patient": "12"}


BAD = {
    b"%PDF-1.7 Smith": "is a PDF, no plain text",
    b"PK\x03\x04 Smith": "is a zip archive",
    b"\x01\x02Smith\x00\xff": "is binary .a NUL at byte 7",
    b"Mr Smith\0": "NUL at character 8",
    b"Mr Smith, Espa\xf1a": "byte 14 is no utf-8; it may be .*: declare --encoding",
    b"\xff\xfeS\0m\0i\0t\0h\0": "it begins like UTF-16: declare --encoding utf-16-le",
    b"Smith " * 100: "600 bytes are more than --max-note-mb allows",
    b"boom Smith": "^ValueError in deidentifier.py line",
}


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: raw[:12].decode("latin-1"))
def test_a_bad_file_is_named_and_the_others_are_done(raw, tmp_path, masked):
    import re

    (tmp_path / "bad.txt").write_bytes(raw)
    (tmp_path / "good.txt").write_bytes(b"Smith")
    reason, good = masked(TextFolder(tmp_path, Reading(max_bytes=500), "txt"))
    assert re.search(BAD[raw], reason) and "Smith" not in reason
    assert good == [("good.txt", b"[NAME]")]


def test_bad_xml_is_named(tmp_path, masked):
    (tmp_path / "a.xml").write_text("<deIdi2b2><TEXT>Smith</TEXT>")
    (tmp_path / "b.xml").write_text("<deIdi2b2><NOTE>Smith</NOTE></deIdi2b2>")
    (tmp_path / "c.xml").write_text('<!DOCTYPE x [<!ENTITY e "Smith">]><x><TEXT>&e;</TEXT></x>')
    reasons = masked(TextFolder(tmp_path, Reading(), "i2b2"))
    for reason, expected in zip(reasons, ("line 1", "has no TEXT element", "declares entities"), strict=True):
        assert expected in reason and "Smith" not in reason and "on_error" not in reason


def test_declared_encodings_come_back_byte_for_byte(tmp_path, engine):
    for encoding in ("cp1252", "utf-16-le", "utf-8-sig", "shift_jis"):
        text = "Smith ｱ テ" if encoding == "shift_jis" else "\ufeffMr Smith é" if "16" in encoding else "Mr Smith é"
        (tmp_path / "n.txt").write_bytes(text.encode(encoding))
        out = tmp_path / f"out-{encoding}.txt"
        run(Job(TextFile(tmp_path / "n.txt", Reading(encoding=encoding)), out, {}), engine)
        assert out.read_bytes() == text.replace("Smith", "[NAME]").encode(encoding)


def test_the_kind_of_a_folder_is_told_or_asked_for(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.txt and no \.xml \(no files\)"):
        folder_kind(tmp_path)
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match=r"\(\.csv\); tables are given as a file"):
        folder_kind(tmp_path)
    (tmp_path / "a.txt").touch()
    assert folder_kind(tmp_path) == "txt"
    (tmp_path / "a.ann").touch()
    assert folder_kind(tmp_path) == "brat"
    (tmp_path / "a.xml").touch()
    with pytest.raises(ConfigError, match="--format i2b2, brat or txt"):
        folder_kind(tmp_path)
