"""write -> read gives back the same documents, byte for byte in text, in every format that can carry them."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidlab.corpora import brat, cas, conll, i2b2_2006, i2b2_2014, jsonl, writing
from deidlab.types import DataError, Document, Losses, Span

# What has broken offsets before: astral characters, combining marks, every line end, tabs, NUL, markup, a byte-order
# mark, separators that `str.splitlines` would cut at.
HARD = [
    "😀", "𝒜", "e\u0301", "ñ", "\r\n", "\r", "\n", "\t", "\0", " ", "  ", "]]>", "<b>", "&amp;", '"', "\\n", "\ufeff",
    "\u2028", "\x85", "\x0b", "\xa0", "#", "-DOCSTART-", "Anna", "7B", ".",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(HARD) | st.text(st.characters(codec="utf-8"), max_size=3), max_size=12).map("".join)
LABELS = st.sampled_from(["PATIENT", "LOCATION-OTHER", "FECHAS", "B-x"])


@st.composite
def documents(draw):
    text = draw(TEXTS)
    spans = set()
    for _ in range(draw(st.integers(0, 3)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        spans.add(Span(start, draw(st.integers(start + 1, len(text))), draw(LABELS)))
    return Document("220-01", text, tuple(sorted(spans)))


def through(tmp_path_factory, module, document, name):
    place = tmp_path_factory.mktemp("notes") / name
    module.write([document], place)
    (again,) = module.read(place, Losses())
    return again


fast = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("module", "name"), [(brat, "folder"), (jsonl, "notes.jsonl")])
@fast
@given(documents())
def test_brat_and_jsonl_carry_every_text(tmp_path_factory, module, name, document):
    again = through(tmp_path_factory, module, document, name)
    assert (again.id, again.text, again.spans) == (document.id, document.text, document.spans)


@fast
@given(documents())
def test_xml_carries_every_text_or_names_the_character_it_cannot(tmp_path_factory, document):
    forbidden = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", document.text)
    if forbidden:
        with pytest.raises(DataError, match=f"220-01: U\\+{ord(forbidden[0]):04X} at character {forbidden.start()}"):
            i2b2_2014.to_xml(document)
    else:
        again = through(tmp_path_factory, i2b2_2014, document, "folder")
        assert (again.id, again.text, again.spans) == (document.id, document.text, document.spans)


@pytest.mark.parametrize("scheme", ["IO", "BIO", "BIOES", "BILOU"])
@fast
@given(document=documents())
def test_conll_carries_a_document_or_refuses_it(tmp_path_factory, scheme, document):
    blanks = " \t\r\n"
    spans = document.spans
    refused = (
        (document.text and not document.text.strip(blanks))
        or any(a.end > b.start for a, b in pairwise(spans))
        or any(document.text[s.start] in blanks or document.text[s.end - 1] in blanks for s in spans)
        or any(
            scheme == "IO" and a.label == b.label and not document.text[a.end : b.start].strip(blanks)
            for a, b in pairwise(spans)
        )
    )
    if refused:
        with pytest.raises(DataError, match=r"columns cannot carry|IO cannot tell"):
            conll.to_conll(document, scheme)
        return
    place = tmp_path_factory.mktemp("notes") / "notes.conll"
    conll.write([document], place, scheme)
    (again,) = conll.read(place, Losses(), scheme=scheme)
    assert (again.id, again.text, again.spans) == (document.id, document.text, document.spans)


def test_an_empty_note_and_many_notes_come_back(tmp_path):
    notes = [Document("a", ""), Document("b", "Anna\r\n", (Span(0, 4, "NAME"),)), Document("c", "")]
    for module, name in ((brat, "brat"), (i2b2_2014, "xml"), (conll, "n.conll"), (jsonl, "n.jsonl")):
        module.write(notes, tmp_path / name)
        assert [(d.id, d.text, d.spans) for d in module.read(tmp_path / name, Losses())] == [
            (d.id, d.text, d.spans) for d in notes
        ]


@pytest.mark.parametrize("module", [brat, i2b2_2014])
@pytest.mark.parametrize("bad_id", ["", "../up", "a\\b", ".hidden", "a\0b", "x" * 300])
def test_ids_that_are_no_file_names_are_refused(tmp_path, module, bad_id):
    with pytest.raises(DataError, match="is no file name"):
        module.write([Document(bad_id, "x")], tmp_path / "out")
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize(("module", "name"), [(brat, "d"), (i2b2_2014, "d"), (conll, "d.conll"), (jsonl, "d.jsonl")])
def test_a_lone_surrogate_is_refused_by_every_writer(tmp_path, module, name):
    with pytest.raises(DataError, match=r"note-1: (lone surrogate|U\+D83D) at character 4") as error:
        module.write([Document("note-1", "Anna\ud83d")], tmp_path / name)
    assert "Anna" not in str(error.value)


@pytest.mark.parametrize("module", [brat, i2b2_2014])
def test_two_documents_of_one_id_never_overwrite_each_other(tmp_path, module):
    with pytest.raises(DataError, match=r"a: .* exists already"):
        module.write([Document("a", "one"), Document("a", "two")], tmp_path / "out")


@pytest.mark.parametrize("label", ["", "MY LABEL"])
def test_labels_that_standoff_and_columns_cannot_carry_are_refused(tmp_path, label):
    document = Document("a", "Anna", (Span(0, 4, label),))
    with pytest.raises(DataError, match="brat cannot carry"):
        brat.to_ann(document)
    with pytest.raises(DataError, match="columns cannot carry"):
        conll.to_conll(document)


def test_written_notes_are_readable_by_their_owner_only(tmp_path):
    i2b2_2014.write([Document("a", "Anna")], tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "out" / "a.xml").stat().st_mode & 0o777 == 0o600


def test_jsonl_keeps_meta_and_scores(tmp_path):
    document = Document("a", "Anna", (Span(0, 4, "NAME", 0.5),), {"patient": "7", "culture": "es"})
    jsonl.write([document], tmp_path / "n.jsonl")
    (again,) = jsonl.read(tmp_path / "n.jsonl", Losses())
    assert (again.meta, again.spans[0].score) == (document.meta, 0.5)
    assert json.loads((tmp_path / "n.jsonl").read_text())["spans"] == [
        {"start": 0, "end": 4, "label": "NAME", "score": 0.5}
    ]


def test_real_notes_come_back_from_every_format(shared_data, tmp_path):
    notes = list(i2b2_2014.read(shared_data / "meddocan" / "dev" / "xml", Losses()))[:60]
    for module, name in ((brat, "brat"), (i2b2_2014, "xml"), (conll, "n.conll"), (jsonl, "n.jsonl")):
        module.write(notes, tmp_path / name)
        assert list(module.read(tmp_path / name, Losses())) == notes


READERS = {
    "jsonl": jsonl, "brat": brat, "i2b2": i2b2_2014, "i2b2_2006": i2b2_2006, "conll": conll, "doccano": jsonl,
    "label_studio": jsonl, "prodigy": jsonl, "cas_json": cas, "cas_xmi": cas,
}  # fmt: skip


def written_and_read(tmp_path_factory, document, form, losses):
    folder = tmp_path_factory.mktemp(form) / "out"
    written = writing.write([document], folder, form, losses)
    return list(READERS[form].read(folder, Losses())) if written else []


@pytest.mark.parametrize("form", writing.FORMATS)
@settings(fast, max_examples=60)
@given(document=documents())
def test_every_format_gives_back_what_it_does_not_count_as_left_out(tmp_path_factory, form, document):
    losses = Losses("count")
    again = written_and_read(tmp_path_factory, document, form, losses)
    if losses.counts["not_carried", "-"]:
        assert form in ("i2b2", "i2b2_2006", "cas_xmi", "conll") and again == []
        return
    assert [(d.id, d.text) for d in again] == [(document.id, document.text)]
    assert set(again[0].spans) <= set(document.spans)
    assert len(document.spans) - len(again[0].spans) == sum(losses.counts.values())
    if form not in ("conll", "i2b2_2006"):
        assert again[0].spans == document.spans


PLAIN = [
    "😀",
    "𝒜",
    "e\u0301",
    "\r\n",
    "\n",
    "\t",
    " ",
    "<b>",
    "&amp;",
    "]]>",
    '"',
    "\\n",
    "Anna",
    "7B",
    ".",
    "\u2028",
    "名",
]


@st.composite
def plain_documents(draw):
    """What every format can carry: words apart, some of them labelled."""
    pieces = draw(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=15))
    text, spans = "x", []
    for piece in pieces:
        if not piece.isspace() and draw(st.booleans()):
            spans.append(Span(len(text), len(text) + len(piece), draw(LABELS)))
        text += piece
    return Document("220-01", text, tuple(spans), {"patient": "220"})


@settings(fast, max_examples=40)
@given(document=plain_documents(), order=st.permutations(writing.FORMATS))
def test_a_note_comes_through_all_conversions_in_any_order(tmp_path_factory, document, order):
    passed = document
    for form in order:
        (passed,) = written_and_read(tmp_path_factory, passed, form, Losses())
        assert (passed.id, passed.text, passed.spans) == (document.id, document.text, document.spans), form


@pytest.mark.parametrize("form", writing.FORMATS)
def test_many_notes_empty_ones_among_them_keep_their_order_and_ids(tmp_path, form):
    notes = [Document("a", ""), Document("b", "Anna\r\n😀", (Span(0, 4, "NAME"),)), Document("c", "")]
    losses = Losses()
    assert writing.write(iter(notes), tmp_path / "out", form, losses) == 3
    again = READERS[form].read(tmp_path / "out", Losses())
    assert [(d.id, d.text, d.spans) for d in again] == [(d.id, d.text, d.spans) for d in notes]
    assert losses.rows() == []


@pytest.mark.parametrize("form", writing.FORMATS)
def test_no_notes_at_all_are_files_that_hold_none(tmp_path, form):
    assert writing.write([], tmp_path / "out", form) == 0
    with pytest.raises(DataError, match="is not empty; name a new folder"):
        (tmp_path / "out" / "one").touch()
        writing.write([], tmp_path / "out", form)


def test_metadata_without_a_place_are_counted_unless_the_name_of_the_file_holds_them(tmp_path):
    note = Document("220-01", "Anna", (), {"patient": "220", "ward": "B"})
    for form in writing.FORMATS:
        losses = Losses()
        writing.write([note], tmp_path / form, form, losses)
        (again,) = READERS[form].read(tmp_path / form, Losses())
        lost = {row["label"] for row in losses.rows() if row["reason"] == "meta_without_place"}
        assert set(note.meta) - set(again.meta) == lost, form


def test_a_fault_of_one_note_is_an_error_that_names_the_format_or_costs_that_note_alone(tmp_path):
    notes = [Document("a", "Zyxomma \0"), Document("b", "fine")]
    with pytest.raises(DataError, match=r"a: U\+0000 at character 8 .* \(format cas_xmi\)") as error:
        writing.write(notes, tmp_path / "one", "cas_xmi")
    assert "Zyxomma" not in str(error.value)
    losses = Losses("count")
    assert writing.write(notes, tmp_path / "two", "cas_xmi", losses) == 1
    assert losses.counts["not_carried", "-"] == 1


def test_real_notes_come_through_all_formats(shared_data, tmp_path_factory):
    notes = list(brat.read(shared_data / "meddocan" / "dev" / "brat", Losses()))[:40]
    passed = notes
    for form in writing.FORMATS:
        folder = tmp_path_factory.mktemp(form) / "out"
        writing.write(passed, folder, form)
        passed = list(READERS[form].read(folder, Losses()))
        assert [(d.id, d.text, d.spans) for d in passed] == [(d.id, d.text, d.spans) for d in notes], form
