"""Which word of a mention is a given name, which a family name."""

import pytest

from deidlab.redaction.name_parts import take_apart


def slots(text: str, kind: str = "PATIENT", spanish: bool = False, before: str = "") -> list[list[tuple[str, str]]]:
    whole = before + text
    return [
        [(whole[p.start : p.end], p.slot + " initial" * p.initial) for p in person]
        for person in take_apart(whole, len(before), len(whole), kind, spanish)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. John Smith", [("John", "given"), ("Smith", "family")]),
        ("SMITH, JOHN", [("SMITH", "family"), ("JOHN", "given")]),
        ("Smith, J.", [("Smith", "family"), ("J", "given initial")]),
        ("Smith J", [("Smith", "family"), ("J", "given initial")]),
        ("John S.", [("John", "given"), ("S", "family initial")]),
        ("J. Smith", [("J", "given initial"), ("Smith", "family")]),
        ("John Q. Adams", [("John", "given"), ("Q", "given initial"), ("Adams", "family")]),
        ("JS", [("J", "given initial"), ("S", "family initial")]),
        ("J.S.", [("J", "given initial"), ("S", "family initial")]),
        ("Dr. O'Neil, MD", [("O'Neil", "family")]),
        ("Smith's", [("Smith", "family")]),
        ("John", [("John", "given")]),
        ("Mary-Ann Smith-Jones III",
         [("Mary", "given"), ("Ann", "given"), ("Smith", "family"), ("Jones", "family")]),
        ("van der Berg", [("Berg", "family")]),
        ("Maria de la Cruz", [("Maria", "given"), ("Cruz", "family")]),
        ("Wang Xiaoming", [("Wang", "family"), ("Xiaoming", "given")]),
        ("Ji-min Park", [("Ji-min", "given"), ("Park", "family")]),
    ],
)  # fmt: skip
def test_one_person(text, expected):
    assert slots(text) == [expected]


def test_two_given_and_two_family_names():
    assert slots("María José García López", spanish=True) == [
        [("María", "given"), ("José", "given"), ("García", "family"), ("López", "family")]
    ]
    assert slots("De Miguel Rivera", spanish=True) == [[("Miguel", "family"), ("Rivera", "family")]]


def test_two_persons_in_one_mention():
    assert slots("John and Mary Smith") == [[("John", "given")], [("Mary", "given"), ("Smith", "family")]]


def test_what_stands_before_a_name_tells():
    assert slots("James", before="seen by Dr. ") == [[("James", "family")]]
    assert slots("Miguel Rivera", before="Apellidos: ", spanish=True) == [[("Miguel", "family"), ("Rivera", "family")]]
    (person,) = take_apart("Mrs. Jordan Smith", 5, 17, "PATIENT", False)
    assert {part.gender for part in person} == {"female"}


def test_the_type_tells():
    assert slots("Smith", "FIRST_NAME") == [[("Smith", "given")]]
    assert slots("John", "LAST_NAME") == [[("John", "family")]]


def test_nobody_is_nobody():
    assert slots("---") == []
    assert slots("12") == [[("12", "")]]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Le, Minh", ["Le", "Minh"]), ("Di Wang", ["Di", "Wang"]), ("Don Smith", ["Don", "Smith"]),
        ("Mr. Ben Carson", ["Ben", "Carson"]), ("Carson, Ben", ["Carson", "Ben"]), ("Van Tran", ["Van", "Tran"]),
        ("Juan de la Cruz", ["Juan", "Cruz"]), ("de la Cruz, Juan", ["Cruz", "Juan"]), ("van der Berg", ["Berg"]),
    ],
)  # fmt: skip
def test_a_word_that_may_be_a_name_is_no_particle(name, parts):
    assert [part for person in slots(name) for part, _ in person] == parts
