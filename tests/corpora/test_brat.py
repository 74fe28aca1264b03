"""brat standoff as brat and people write it."""

from deidlab.corpora import brat
from deidlab.inspection.ledger import PlacedLosses
from deidlab.types import Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def counts(losses):
    return {row["reason"]: row["count"] for row in losses.rows()}


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


def test_pieces_that_touch_are_one_span_and_a_mark_that_is_not_counted_shifts_no_gap(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffAnna\r\n Lee came".encode())
    (tmp_path / "a.ann").write_bytes(b"T1\tNAME 0 4;7 10\tAnna Lee\nT2\tVERB 11 13;13 15\tcame\n")
    losses = Losses()
    (document,) = brat.read(tmp_path, losses)
    assert found(document) == [("Anna\r\n Lee", "NAME"), ("came", "VERB")]
    assert counts(losses) == {"bom": 1}


def test_brat_reads_bare_notes_when_told_that_they_are_not_annotated(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Anna\r\n")
    assert [(d.id, d.text, d.spans) for d in brat.read(tmp_path, Losses(), annotated=False)] == [("a", "Anna\r\n", ())]


def test_an_inspection_learns_where_a_span_in_pieces_was_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("John Smith saw")
    (tmp_path / "a.ann").write_text("T1\tPATIENT 0 4;11 14\tJohn saw\n")
    losses = PlacedLosses()
    assert found(*brat.read(tmp_path, losses)) == []
    (finding,) = losses.findings
    assert (finding.code, finding.severity, finding.document_id) == ("discontinuous_span", "suspicion", "a")
    assert (finding.start, finding.end) == (0, 14)
