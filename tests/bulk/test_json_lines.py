"""The text of an object is replaced; every other byte of its line stays."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.bulk.json_lines import JsonLines, Row, members, spliced
from deidlab.bulk.notes import Reading

VALUES = st.sampled_from([None, True, -0.0, 1e300, 10**30, "", '"', "\\", "é", {"a": [1, {"b": "}"}]}, [], [[]], {}])
# Keys that describe the old text are tried by hand below.
OBJECTS = st.dictionaries(st.sampled_from(["a", 'quo"te', "é", "back\\slash", "", "n"]), VALUES, max_size=4)
TEXTS = st.text(st.sampled_from('aé"\\\n\t😀}{,: ') | st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None)
@given(OBJECTS, TEXTS, TEXTS, st.sampled_from([None, 1]), st.booleans(), st.integers(0, 5))
def test_all_but_the_text_stays_byte_for_byte(others, old, new, indent, ascii_only, place):
    items = list(others.items())
    items.insert(place, ("text", old))
    line = json.dumps(dict(items), ensure_ascii=ascii_only, indent=indent)
    row = Row(line, members(line))
    changed = spliced(row, "text", new, None)
    assert list(json.loads(changed).items()) == [(k, new if k == "text" else v) for k, v in items]
    at = line.index('"text": ') + len('"text": ')
    tail = line[at + len(json.dumps(old, ensure_ascii=ascii_only)) :]
    assert changed == line[:at] + json.dumps(new, ensure_ascii=False) + tail


def test_what_is_odd_but_legal_is_kept(tmp_path, masked):
    raw = '\ufeff{ "n": 1.50e3,"text" :"Mr Smith \\u00e9" , "big": 123456789012345678901234567890 }\r\n'
    file = tmp_path / "n.jsonl"
    file.write_bytes(raw.encode())
    (line,) = masked(JsonLines(file, Reading()))
    assert line.decode() == raw.replace('"Mr Smith \\u00e9"', '"Mr [NAME] é"')


def test_annotations_of_the_old_text_do_not_come_along(tmp_path, masked):
    file = tmp_path / "n.jsonl"
    file.write_text(
        '{"id": "a", "spans": [{"start": 3, "end": 8, "text": "Smith"}], "text": "Mr Smith", "label": "urgent"}\n'
        '{"id": "b", "text": "Mr Smith", "label": [[3, 8, "NAME"]], "text_tagged": "Mr <n>Smith</n>"}\n'
    )
    assert [json.loads(line) for line in masked(JsonLines(file, Reading()))] == [
        {"id": "a", "text": "Mr [NAME]", "label": "urgent"},
        {"id": "b", "text": "Mr [NAME]"},
    ]
    first, _ = masked(JsonLines(file, Reading(), spans=True))
    assert json.loads(first)["spans"] == [{"start": 3, "end": 9, "label": "PATIENT"}]


def test_the_patient_is_named_by_a_column_the_meta_or_the_id(tmp_path):
    file = tmp_path / "n.jsonl"
    file.write_text('{"id": "7-1", "text": "", "mrn": 12, "meta": {"patient": "p"}}\n')

    def patient(**reading):
        (note,) = JsonLines(file, Reading(**reading)).notes()
        return note.document.meta.get("patient")

    assert patient() == "p"
    assert patient(patient_column="mrn") == "12"
    assert patient(patient_column="absent", patient_pattern=r"^(\d+)-") == "7"


BAD = {
    b'{"text": "Smith \\ud800"}': "line 1: half of a UTF-16 pair at character 6",
    b'{"text": "Smith \\u0000"}': "line 1: NUL at character 6",
    b'{"text": 5}': "line 1: 'text' is a int; expected a string",
    b'{"body": "Smith"}': r"line 1: has no 'text'; its keys: body \(--text-column\)",
    b'{"Mr. Smith was seen, he is 54": 1}': "its keys: not shown, for they do not look like names",
    b'{"text": "Smith"': "line 1: is no JSON object",
    b'["Smith"]': "line 1: is no JSON object",
    b'{"text": "Smith"} {"text": "Smith"}': "line 1: is no JSON object",
    b'{"text": "Smith",}': "line 1: is no JSON object",
    b'{"text": "Smith", "text": "x"}': "line 1: has a key twice",
    b'{"text": "Mu\xf1oz Smith"}': "line 1: byte 12 is no utf-8; it may be .*: declare --encoding",
    b'{"text": "' + b"Smith " * 50 + b'"}': "line 1: is longer than --max-note-mb allows",
    b'{"text": ' + b"[" * 90_000: "line 1: is (no JSON object|longer)",
}


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: raw[:20].decode("latin-1"))
def test_a_bad_line_says_where_and_why_without_its_text_and_the_next_is_read(raw, tmp_path, masked):
    import re

    file = tmp_path / "n.jsonl"
    file.write_bytes(raw + b'\n\n{"text": "fine"}\n')
    source = JsonLines(file, Reading(max_bytes=200 if b"Smith Smith" in raw else 1 << 20))
    bad, good = masked(source)
    assert re.search(BAD[raw], bad) and "Smith" not in bad and "n.jsonl" in bad
    assert good == b'{"text": "fine"}\n'
    assert source.total() == 3


def test_a_null_text_stays_null_and_what_describes_it_goes(tmp_path, masked):
    (tmp_path / "n.jsonl").write_text('{"text": null, "text_tagged": "Mr Smith", "ward": 3}')
    assert masked(JsonLines(tmp_path / "n.jsonl", Reading())) == [b'{"text": null, "ward": 3}\n']
