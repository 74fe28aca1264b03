"""An inspection finds every fault planted in a corpus of clean notes, where it was planted, and nothing else."""

import json
import re
from collections import Counter
from dataclasses import fields

import pytest

from deidlab.corpora import brat, jsonl
from deidlab.corpora.reading import Reading
from deidlab.inspection.findings import CODES
from deidlab.inspection.inspecting import inspect
from deidlab.inspection.page import write
from deidlab.labels import LabelSet
from deidlab.synthesis.noise import Noise
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.stream import generate
from deidlab.systems.rules import RulesSystem
from deidlab.types import DataError, Document, Span

MARKED = re.compile(r"\[(?P<text>[^|\]]*)\|(?P<label>[^\]]*)\]")


def record(note_id, marked, *more, **fields):
    """`[Anna Lee|NAME] came` as a record of our schema; `more` are spans beside those marked."""
    text, spans = "", []
    for piece in re.split(r"(\[[^|\]]*\|[^\]]*\])", marked):
        if found := MARKED.fullmatch(piece):
            spans.append({"start": len(text), "end": len(text) + len(found["text"]), "label": found["label"]})
            text += found["text"]
        else:
            text += piece
    meta = fields.pop("meta", {"patient": note_id})
    return {"id": note_id, "text": text, "spans": [*spans, *more], "meta": meta, **fields}


def span(start, end, label="patient_name", **more):
    return {"start": start, "end": end, "label": label, **more}


STORY = (
    "The wound on the left shin has closed well since the last visit and there is no sign of infection today. Walking "
    "is free of pain, stairs are managed with a rail, and sleep is undisturbed. We agreed to stop the dressing, to go "
    "on with the exercises twice a day, and to look at it once more when the stitches have been out for a while. Blood "
    "pressure was a little high at first and normal after some rest, so nothing was changed for now."
)
OTHER = STORY.replace("left shin", "right elbow").replace("Walking", "Lifting").replace("stairs", "shelves")

# code -> the notes it is planted in, train first; the finding is expected in the last of them, unless named.
PLANTED = {
    "out_of_range": [record("p01", "He came today.", span(3, 99))],
    "reversed_span": [record("p02", "Mr Orwin came.", span(8, 3))],
    "empty_span": [record("p03", "Mr Orwin came.", span(3, 3))],
    "offset_mismatch": [record("p04", "Mr Orwin came.", span(2, 7, text="Orwin"))],
    "duplicate_span": [record("p05", "Mr [Orwin|patient_name] came.", span(3, 8))],
    "no_label": [record("p06", "Mr Orwin came.", span(3, 8, ""))],
    "blank_edge": [record("p07", "Mr[ Orwin|patient_name] came.")],
    "punctuation_edge": [record("p08", "Seen by Mr [Orwin,|patient_name] who is fine.")],
    "half_word": [record("p09", "Mr [Orw|patient_name]in came.")],
    "two_labels": [record("p10", "Seen in [Ostwick|city] then.", span(8, 15, "hospital"))],
    "nested": [record("p11", "Seen in [Ostwick Infirmary|hospital] then.", span(8, 15, "city"))],
    "crossing": [record("p12", "Seen in [Ostwick Infirmary|hospital] Lane.", span(16, 30, "street_address"))],
    "very_long": [record("p13", f"[{STORY[:150].rstrip()}|other_identifier]")],
    "spans_paragraphs": [record("p14", "[Ostwick\n\nInfirmary|hospital] again.")],
    "unannotated_repeat": [record("p15", "[Thaddeus Quimby|patient_name] came. Later Quimby left.")],
    "empty_document": [record("p16", " \n")],
    "no_annotations": [record("p17", "Nothing to report.")],
    "damaged_characters": [record("p18", "[JosÃ© Pardo|patient_name] came.")],
    "control_characters": [record("p19", "[Orla Pym|patient_name]\x00 came.")],
    "likely_missed": [record("p20", "Call 617-555-0132 [today|date].")],
    "duplicate": [
        record("p21", f"[Ada Fenn|patient_name]. {STORY}"),
        record("p22", f"[Ada Fenn|patient_name].  {STORY}"),
    ],
    "near_duplicate": [
        record("p23", f"[Bo Krill|patient_name]. {OTHER} {OTHER[::-1]}"),
        record("p24", f"[Cy Dunmore|patient_name]. {OTHER} {OTHER[::-1]}"),
    ],
    "unknown_label": [record("p25", "[Ostwick|Ort] again.")],
    "label_variant": [record("p26", "[Ostwick|City] once more.")],
    "rare_label": [record("p27", "[AB-CDE-12345|vehicle_id] seen.")],
    "no_patient": [record("p28", "[Orwin|patient_name] was seen.", meta={})],
    "annotators_disagree": [
        {"id": "p29", "data": {"text": "Mr Orwin came."}, "annotations": [
            {"result": [{"type": "labels", "value": {"start": 3, "end": 8, "labels": ["patient_name"]}}]},
            {"result": []},
        ]},
    ],
    "not_text": [{"id": "p30", "data": {"audio": "/data/upload/a.wav"}, "annotations": [{"result": []}]}],
}  # fmt: skip
# Faults that need notes in two splits, or many mentions: (train notes, test notes).
ACROSS = {
    "duplicate_across_splits": ([record("q1", f"[May Toll|patient_name]! {STORY[::-1]}")],
                                [record("q2", f"[May Toll|patient_name]! {STORY[::-1]}")]),
    "near_duplicate_across_splits": ([record("q3", f"[Al Brook|patient_name]: {OTHER.upper()} {STORY[:200]}")],
                                     [record("q4", f"[Jo Strand|patient_name]: {OTHER.upper()} {STORY[:200]}")]),
    "patient_across_splits": ([record("q5", "[Orwin|patient_name] once.", meta={"patient": "Z"})],
                              [record("q6", "[Orwin|patient_name] twice.", meta={"patient": "Z"})]),
    "duplicate_id": ([record("q7", "[Orwin|patient_name] this.", meta={"patient": "q7a"})],
                     [record("q7", "[Orwin|patient_name] that.", meta={"patient": "q7b"})]),
    "inconsistent_label": ([*(record(f"r{n}", f"Seen at [Hexley Grange|hospital], day {n}.") for n in range(12)),
                            record("r12", "At [Hexley Grange|patient_name] too.")], []),
    "annotated_elsewhere": ([record("s1", "[Today|date] nobody was at Hexley Grange.")], []),
}  # fmt: skip
KNOWN = {  # what a label map would know: all labels of the synthetic notes, and those of the planted ones but one
    "other_identifier", "hospital", "city", "patient_name", "street_address", "date", "City", "vehicle_id",
}  # fmt: skip


@pytest.fixture(scope="module")
def clean():
    silent = Noise(**{kind.name: 0.0 for kind in fields(Noise)})  # a dropped blank would be a half word, and found
    return list(generate(Settings(noise=silent, cultures=None), 60, 5))


def lines(records):
    return "".join(json.dumps(one) + "\n" for one in records)


@pytest.fixture(scope="module")
def planted(clean, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    train = [one for notes in PLANTED.values() for one in notes] + [
        one for notes, _ in ACROSS.values() for one in notes
    ]
    test = [one for _, notes in ACROSS.values() for one in notes]
    (folder / "train.jsonl").write_text("".join(map(jsonl.to_line, clean[:45])) + lines(train))
    (folder / "test.jsonl").write_text("".join(map(jsonl.to_line, clean[45:])) + lines(test))
    known = KNOWN | {s.label for d in clean for s in d.spans}
    return inspect(folder, Reading(), labels=LabelSet("known", tuple(known)), systems=[OnlyPhones()], few=2)


class OnlyPhones(RulesSystem):
    """Our rules for telephone numbers, which clean synthetic notes annotate without exception."""

    def predict(self, documents):
        for prediction in super().predict(documents):
            spans = tuple(s for s in prediction.spans if s.label == "PHONE")
            yield type(prediction)(prediction.document_id, spans, prediction.fingerprint)


def told(inspection):
    """(code, note) of all findings, readers' faults by the note that their place names."""
    rows = []
    for finding in inspection.findings:
        rows.append((finding.code, finding.document_id or finding.label or finding.detail.split(":")[0]))
    return rows


def test_every_planted_fault_is_found_where_it_is_and_nothing_else(planted):
    train_line = 45 + [code for code, notes in PLANTED.items() for _ in notes].index("not_text") + 1
    special = {
        "unknown_label": ["Ort"], "label_variant": ["City"], "not_text": None,
        "patient_across_splits": ["q5", "q6"], "near_duplicate": ["p24"], "annotated_elsewhere": ["s1"],
    }  # fmt: skip
    expected = Counter()
    for code, notes in PLANTED.items():
        expected.update((code, one) for one in special.get(code, [notes[-1]["id"]]) or ())
    for code, (train, test) in ACROSS.items():
        expected.update((code, one) for one in special.get(code, [(test or train)[-1]["id"]]))
    found = Counter(told(planted))
    (media,) = (place for code, place in found if code == "not_text")
    assert media.endswith(f"train.jsonl, line {train_line}")
    about_labels = {"rare_label", "no_annotations", "not_text", "no_patient", "absent_type"}
    assert {key: n for key, n in found.items() if key[0] not in about_labels} == {
        key: n for key, n in expected.items() if key[0] not in about_labels
    }
    assert ("rare_label", "vehicle_id") in found
    assert ("no_annotations", "p17") in found and ("no_patient", "p28") in found
    assert len({code for code, _ in found}) >= 30


def test_a_finding_points_at_its_characters(planted):
    shown = {f.code: planted.documents[f.split, f.document_id].text[f.start : f.end] for f in planted.findings
             if f.start >= 0 and (f.split, f.document_id) in planted.documents}  # fmt: skip
    assert shown["unannotated_repeat"] == "Quimby"
    assert shown["annotated_elsewhere"] == shown["inconsistent_label"] == "Hexley Grange"
    assert shown["likely_missed"] == "617-555-0132"
    assert shown["damaged_characters"] == "Ã©"


def test_clean_notes_raise_no_alarm(clean, tmp_path):
    brat.write(clean, tmp_path / "brat")
    inspection = inspect(tmp_path / "brat", Reading())
    assert inspection.formats == ("brat",)
    assert [f for f in inspection.findings if f.severity != "note"] == []
    assert inspection.losses == []
    assert sum(row["mentions"] for row in inspection.labels) == sum(len(d.spans) for d in clean)
    assert {one.unit: one.total for one in inspection.lengths}["characters"] == sum(len(d.text) for d in clean)


def test_text_is_shown_to_those_who_ask_and_to_no_one_else(planted, tmp_path):
    for show, folder in ((False, tmp_path / "silent"), (True, tmp_path / "open")):
        write(planted, folder, "Inspection", show)
        for name in ("inspection.json", "inspection.html"):
            content = (folder / name).read_text("utf-8")
            assert ("Quimby" in content, "Hexley" in content) == (show, show), name
            assert (folder / name).stat().st_mode & 0o777 == 0o600
    rows = json.loads((tmp_path / "silent" / "inspection.json").read_text())["findings"]
    assert {row["code"] for row in rows} >= set(CODES) - {"no_annotations", "discontinuous_span"}
    assert "Quimby" not in repr(planted)


def test_notes_of_two_splits_that_share_an_id_keep_their_findings_apart(tmp_path):
    """Exports count their notes from 1, in each split anew."""
    (tmp_path / "train.jsonl").write_text(lines([record("1", "Mr [Orw|patient_name]in came.", meta={})]))
    twice = [record("1", told, meta={}) for told in ("Sound: [Ada Fenn|patient_name].", "Mr[ Pym|patient_name] left.")]
    (tmp_path / "test.jsonl").write_text(lines(twice))
    inspection = inspect(tmp_path, Reading(), few=1)
    assert {(f.code, f.split, f.document_id) for f in inspection.findings if f.code != "duplicate_id"} == {
        ("half_word", "train", "1"), ("blank_edge", "test", "1"),
    }  # fmt: skip
    write(inspection, tmp_path / "page", "Inspection", show_text=True)
    rows = json.loads((tmp_path / "page" / "inspection.json").read_text())["findings"]
    quoted = {row["code"]: row.get("text") for row in rows}
    assert quoted["half_word"] == "Orw"
    assert quoted["blank_edge"] is None, "two notes of this split have the id: neither is quoted for the other"


def test_labels_are_held_against_a_label_set_by_all_their_names(tmp_path):
    note = Document("a", "Anna Ruiz, x", (Span(0, 9, "NOMBRE_SUJETO_ASISTENCIA"), Span(11, 12, "Etwas")))
    jsonl.write([note], tmp_path / "a.jsonl")
    labels = LabelSet("two", ("PATIENT", "CITY"), maps={"meddocan": {"NOMBRE_SUJETO_ASISTENCIA": "PATIENT"}})
    for settings in ({"labels": labels}, {"mapping": {"NOMBRE_SUJETO_ASISTENCIA": "PATIENT", "X": "CITY", "Y": "O"}}):
        found = inspect(tmp_path, Reading(), few=1, **settings).findings
        assert [(f.code, f.label) for f in found] == [("unknown_label", "Etwas"), ("absent_type", "CITY")]


def test_what_cannot_be_read_at_all_is_an_error_that_says_why(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Zyxomma"}\n')
    with pytest.raises(DataError, match=r"holds no note that could be read: .*line 1: has a text but no list") as error:
        inspect(tmp_path, Reading())
    assert "Zyxomma" not in str(error.value)


def test_meddocan_is_inspected_in_seconds(shared_data):
    import time

    began = time.process_time()
    inspection = inspect(shared_data / "meddocan" / "train" / "brat", Reading())
    assert time.process_time() - began < 20
    assert inspection.splits == {"": 500}
    assert inspection.number("fault") == 0
    # A patient's name that the gold has missed: one of the few, and real.
    assert any(
        f.code == "unannotated_repeat" and f.document_id == "S1130-05582008000400004-5" for f in inspection.findings
    )


def test_a_corpus_of_one_sound_note_has_no_findings(tmp_path):
    note = Document("a", "Anna Lee came", (Span(0, 8, "NAME"),), {"patient": "1"})
    jsonl.write([note], tmp_path / "a.jsonl")
    inspection = inspect(tmp_path, Reading(), few=1)
    assert inspection.labels == [{"label": "NAME", "mentions": 1, "notes": 1, "different": 1}]
    assert inspection.findings == [] and inspection.by_code() == []
