import pytest

from deidlab.labels import LabelSet, tag_sequence
from deidlab.types import ConfigError, DataError, Document, Losses, Span

NAMES = LabelSet("names", ("NAME", "AGE"), "BILOU", maps={"corpus": {"patient": "NAME", "junk": "O"}})


def test_tags_are_numbered_o_first_then_the_prefixes_of_each_type():
    assert NAMES.tags == ("O", "B-NAME", "I-NAME", "L-NAME", "U-NAME", "B-AGE", "I-AGE", "L-AGE", "U-AGE")
    assert LabelSet("x", ("A",), "BIO").tags == ("O", "B-A", "I-A")
    assert LabelSet("x", ("A",), "IO").tags == ("O", "I-A")
    assert LabelSet("x", ("A",), "BIOES").tags == ("O", "B-A", "I-A", "E-A", "S-A")


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("IO", "O I-A I-A I-A O I-B"),
        ("BIO", "O B-A I-A B-A O B-B"),
        ("BIOES", "O B-A E-A S-A O S-B"),
        ("BILOU", "O B-A L-A U-A O U-B"),
    ],
)
def test_two_neighbouring_spans_of_one_type_stay_two_where_the_scheme_can_say_so(scheme, expected):
    units = [None, (0, "A"), (0, "A"), (1, "A"), None, (2, "B")]
    assert tag_sequence(units, scheme) == expected.split()


def test_an_unmapped_label_is_an_error_that_lists_them_all_and_suggests():
    with pytest.raises(DataError) as error:
        NAMES.mapping_for("corpus", ["patient", "name", "weird"])
    assert "name (did you mean NAME?)" in str(error.value) and "weird" in str(error.value)
    assert "patient" not in str(error.value).split(":")[1]


def test_the_users_map_wins_over_the_shipped_one_and_must_name_types():
    assert NAMES.mapping_for("corpus", ["patient"], {"patient": "AGE"}) == {"patient": "AGE"}
    with pytest.raises(ConfigError, match="NAMEE"):
        NAMES.mapping_for("corpus", ["patient"], {"patient": "NAMEE"})


def test_relabelling_leaves_the_document_alone_and_counts_what_maps_to_o():
    losses = Losses()
    document = Document("d", "Ann x", (Span(0, 3, "patient"), Span(4, 5, "junk")))
    typed = NAMES.relabel(document, {"patient": "NAME", "junk": "O"}, losses)
    assert typed.spans == (Span(0, 3, "NAME"),)
    assert [s.label for s in document.spans] == ["patient", "junk"]
    assert losses.rows() == [{"reason": "mapped_to_O", "label": "junk", "count": 1}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"types": ("A", "A")},
        {"types": ()},
        {"types": ("A",), "scheme": "BOO"},
        {"types": ("A",), "maps": {"m": {"x": "B"}}},
        {"types": ("A", "B"), "coarse": {"c": {"A": "X"}}},
        {"types": ("A",), "names": ("B",)},
    ],
)
def test_a_label_set_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ConfigError):
        LabelSet("bad", **wrong)
