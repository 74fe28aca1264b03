"""How familiar a name is from training, whatever its case and spacing."""

import pytest

from deidlab.metrics.familiarity import KnownNames
from deidlab.types import Document, Span

TRAINING = [
    Document(
        "a",
        "Anne O'Neil saw Jos\u00e9 Garc\u00eda in Boston",
        (Span(0, 11, "NAME"), Span(16, 27, "NAME"), Span(31, 37, "CITY")),
    ),
]


@pytest.mark.parametrize(
    ("surface", "level"),
    [
        ("Anne O'Neil", "whole"),
        ("ANNE\n O'NEIL", "whole"),
        ("Anne Garc\u00eda", "words"),
        ("Garc\u00eda, A.", "words"),  # an initial says nothing
        ("Anne Boston", "new"),  # a city is no name
        ("J.", "new"),
        ("Okonkwo", "new"),
    ],
)
def test_a_name_is_known_whole_by_its_words_or_not(surface, level):
    assert KnownNames.of(TRAINING, {"NAME"}).familiarity(surface) == level


def test_names_are_never_printed():
    assert "anne" not in repr(KnownNames.of(TRAINING, {"NAME"})).lower()
