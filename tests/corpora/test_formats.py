"""What each reader makes of what people and tools write."""

import json
import traceback

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deidlab.corpora import brat, conll, i2b2_2006, i2b2_2014, jsonl, nemotron
from deidlab.types import ConfigError, DataError, Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def counts(losses):
    return {row["reason"]: row["count"] for row in losses.rows()}


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


def test_other_encodings_are_read_as_declared(tmp_path):
    content = '<?xml version="1.0" encoding="{}"?><ROOT><RECORD ID="1"><TEXT>Zoë</TEXT></RECORD></ROOT>'
    (tmp_path / "a.xml").write_bytes(content.format("ISO-8859-1").encode("latin-1"))
    assert [document.text for document in i2b2_2006.read(tmp_path, Losses())] == ["Zoë"]
    (tmp_path / "a.xml").write_bytes('<?xml version="1.0" encoding="UTF-16"?><r><TEXT>Zoë</TEXT></r>'.encode("utf-16"))
    assert [document.text for document in i2b2_2014.read(tmp_path, Losses())] == ["Zoë"]


def test_i2b2_2006_spans_come_from_inline_elements_nested_ones_too(tmp_path):
    (tmp_path / "train.xml").write_text(
        '<ROOT>\n<RECORD ID="7">\n<TEXT>Dr. <PHI TYPE="DOCTOR">Lee &amp; Co</PHI>, '
        '<PHI TYPE="HOSPITAL">St. <PHI TYPE="LOCATION">Bo</PHI></PHI>.</TEXT>\n</RECORD>\n'
        '<RECORD ID="8"><TEXT/></RECORD></ROOT>'
    )
    first, second = i2b2_2006.read(tmp_path, Losses())
    assert first.text == "Dr. Lee & Co, St. Bo."
    assert found(first) == [("Lee & Co", "DOCTOR"), ("St. Bo", "HOSPITAL"), ("Bo", "LOCATION")]
    assert (second.id, second.text) == ("8", "")


def test_brat_counts_what_has_no_span_and_what_is_discontinuous(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Anna Lee of\r\nBonn North and South America")
    (tmp_path / "a.ann").write_bytes(
        b"T1\tNAME 0 8\tAnna Lee\r\nT2\tPLACE 18 23;34 41\tNorth America\r\nT3\tPLACE 9 11;13 17\tof Bonn\r\n"
        b"R1\tIn Arg1:T1 Arg2:T3\r\nE1\tX:T1\r\nA1\tOld T1\r\nN1\tReference T1 W:1\tx\r\n"
        b"#1\tAnnotatorNotes T1\thm\r\n*\tEq T1 T3\r\n"
    )
    losses = Losses()
    (document,) = brat.read(tmp_path, losses)
    assert found(document) == [("Anna Lee", "NAME"), ("of\r\nBonn", "PLACE")]
    assert counts(losses) == dict.fromkeys(
        ("discontinuous_span", "relation", "event", "attribute", "normalisation", "note", "equivalence"), 1
    )


def test_brat_reads_bare_notes_when_told_that_they_are_not_annotated(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Anna\r\n")
    assert [(d.id, d.text, d.spans) for d in brat.read(tmp_path, Losses(), annotated=False)] == [("a", "Anna\r\n", ())]


SCHEMES = {
    "IO": ["I-N", "I-N", "O", "I-P", "O"],
    "BIO": ["B-N", "I-N", "O", "B-P", "O"],
    "BIOES": ["B-N", "E-N", "O", "S-P", "O"],
    "BILOU": ["B-N", "L-N", "O", "U-P", "O"],
    "bare": ["N", "N", "O", "P", "O"],
}


@pytest.mark.parametrize("tags", SCHEMES.values(), ids=SCHEMES)
def test_conll_schemes_are_detected_and_offsets_are_those_of_the_text(tmp_path, tags):
    words = ["Anna", "Lee", "of", "Bonn", "."]
    rows = [f"{word} NN x {tag}" for word, tag in zip(words, tags, strict=True)]
    (tmp_path / "a.conll").write_text("\n".join([*rows[:3], "", *rows[3:]]) + "\n")
    (document,) = conll.read(tmp_path, Losses())
    assert (document.id, document.text) == ("a", "Anna Lee of\nBonn .")
    assert found(document) == [("Anna Lee", "N"), ("Bonn", "P")]


def test_conll_documents_begin_at_docstart_and_lines_may_end_on_crlf(tmp_path):
    (tmp_path / "a.conll").write_bytes(
        b"-DOCSTART- -X- O O\r\n\r\nAnna B-N\r\n\r\n-DOCSTART- -X- O O\r\n\r\nLee\tI-N\r\n"
    )
    losses = Losses()
    first, second = conll.read(tmp_path, losses)
    assert [(d.id, d.text, found(d)) for d in (first, second)] == [
        ("a-1", "Anna", [("Anna", "N")]),
        ("a-2", "Lee", [("Lee", "N")]),
    ]
    assert counts(losses) == {"opened_by_inside": 1}


def test_conll_u_misc_says_where_no_blank_stands(tmp_path):
    (tmp_path / "a.conll").write_text("Anna\tSpaceAfter=No\tU-N\n,\tSpacesAfter=\\s\\s\tO\n7\t_\tO\n")
    (document,) = conll.read(tmp_path, Losses())
    assert (document.text, found(document)) == ("Anna,  7", [("Anna", "N")])


def test_conll_under_a_given_scheme_refuses_the_tags_of_another(tmp_path):
    (tmp_path / "a.conll").write_text("Anna S-N\n")
    with pytest.raises(DataError, match=r"a \(a.conll\): the tag in line 1 is none of BIO"):
        list(conll.read(tmp_path, Losses(), scheme="BIO"))
    with pytest.raises(ConfigError, match="expected one of IO, BIO, BIOES, BILOU"):
        list(conll.read(tmp_path, Losses(), scheme="BIOLU"))


TEXT = "😀 Anna of Bonn"
EXPORTS = {
    "own": {"id": "1", "text": TEXT, "spans": [{"start": 2, "end": 6, "label": "N"}], "meta": {"patient": 7}},
    "doccano": {"id": 1, "text": TEXT, "label": [[2, 6, "N"]], "patient": "7", "Comments": []},
    "doccano relations": {
        "id": 1, "text": TEXT, "relations": [], "patient": "7",
        "entities": [{"id": 9, "label": "N", "start_offset": 2, "end_offset": 6}],
    },
    "prodigy": {
        "text": TEXT, "spans": [{"start": 2, "end": 6, "label": "N", "token_start": 1}],
        "meta": {"id": "1", "patient": "7"},
        "_input_hash": 5, "_task_hash": 6, "answer": "accept",
    },
    "label studio": {
        "id": 1, "data": {"text": TEXT, "patient": "7"},
        "annotations": [
            {"was_cancelled": True, "result": []},
            {"result": [{"type": "labels", "value": {"start": 3, "end": 7, "text": "Anna", "labels": ["N"]}}]},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
@pytest.mark.parametrize("as_array", [False, True])
def test_exports_of_annotation_tools_are_recognised(tmp_path, export, as_array):
    content = json.dumps([export], indent=1) if as_array else json.dumps(export) + "\n"
    (tmp_path / "a.json").write_text(content)
    losses = Losses()
    (document,) = jsonl.read(tmp_path, losses)
    assert (document.id, document.text, found(document)) == ("1", TEXT, [("Anna", "N")])
    assert dict(document.meta) == ({"patient": "7", "id": "1"} if "answer" in export else {"patient": "7"})
    assert counts(losses) == {}


@pytest.mark.parametrize(("start", "end"), [(2, 6), (3, 7)], ids=["characters", "UTF-16 units"])
def test_label_studio_min_counts_in_either_unit(tmp_path, start, end):
    region = {"start": start, "end": end, "text": "Anna", "labels": ["N"]}
    row = {"id": 4, "text": TEXT, "label": [region], "annotator": 1, "annotation_id": 2}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (document,) = jsonl.read(tmp_path, Losses())
    assert found(document) == [("Anna", "N")]


def test_rejected_examples_and_other_annotators_are_counted(tmp_path):
    rejected = {**EXPORTS["prodigy"], "answer": "reject"}
    region = {"type": "labels", "value": {"start": 2, "end": 6, "labels": ["N"]}}
    twice = {
        "id": 2,
        "data": {"text": TEXT},
        "annotations": [{"result": []}, {"ground_truth": True, "result": [region]}],
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(rejected) + "\n" + json.dumps(twice))
    losses = Losses()
    (document,) = jsonl.read(tmp_path, losses)
    assert found(document) == [("Anna", "N")]
    assert counts(losses) == {"not_accepted": 1, "other_version": 1}


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


def test_meddocan_is_the_same_in_both_of_its_formats(shared_data):
    for split, notes, spans in (("train", 500, 11333), ("dev", 250, 5801)):
        from_xml = list(i2b2_2014.read(shared_data / "meddocan" / split / "xml", Losses()))
        from_brat = list(brat.read(shared_data / "meddocan" / split / "brat", Losses()))
        assert from_xml == from_brat
        assert (len(from_xml), sum(len(d.spans) for d in from_xml)) == (notes, spans)
