"""INCEpTION's exports: read as `cassis`, the reference in Python, reads them, and written so that it can."""

import io
import json
import warnings
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidlab.corpora import cas, cas_json, cas_xmi
from deidlab.corpora.cas_structures import NAMED_ENTITY
from deidlab.types import ConfigError, DataError, Document, Losses, Span

TEXT = "😀 Anna of Bonn"


def counts(losses):
    return {row["reason"]: row["count"] for row in losses.rows()}


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


@st.composite
def documents(draw):
    text = draw(st.text(st.sampled_from("😀𝒜aé\u0301\n\r\t <&\"'名]>"), max_size=20))
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = zip(ends[::2], ends[1::2], strict=False)
    return Document("note 1", text, tuple(Span(a, b, draw(st.sampled_from(["PER", "LOC-x"]))) for a, b in pairs))


def told_by_cassis(found):
    spans = [Span(a.begin, a.end, a.value) for a in found.select(NAMED_ENTITY)]
    return found.sofa_string, tuple(sorted(spans))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_cassis_reads_what_we_write_and_we_read_what_it_writes(document):
    cassis = pytest.importorskip("cassis", reason="pip install dkpro-cassis: the reference for UIMA CAS in Python")
    types = cassis.load_typesystem(io.BytesIO(cas_xmi.type_system()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an offset that it cannot place
        from_json = cassis.load_cas_from_json(io.BytesIO(cas_json.to_json(document)))
        from_xmi = cassis.load_cas_from_xmi(io.BytesIO(cas_xmi.to_xmi(document)), typesystem=types)
    assert told_by_cassis(from_json) == told_by_cassis(from_xmi) == (document.text, document.spans)
    for raw in (from_json.to_json().encode(), from_xmi.to_xmi().encode()):
        again = cas.parse(None, raw, "a", Losses())
        assert (again.id, again.text, again.spans) == (document.id, document.text, document.spans)


def structure(number, begin, end, layer=NAMED_ENTITY, **features):
    return {"%ID": number, "%TYPE": layer, "@sofa": 1, "begin": begin, "end": end, **features}


def exported(*structures, text=TEXT, members=None, **sofa):
    first = {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView", "sofaString": text, **sofa}
    members = [s["%ID"] for s in structures] if members is None else members
    view = {"%SOFA": 1, "%MEMBERS": members}
    found = {"%TYPES": {}, "%FEATURE_STRUCTURES": [first, *structures], "%VIEWS": {"_InitialView": view}}
    return json.dumps(found).encode()


TOKEN = structure(2, 0, 2, "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token")


def test_offsets_are_utf16_units_and_tokens_are_no_annotations():
    losses = Losses()
    document = cas.parse(None, exported(TOKEN, structure(3, 3, 7, value="PER")), "x/a.json", losses)
    assert (document.id, found(document), counts(losses)) == ("a", [("Anna", "PER")], {})


def test_what_left_the_view_was_deleted():
    raw = exported(structure(3, 3, 7, value="PER"), structure(4, 11, 15, value="LOC"), members=[4])
    assert found(cas.parse(None, raw, "a.json", Losses())) == [("Bonn", "LOC")]


def test_a_custom_layer_is_found_and_several_are_asked_about():
    mine, other = "webanno.custom.Phi", "custom.Sentiment"
    raw = exported(TOKEN, structure(3, 3, 7, mine, kind="PER", note="x", label="NAME"))
    assert found(cas.parse(None, raw, "a.json", Losses())) == [("Anna", "NAME")]
    assert found(cas.parse(None, raw, "a.json", Losses(), cas.Layer("Phi", "kind"))) == [("Anna", "PER")]
    both = exported(structure(3, 3, 7, mine, label="NAME"), structure(4, 0, 2, other, label="joy"))
    with pytest.raises(DataError, match=r"a \(a.json\): has layers Phi, Sentiment; say which: layer=NAME"):
        cas.parse(None, both, "a.json", Losses())
    losses = Losses()
    assert found(cas.parse(None, both, "a.json", losses, cas.Layer(mine))) == [("Anna", "NAME")]
    assert losses.rows() == [{"reason": "other_layer", "label": "Sentiment", "count": 1}]


FAULTS = {
    "sound": (exported(text=None, sofaURI="a.wav", mimeType="audio/x-wav"), "not_text", "has no text"),
    "halves": (exported(structure(3, 1, 7, value="PER")), "half_character", "structure 3: PER cuts a character in two"),
    "range": (exported(structure(3, 3, 99, value="PER")), "out_of_range", "PER span 2-98 exceeds text length 14"),
    "no label": (exported(structure(3, 3, 7)), "no_label", "unlabelled span 2-6 has no label"),
    "no begin": (exported(structure(3, None, 7, value="PER")), "malformed_span", "needs whole numbers as begin"),
    "no list": (b'{"%TYPES": {}}', "malformed_cas", "has no list of %FEATURE_STRUCTURES"),
    "json": (b'{"Anna', "malformed_json", "character 1: Unterminated string"),
    "xml": (b"<a>Anna</a>", "malformed_cas", "its root is no xmi:XMI"),
    "entities": (b'<!DOCTYPE d [<!ENTITY e "Anna">]><d>&e;</d>', "xml_entities", "declares entities"),
    "bytes": (b'{"a": "Anna\xe9"}', "invalid_utf8", "byte 11 is no UTF-8; it may be cp1252"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults_name_their_place_and_are_counted(case):
    raw, reason, message = FAULTS[case]
    with pytest.raises(DataError, match=message) as error:
        cas.parse(None, raw, "a.json", Losses())
    assert "Anna" not in str(error.value)
    losses = Losses("count")
    cas.parse(None, raw, "a.json", losses)
    assert counts(losses) == {reason: 1}


def project(folder, name, **by):
    (folder / name).mkdir(parents=True)
    for annotator, label in by.items():
        raw = exported(structure(3, 3, 7, value=label))
        if annotator.endswith("zip"):
            with zipfile.ZipFile(folder / name / f"{annotator}.zip", "w") as packed:
                packed.writestr("TypeSystem.xml", cas_xmi.type_system())
                packed.writestr("a.json", raw)
        else:
            (folder / name / f"{annotator}.json").write_bytes(raw)


def test_a_folder_a_note_holds_a_file_for_each_annotator(tmp_path):
    project(tmp_path, "one.txt", anna="PER", benzip="PER")
    project(tmp_path, "two.txt", anna="PER", benzip="LOC")
    with pytest.raises(DataError, match=r"two.txt: its 2 annotations differ; .* data.reader.annotators=first"):
        list(cas.read(tmp_path, Losses()))
    for policy, spans in {"first": [("Anna", "PER")], "union": [("Anna", "LOC"), ("Anna", "PER")]}.items():
        losses = Losses()
        one, two = cas.read(tmp_path, losses, annotators=policy)
        assert (one.id, found(one), two.id, found(two)) == ("one.txt", [("Anna", "PER")], "two.txt", spans)
        assert counts(losses) == {"annotators_disagree": 1, "other_version": 2}
    losses = Losses("count")
    assert [d.id for d in cas.read(tmp_path, losses)] == ["one.txt"]
    with pytest.raises(ConfigError, match="annotators is 'vote'; expected one of error, first, union"):
        list(cas.read(tmp_path, losses, annotators="vote"))


def test_what_a_note_was_before_anybody_opened_it_is_no_opinion(tmp_path):
    project(tmp_path, "one.txt", anna="PER")
    project(tmp_path, "two.txt")
    for name in ("one.txt", "two.txt"):
        (tmp_path / name / "INITIAL_CAS.json").write_bytes(exported())
    losses = Losses()
    for policy in ("error", "first", "union"):
        losses = Losses()
        (one,) = cas.read(tmp_path, losses, annotators=policy)
        assert (one.id, found(one)) == ("one.txt", [("Anna", "PER")])
        assert counts(losses) == {"not_annotated": 1}


def test_annotators_of_different_texts_are_a_fault(tmp_path):
    project(tmp_path, "one", anna="PER")
    (tmp_path / "one" / "ben.json").write_bytes(exported(text="Another text"))
    with pytest.raises(DataError, match="one: its annotators' files hold different texts"):
        list(cas.read(tmp_path, Losses()))


def test_a_broken_zip_file_is_a_fault(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.json", exported() * 9)
    damaged = bytearray((tmp_path / "b.zip").read_bytes())
    damaged[60:80] = b"\xff" * 20
    (tmp_path / "b.zip").write_bytes(damaged)
    losses = Losses("count")
    assert list(cas.read(tmp_path, losses)) == [] and counts(losses) == {"malformed_zip": 1}
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 Anna")
    with pytest.raises(DataError, match="is no zip file that can be read"):
        list(cas.read(tmp_path, Losses()))


def test_the_label_is_in_one_feature_of_a_layer_and_a_remark_is_none(tmp_path):
    """Features that are not set are not exported: what is left of an annotation with a remark is the remark."""
    layer = "custom.PHI"
    spans = [structure(2, 3, 7, layer), structure(3, 11, 15, layer, comment="sister of Ann Lee")]
    losses = Losses("count")
    assert found(cas.parse("n", exported(*spans, structure(4, 8, 10, layer, kind="X")), "p", losses)) == []
    assert counts(losses)["no_label"] == 3
    only = cas.parse("n", exported(structure(2, 3, 7, layer, kind="PER"), structure(3, 11, 15, layer)), "p", losses)
    assert found(only) == [("Anna", "PER")]
    assert found(cas.parse("n", exported(structure(2, 3, 7, layer)), "p", losses)) == [("Anna", "PHI")]


def test_a_layer_that_no_note_has_is_an_error_and_the_usual_one_beside_another_is_counted(tmp_path):
    (tmp_path / "a.json").write_bytes(exported(structure(2, 3, 7, value="PER"), structure(3, 11, 15, "custom.PHI")))
    with pytest.raises(ConfigError, match="has a layer 'NamedEntitiy'; look"):
        list(cas.read(tmp_path, Losses(), layer="NamedEntitiy"))
    losses = Losses()
    assert [found(note) for note in cas.read(tmp_path, losses, layer="PHI")] == [[("Bonn", "PHI")]]
    assert counts(losses)["other_layer"] == 1
