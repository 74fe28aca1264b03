"""CoNLL columns under every scheme."""

import pytest

from deidlab.corpora import conll
from deidlab.types import ConfigError, DataError, Losses


def found(document):
    return [(document.text[span.start : span.end], span.label) for span in document.spans]


def counts(losses):
    return {row["reason"]: row["count"] for row in losses.rows()}


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


def test_comments_before_a_sentence_are_counted_and_a_number_sign_is_a_token(tmp_path):
    (tmp_path / "c.conll").write_text("# newdoc id = 3\n# text = John saw\nJohn NAME\nsaw O\n\n# O\n\n# 4 x\n")
    losses = Losses()
    (note,) = conll.read(tmp_path / "c.conll", losses)
    assert (note.text, found(note)) == ("John saw\n#", [("John", "NAME")])
    assert counts(losses)["comment"] == 3
