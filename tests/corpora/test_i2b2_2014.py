"""The XML of i2b2 2014 and MEDDOCAN."""

import pytest

from deidlab.corpora import brat, i2b2_2014
from deidlab.types import DataError, Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def test_i2b2_2014_takes_cdata_entities_and_elements_in_any_order(tmp_path):
    (tmp_path / "220-01.xml").write_text(
        "<deIdi2b2><TAGS><DATE id='P1' start='13' end='17' text='2014' TYPE='DATE' comment=''/>"
        "<NAME start='0' end='7' text='O&apos;Neil' TYPE='DOCTOR'/></TAGS>"
        "<TEXT>O'Neil&#160;&amp;<![CDATA[<co> 2014]]></TEXT></deIdi2b2>"
    )
    with pytest.raises(DataError, match="DOCTOR span 0-7"):
        list(i2b2_2014.read(tmp_path, Losses()))
    losses = Losses("count")
    (document,) = i2b2_2014.read(tmp_path, losses)
    assert document.text == "O'Neil\xa0&<co> 2014"
    assert (found(document), document.meta) == ([("2014", "DATE")], {"patient": "220"})


def test_a_line_break_in_an_xml_attribute_is_a_blank_and_no_mismatch(tmp_path):
    (tmp_path / "a.xml").write_bytes(
        b"<r><TEXT><![CDATA[Anna\r\nLee]]></TEXT><TAGS>"
        b'<NAME start="0" end="8" text="Anna\r\nLee" TYPE="DOCTOR"/></TAGS></r>'
    )
    (document,) = i2b2_2014.read(tmp_path, Losses())
    assert found(document) == [("Anna\nLee", "DOCTOR")]


def test_meddocan_is_the_same_in_both_of_its_formats(shared_data):
    for split, notes, spans in (("train", 500, 11333), ("dev", 250, 5801)):
        from_xml = list(i2b2_2014.read(shared_data / "meddocan" / split / "xml", Losses()))
        from_brat = list(brat.read(shared_data / "meddocan" / split / "brat", Losses()))
        assert from_xml == from_brat
        assert (len(from_xml), sum(len(d.spans) for d in from_xml)) == (notes, spans)


def test_overlapping_spans_are_annotation_and_stay(tmp_path):
    (tmp_path / "a.xml").write_text(
        "<r><TEXT>Anna Lee</TEXT><TAGS><NAME start='5' end='8' text='Lee' TYPE='DOCTOR'/>"
        "<NAME start='0' end='8' text='Anna Lee' TYPE='PATIENT'/><NAME start='5' end='8' TYPE='PATIENT'/></TAGS></r>"
    )
    (document,) = i2b2_2014.read(tmp_path, Losses())
    assert found(document) == [("Anna Lee", "PATIENT"), ("Lee", "DOCTOR"), ("Lee", "PATIENT")]


def test_the_parity_cases_have_no_faults(shared_data):
    for part in ("gold", "system"):
        notes = list(i2b2_2014.read(shared_data / "parity" / "i2b2_2014" / part, Losses()))
        assert len(notes) == 12 and notes[0].meta == {"patient": "100"}
