"""A note and its spans in, a note that may be shared out."""

import os
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.consistency import propagate
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.redaction.taxonomy import taxonomy
from deidlab.types import ConfigError, DataError, Document, Span

KEY = b"correct horse battery"
I2B2 = Redactor(Policy.load("i2b2"), key=KEY)
EVERYTHING = Policy("everything", dict.fromkeys(taxonomy().groups, "redact"))
FRAGMENTS = st.sampled_from(
    (
        *("Mr. ", "John Smith", "JS", "3/4/2014", " 29/02/12", "March", "92", "-year-old", "\n", "a@b.org", "Boston"),
        *("(617) 555-0199", ", MA 02139", "Hospital", "www.x.com", "El ", "ñ", "王伟", "\ud83d", "\x00", "😀", "0"),
    )
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, min_size=1, max_size=10).map("".join))


@st.composite
def annotated_notes(draw) -> Document:
    text = draw(TEXTS.filter(bool))
    cuts = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=6))
    kinds = st.sampled_from(sorted(taxonomy().group_of))
    spans = tuple(Span(min(c), max(c), draw(kinds)) for c in cuts if c[0] != c[1])
    return Document("n", text, spans, {"patient": "p"})


def annotated(*parts: str | tuple[str, str], **meta: str) -> Document:
    text, spans = "", []
    for part in parts:
        shown, label = part if isinstance(part, tuple) else (part, None)
        if label:
            spans.append(Span(len(text), len(text) + len(shown), label))
        text += shown
    return Document("n", text, tuple(spans), {"patient": "p1", **meta})


def redacted(document: Document, preset: str, style: str | None = None) -> str:
    return Redactor(Policy.load(preset), style, KEY).redact(document, document.spans).text


@given(annotated_notes(), st.sampled_from(("mask", "mask_same_length", "remove", "tag")))
@settings(deadline=None)
def test_nothing_of_a_span_survives_and_everything_else_stays(document, style):
    out = Redactor(EVERYTHING, style).redact(document, document.spans)
    covered = {i for s in document.spans for i in range(s.start, s.end)}
    for i in set(range(len(document.text))) - covered:
        assert out.text[out.offsets.to_new(i)] == document.text[i]
        assert out.offsets.to_old(out.offsets.to_new(i)) == i
    rest = [ch for i, ch in enumerate(document.text) if i not in covered]
    if style == "remove":
        assert out.text == "".join(rest) and not out.spans
    if style == "mask_same_length":
        assert len(out.text) == len(document.text)
        assert all(out.text[i] != document.text[i] for i in covered)
    for span in out.spans:
        shown = out.text[span.start : span.end]
        assert style == "mask_same_length" or (shown[0], shown[-1]) == (("[", "]") if style == "mask" else ("<", ">"))


@given(annotated_notes(), st.sampled_from(("surrogate", "generalise")))
@settings(deadline=None, max_examples=150)
def test_surrogates_of_any_text_leave_everything_else_as_it_was(document, style):
    policy = Policy.load("i2b2" if style == "surrogate" else "hipaa_safe_harbor")
    out = Redactor(policy, "surrogate", KEY).redact(document, document.spans)
    covered = {i for s in document.spans for i in range(s.start, s.end)}
    for i in set(range(len(document.text))) - covered:
        assert out.text[out.offsets.to_new(i)] == document.text[i]
    assert out == Redactor(policy, "surrogate", KEY).redact(document, document.spans)


@given(annotated_notes())
@settings(deadline=None, max_examples=150)
def test_no_surrogate_is_what_it_stands_for(document):
    kinds = {"PATIENT", "CITY", "HOSPITAL", "MRN", "PHONE", "EMAIL", "STREET", "ORGANIZATION", "USERNAME", "ZIP", "URL"}
    spans = [s for s in document.spans if s.label in kinds][:1]
    out = Redactor(EVERYTHING, "surrogate", KEY).redact(document, spans)
    for old, new in zip(spans, out.spans, strict=True):
        assert out.text[new.start : new.end] != document.text[old.start : old.end]


NOTE = annotated(
    "Mr. ", ("John Smith", "PATIENT"), ", MRN ", ("1234567", "MEDICALRECORD"), ", ", ("92", "AGE"), "yo ",
    ("truck driver", "PROFESSION"), " of ", ("Boston", "CITY"), ", ", ("MA", "STATE"), " ", ("02139", "ZIP"), ", seen ",
    ("Tuesday 3/4/2014", "DATE"), " at ", ("10:30", "TIME"), " in ", ("Mercy Hospital", "HOSPITAL"), " < & >",
)  # fmt: skip


def test_safe_harbor():
    assert redacted(NOTE, "hipaa_safe_harbor") == (
        "Mr. [NAME], MRN [MRN], 90+yo [PROFESSION] of [CITY], MA 021, seen 2014 at 10:30 in [HOSPITAL] < & >"
    )


def test_limited_data_set():
    assert redacted(NOTE, "limited_data_set") == (
        "Mr. [NAME], MRN [MRN], 92yo [PROFESSION] of Boston, MA 02139, seen Tuesday 3/4/2014 at 10:30 in [HOSPITAL]"
        " < & >"
    )


def test_i2b2():
    out = I2B2.redact(NOTE, NOTE.spans)
    shown = {span.label: out.text[span.start : span.end] for span in out.spans}
    assert shown["AGE"] == "90+" and shown["TIME"] == "10:30"
    assert shown["DATE"].startswith("Tuesday ") and shown["DATE"] != "Tuesday 3/4/2014"
    assert shown["HOSPITAL"].endswith(" Hospital") and "Mercy" not in shown["HOSPITAL"]
    assert [span.label for span in out.spans] == [span.label for span in NOTE.spans]
    assert out.text.endswith(" < & >") and out.fallbacks == ()


def test_tags_number_equal_identifiers_alike():
    note = annotated(("Smith", "PATIENT"), " & ", ("Jones", "DOCTOR"), ", ", ("SMITH", "PATIENT"))
    assert redacted(note, "limited_data_set", "tag") == '<NAME id="1"/> & <NAME id="2"/>, <NAME id="1"/>'


def test_a_kept_span_keeps_nothing_that_another_takes_out():
    text = "at Smith Memorial Hospital today"
    spans = [Span(3, 26, "HOSPITAL"), Span(3, 8, "PATIENT")]
    out = Redactor(Policy(rules={"HOSPITAL": "keep", "NAME": "mask"})).redact(Document("n", text), spans)
    assert out.text == "at [NAME] Memorial Hospital today"
    assert [span.label for span in out.spans] == ["PATIENT"]
    kept = Redactor(Policy(rules={"HOSPITAL": "keep"})).redact(Document("n", text), [spans[0], Span(27, 32, "DATE")])
    assert kept.text == "at Smith Memorial Hospital [DATE]"
    assert [kept.text[s.start : s.end] for s in kept.spans] == ["Smith Memorial Hospital", "[DATE]"]


def test_spans_that_overlap_and_disagree_are_masked_whole():
    text = "call 3/4/2014 Smith"
    spans = [Span(5, 13, "DATE"), Span(9, 19, "PATIENT")]
    out = Redactor(Policy.load("i2b2"), key=KEY).redact(Document("n", text, meta={"patient": "p"}), spans)
    assert out.text == "call [NAME]"


def test_what_has_no_surrogate_is_masked_and_counted():
    note = annotated(("Christmas", "DATE"), " ", ("Иван", "PATIENT"), " ", ("AB+", "BLOOD_TYPE"))
    out = Redactor(EVERYTHING, "surrogate", KEY).redact(note, note.spans)
    assert out.text == "[DATE] [NAME] [TRAIT]"
    assert out.fallbacks == (
        ("DATE", "surrogate was not possible"),
        ("PATIENT", "surrogate was not possible"),
        ("BLOOD_TYPE", "surrogate was not possible"),
    )


def test_dates_need_a_patient_and_everything_else_does_not():
    note = Document("n9", "Smith 3/4/2014", (Span(0, 5, "PATIENT"), Span(6, 14, "DATE")))
    with pytest.raises(DataError, match="n9: dates are shifted by patient") as caught:
        I2B2.redact(note, note.spans)
    assert "Smith" not in str(caught.value)
    assert not I2B2.redact(note, note.spans[:1]).text.startswith(("Smith", "["))


def test_notes_of_a_patient_agree_and_those_of_others_do_not():
    one = annotated(("John Smith", "PATIENT"), " ", ("3/4/2014", "DATE"))
    two = annotated(("Jones", "DOCTOR"), " saw ", ("Mr. Smith", "PATIENT"), " ", ("3/11/2014", "DATE"))
    other = annotated(("John Smith", "PATIENT"), " ", ("3/4/2014", "DATE"), patient="p2")
    texts = [I2B2.redact(note, note.spans).text for note in (one, two, other)]
    assert texts[0].split()[1] == texts[1].split()[3]
    assert texts[0] != texts[2]


def test_further_names_of_the_patient_mend_misspellings():
    note = annotated(("Abernaty", "PATIENT"))
    right = annotated(("Abernathy", "PATIENT"))
    assert I2B2.redact(note, note.spans, ["Margaret Abernathy"]).text == I2B2.redact(right, right.spans).text


def test_keys_are_asked_for_before_any_note_and_never_shown():
    with pytest.raises(ConfigError, match="none was given"):
        Redactor(Policy.load("i2b2"))
    with pytest.raises(ConfigError, match="16 or more"):
        Redactor(Policy.load("hipaa_safe_harbor"), "surrogate", b"short")
    assert "horse" not in repr(I2B2)
    with pytest.raises(ConfigError, match="'hidden' is none of mask"):
        Redactor(Policy(), "hidden")


def test_spans_outside_the_text_are_an_error():
    with pytest.raises(DataError, match="PATIENT span 3-99"):
        I2B2.redact(Document("n", "Smith"), [Span(3, 99, "PATIENT")])


_SCRIPT = """
import pickle, sys
redactor, notes = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps([redactor.redact(n, n.spans).text for n in notes]))
"""


def test_the_same_bytes_in_any_order_and_any_process():
    notes = [
        NOTE,
        annotated(("María García", "PATIENT"), " ", ("Smith, J.", "DOCTOR"), " ", ("a.smith@x.org", "EMAIL")),
        annotated(("5 de mayo de 2014", "FECHAS"), " ", ("Hospital La Paz", "HOSPITAL"), " ", ("JS", "PATIENT")),
    ]
    here = [I2B2.redact(note, note.spans).text for note in notes]
    assert [I2B2.redact(note, note.spans).text for note in reversed(notes)] == here[::-1]
    for seed in ("0", "4711"):
        there = subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            input=pickle.dumps((I2B2, notes)),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
            capture_output=True,
            check=True,
        )
        assert pickle.loads(there.stdout) == here


def noted(lines: int) -> tuple[Document, list[Span]]:
    """A note with eight identifiers a line, hardly two of them alike, and where they stand."""
    rng, parts, spans, at = random.Random(lines), [], [], 0
    for number in range(lines):
        family = "".join(rng.choice(("ba", "ko", "mir", "tor", "val", "den", "sug", "fan")) for _ in range(5)).title()
        for shown, label in (
            (f"Ann {family}", "PATIENT"), (f"{family[0]}. B.", "DOCTOR"), (f"J. {family}", "DOCTOR"),
            (f"{family.lower()}@mail.com", "EMAIL"), ("3/4", "DATE"), (f"{1 + number % 12}/14/2012", "DATE"),
            (f"617-555-{number:05d}", "PHONE"), ("Springfield", "CITY"),
        ):  # fmt: skip
            spans.append(Span(at, at + len(shown), label))
            parts.append(f"{shown} ; ")
            at += len(parts[-1])
        parts.append(f"{family} ;\n")
        at += len(parts[-1])
    return Document("d", "".join(parts), meta={"patient": "p"}), spans


def test_work_grows_with_the_identifiers_of_a_note_and_not_with_their_square():
    took = {}
    for lines in (300, 300, 2400):  # the first to read the lists
        document, spans = noted(lines)
        began = time.process_time()
        redacted = Redactor(Policy.load("i2b2"), "surrogate", KEY).redact(document, propagate(document, spans))
        took[lines] = time.process_time() - began
        assert len(redacted.spans) == 9 * lines
    assert took[2400] < 24 * took[300], "eight times the note; what is quadratic takes sixty-four times as long"
