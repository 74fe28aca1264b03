"""Every fault of a corpus is an error that names its place, never the note; counted, it costs no other note."""

import json
import traceback

import pytest

from deidlab.corpora import brat, conll, i2b2_2006, i2b2_2014, jsonl, nemotron
from deidlab.types import DataError, Losses

SECRET = "Zyxomma"  # stands in every bad note below; no message may hold it


def xml(text, tags):
    return f"<deIdi2b2><TEXT><![CDATA[{text}]]></TEXT><TAGS>{tags}</TAGS></deIdi2b2>".encode()


def tag(start, end, text=SECRET, label="PATIENT"):
    return f'<NAME id="P7" start="{start}" end="{end}" text="{text}" TYPE="{label}"/>'


def line(**record):
    return (json.dumps(record) + "\n").encode()


GOOD = {
    i2b2_2014: {"good.xml": xml("Fine.", "")},
    i2b2_2006: {"good.xml": b'<ROOT><RECORD ID="good"><TEXT>Fine.</TEXT></RECORD></ROOT>'},
    brat: {"good.txt": b"Fine.", "good.ann": b""},
    conll: {"good.conll": b"-DOCSTART- id=good\n\nFine O\n. O\n"},
    jsonl: {"good.jsonl": line(id="good", text="Fine.", spans=[])},
}
ENTITY = b'<!DOCTYPE d [<!ENTITY e "Zyxomma">]><deIdi2b2><TEXT>&e;</TEXT></deIdi2b2>'
BILLION = b'<!DOCTYPE d [<!ENTITY a "Zyxomma"><!ENTITY b "&a;&a;">]><deIdi2b2><TEXT>&b;</TEXT></deIdi2b2>'
OUTSIDE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><deIdi2b2><TEXT>&x;</TEXT></deIdi2b2>'
UNREAD = b'<!DOCTYPE d SYSTEM "entities.dtd"><deIdi2b2><TEXT>Zyxomma &x;</TEXT></deIdi2b2>'
RECORD = b'<ROOT><RECORD ID="%s"><TEXT>Zyxomma %s</TEXT></RECORD></ROOT>'


def span(start, end, **more):
    return {"start": start, "end": end, "label": "PATIENT", **more}


def note(*spans, text=f"{SECRET} came."):
    return line(id="bad", text=text, spans=list(spans))


# reader, files beside the good ones, reason, what the message must say
CASES = {
    "xml out of range": (i2b2_2014, {"bad.xml": xml("x", tag(0, 7))}, "out_of_range", "bad, P7: .* 0-7 .*length 1"),
    "xml reversed": (i2b2_2014, {"bad.xml": xml(SECRET, tag(7, 0))}, "reversed_span", "bad, P7: PATIENT span 7-0"),
    "xml empty span": (i2b2_2014, {"bad.xml": xml(SECRET, tag(3, 3))}, "empty_span", "bad, P7: .*3-3 is empty"),
    "xml mismatch": (i2b2_2014, {"bad.xml": xml(f"a {SECRET}", tag(0, 7))}, "offset_mismatch", "bad, P7: .*0-7"),
    "xml duplicate": (i2b2_2014, {"bad.xml": xml(SECRET, tag(0, 7) * 2)}, "duplicate_span", "bad, P7: .*twice"),
    "xml no offsets": (i2b2_2014, {"bad.xml": xml(SECRET, '<AGE id="P7"/>')}, "malformed_span", "bad, P7: AGE needs"),
    "xml malformed": (i2b2_2014, {"bad.xml": xml(SECRET, "")[:-9]}, "malformed_xml", "bad: line 1, column .* mend"),
    "xml empty file": (i2b2_2014, {"bad.xml": b""}, "malformed_xml", "bad: line 1, column 0: no element found"),
    "xml no text": (i2b2_2014, {"bad.xml": b"<a><TAGS/></a>"}, "no_text", "bad: has no TEXT element"),
    "xml utf-8": (i2b2_2014, {"bad.xml": b"<a>Zyxomma \xe9</a>"}, "invalid_utf8", "bad: byte 11 is no UTF-8"),
    "xml encoding": (i2b2_2014, {"bad.xml": b'<?xml version="1.0" encoding="x-none"?><a/>'}, "malformed_xml", "bad: "),
    "xml entity": (i2b2_2014, {"bad.xml": ENTITY}, "xml_entities", "bad: declares entities"),
    "xml billion laughs": (i2b2_2014, {"bad.xml": BILLION}, "xml_entities", "bad: declares entities"),
    "xml external": (i2b2_2014, {"bad.xml": OUTSIDE}, "xml_entities", "bad: declares entities"),
    "xml external dtd": (i2b2_2014, {"bad.xml": UNREAD}, "malformed_xml", "bad: line 1, column"),
    "2006 malformed": (i2b2_2006, {"bad.xml": RECORD % (b"1", b"<PHI>")}, "malformed_xml", r"bad.xml, record 1 \(from"),
    "2006 no TYPE": (i2b2_2006, {"bad.xml": RECORD % (b"1", b"<PHI>x</PHI>")}, "no_label", "1: unlabelled span 8-9"),
    "2006 no record": (i2b2_2006, {"bad.xml": b"<a>Zyxomma</a>"}, "no_record", "bad.xml: holds no complete RECORD"),
    "2006 unclosed": (i2b2_2006, {"bad.xml": RECORD % (b"1", b"") + b"<RECORD>"}, "malformed_xml", "1 RECORD ele"),
    "brat lone ann": (brat, {"bad.ann": b""}, "ann_without_txt", "bad.ann has no bad.txt"),
    "brat lone txt": (brat, {"bad.txt": b"Zyxomma"}, "txt_without_ann", "bad.txt has no bad.ann"),
    "brat utf-8": (brat, {"bad.txt": b"Zyxomma\xff", "bad.ann": b""}, "invalid_utf8", "bad.txt: byte 7"),
    "brat line": (brat, {"bad.txt": b"x", "bad.ann": b"\nZyxomma"}, "malformed_annotation", "bad.ann line 2"),
    "brat range": (brat, {"bad.txt": b"x", "bad.ann": b"T1\tA 0 7\tZyxomma"}, "out_of_range", "bad, line 1: A .*0-7"),
    "brat mismatch": (
        brat, {"bad.txt": b"a Zyxomma", "bad.ann": b"T1\tA 0 7\tZyxomma"}, "offset_mismatch", "bad, line 1: A .*0-7",
    ),
    "conll row": (conll, {"bad.conll": b"-DOCSTART- id=b\n\nZyxomma\n"}, "malformed_row", r"b \(bad.conll\), line 3"),
    "conll schemes": (conll, {"bad.conll": b"Zyxomma S-A\nx U-A\n"}, "mixed_schemes", "bad.conll: has tags of BIOES"),
    "conll bare": (conll, {"bad.conll": b"Zyxomma B-A\nx A\n"}, "bad_tag", r"bad \(bad.conll\): the tag in line 2"),
    "conll text": (conll, {"bad.conll": b"1\tZyxomma came\n2\tO\n"}, "no_tags", "bad.conll: its last column"),
    "conll swapped": (conll, {"bad.conll": b"B-A Zyxomma\nO came\n"}, "no_tags", "bad.conll: its last column holds no"),
    "conll labels": (conll, {"bad.conll": b"Zyxomma E-MAIL\nx O\n"}, "no_begin", "bad.conll: has tags that end a span"),
    "conll empty": (conll, {"bad.conll": b"\n"}, "empty_file", "bad.conll: is empty"),
    "conll utf-8": (conll, {"bad.conll": b"Zyxomma\xff O\n"}, "invalid_utf8", "bad.conll: byte 7"),
    "jsonl utf-8": (jsonl, {"bad.jsonl": b"\n\"Zyxomma\xff\"\n"}, "invalid_utf8", "bad.jsonl, line 2: byte 8"),
    "jsonl malformed": (jsonl, {"bad.jsonl": b'{"text": "Zyxomma'}, "malformed_json", "bad.jsonl, line 1, char.* 9"),
    "jsonl number": (jsonl, {"bad.jsonl": b"9" * 5000}, "malformed_json", "bad.jsonl, line 1: .*too large"),
    "jsonl empty": (jsonl, {"bad.jsonl": b"\n"}, "empty_file", "bad.jsonl: is empty"),
    "jsonl null": (jsonl, {"bad.jsonl": b"null\n"}, "malformed_record", "bad.jsonl, line 1: "),
    "jsonl no notes": (jsonl, {"bad.json": b"[]"}, "empty_file", "bad.json: is an empty array"),
    "studio region": (
        jsonl,
        {"bad.jsonl": line(data={"text": SECRET}, annotations=[{"result": [{"type": "labels", "value": SECRET}]}])},
        "malformed_record", "bad.jsonl, line 1: ",
    ),
    "studio no label": (
        jsonl,
        {"bad.jsonl": line(data={"text": SECRET}, annotations=[
            {"result": [{"type": "labels", "value": {"start": 0, "end": 7, "labels": []}}]}])},
        "malformed_record", "bad.jsonl, line 1: span 1 needs",
    ),
    "prodigy spans": (
        jsonl, {"bad.jsonl": line(text=SECRET, spans=5, answer="accept", _input_hash=1)}, "malformed_record",
        "bad.jsonl, line 1: ",
    ),
    "doccano relations": (
        jsonl, {"bad.jsonl": line(id=1, text=SECRET, entities=[], relations=7)}, "malformed_record",
        "bad.jsonl, line 1: ",
    ),
    "jsonl no spans": (jsonl, {"bad.jsonl": line(text=SECRET)}, "malformed_record", "bad.jsonl, line 1: .*no list of"),
    "jsonl no text": (jsonl, {"bad.jsonl": line(note=SECRET)}, "malformed_record", "bad.jsonl, line 1: expected"),
    "jsonl offset": (jsonl, {"bad.jsonl": note(span("0", 7))}, "malformed_record", "bad.jsonl, line 1: span 1 needs"),
    "jsonl bool": (jsonl, {"bad.jsonl": note(span(True, 7))}, "malformed_record", "bad.jsonl, line 1: span 1 needs"),
    "jsonl surrogate": (jsonl, {"bad.jsonl": note(text=f"{SECRET}\ud83d")}, "lone_surrogate", "line 1: .*character 7"),
    "jsonl negative": (jsonl, {"bad.jsonl": note(span(-3, 2))}, "out_of_range", "bad, span 1: PATIENT span -3-2"),
    "jsonl mismatch": (jsonl, {"bad.jsonl": note(span(1, 8, text=SECRET))}, "offset_mismatch", "bad, span 1: .*1-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_an_error_that_names_the_place_or_is_counted_alone(tmp_path, case):
    module, files, reason, message = CASES[case]
    for name, content in {**GOOD[module], **files}.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        list(module.read(tmp_path, Losses("raise")))
    assert SECRET not in "".join(traceback.format_exception(error.value))
    losses = Losses("count")
    assert "good" in [document.id for document in module.read(tmp_path, losses)]
    assert [row["reason"] for row in losses.rows() if row["reason"] != "no_tags_element"] == [reason]
    assert sum(row["count"] for row in losses.rows() if row["reason"] == reason) == 1


def test_a_faulty_span_costs_only_itself(tmp_path):
    (tmp_path / "a.xml").write_bytes(xml("Anna Lee", tag(0, 4, "Anna") + tag(5, 99, "Lee") + tag(5, 8, "Lee")))
    losses = Losses("count")
    (document,) = i2b2_2014.read(tmp_path, losses)
    assert [(s.start, s.end) for s in document.spans] == [(0, 4), (5, 8)]
    assert losses.rows() == [{"reason": "out_of_range", "label": "PATIENT", "count": 1}]


@pytest.mark.parametrize("module", [*GOOD, nemotron])
def test_a_missing_path_and_an_empty_folder_are_errors_even_when_faults_are_counted(tmp_path, module):
    with pytest.raises(DataError, match=r"does not exist; expected a file or a folder of"):
        list(module.read(tmp_path / "none", Losses("count")))
    with pytest.raises(DataError, match=r"holds no \*\."):
        list(module.read(tmp_path, Losses("count")))


def test_an_empty_folder_says_where_files_are(tmp_path):
    (tmp_path / "set1").mkdir()
    (tmp_path / "set1" / "a.xml").write_bytes(xml("x", ""))
    with pytest.raises(DataError, match=r"there are some in set1: name these in data.splits"):
        list(i2b2_2014.read(tmp_path, Losses()))


@pytest.mark.parametrize("module", [brat, conll, jsonl])
def test_byte_order_marks_do_not_shift_spans(tmp_path, module):
    files = {
        brat: {"a.txt": "\ufeffAnna came", "a.ann": "\ufeffT1\tN 0 4\tAnna\n"},
        conll: {"a.conll": "\ufeffAnna B-N\ncame O\n"},
        jsonl: {"a.jsonl": '\ufeff{"id": "a", "text": "Anna came", "spans": [{"start": 0, "end": 4, "label": "N"}]}\n'},
    }[module]
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    losses = Losses()
    (document,) = module.read(tmp_path, losses)
    assert (document.text, [document.text[s.start : s.end] for s in document.spans]) == ("Anna came", ["Anna"])
    assert {row["reason"] for row in losses.rows()} == {"bom"}
