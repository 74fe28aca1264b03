"""People hidden in plain sight: same form, gender and culture, one surrogate for one name, never an original."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.keys import Draws
from deidlab.redaction.name_lists import culture_of, folded, gender_of, known
from deidlab.redaction.name_surrogates import People, exchanged_letter
from deidlab.redaction.spelling import alignment_distance, within_typo
from deidlab.types import Span

DRAWS = Draws(b"correct horse battery", "patient 1")


def exchanged(*mentions: str, draws: Draws = DRAWS, names: tuple[str, ...] = (), spanish: bool = False, kind="PATIENT"):
    text, spans = "", []
    for mention in mentions:
        spans.append((Span(len(text), len(text) + len(mention), kind), kind))
        text += mention + " | "
    forbidden = frozenset(
        folded(word) for m in (*mentions, *names) for word in m.replace(".", " ").replace(",", " ").split()
    )
    people = People.of(text, spans, draws, forbidden, names, spanish=spanish)
    return [people.surrogate(span.start, span.end) for span, _ in spans]


def test_one_person_in_every_form():
    whole, listed, titled, first, initials, dotted, possessive, lower = exchanged(
        "John Smith", "SMITH, J.", "Mr. Smith", "John", "JS", "J.S.", "Smith's", "john smith"
    )
    given, family = whole.split()
    assert (given.lower(), family.lower()) != ("john", "smith") and {given.lower(), family.lower()}.isdisjoint(
        ("john", "smith")
    )
    assert listed == f"{family.upper()}, {given[0]}."
    assert titled == f"Mr. {family}"
    assert first == given
    assert initials == given[0] + family[0]
    assert dotted == f"{given[0]}.{family[0]}."
    assert possessive == f"{family}'s"
    assert lower == whole.lower()


def test_notes_of_a_patient_agree_whatever_else_they_say():
    (whole,) = exchanged("John Smith")
    given, family = whole.split()
    assert exchanged("Dr. Jones", "Mr. Smith")[1] == f"Mr. {family}"
    assert exchanged("John") == [given]
    assert exchanged("SMITH, J.") == [f"{family.upper()}, {given[0]}."]
    assert exchanged("JS") == [given[0] + family[0]]


def test_patients_and_keys_do_not():
    names = {exchanged("John Smith", draws=Draws(b"correct horse battery", str(i)))[0] for i in range(30)}
    names |= {exchanged("John Smith", draws=Draws(b"another key altogether", str(i)))[0] for i in range(30)}
    assert len(names) > 50


def test_misspellings_are_the_person_they_misspell():
    right, wrong = exchanged("Margaret Abernathy", "Margraet Abernaty")
    assert wrong == right
    assert exchanged("Abernaty", names=("Margaret Abernathy",)) == [right.split()[1]]


def test_names_that_differ_stay_apart():
    surrogates = exchanged("Maria Jones", "Mario Janes", "Marion James")
    assert len(set(surrogates)) == 3


@pytest.mark.parametrize(("name", "gender"), [("Jennifer", "female"), ("Robert", "male"), ("Priya", "female"),
                                              ("Guadalupe", None), ("Emeka", "male")])  # fmt: skip
def test_gender_is_kept(name, gender):
    for patient in range(20):
        (new,) = exchanged(name, draws=Draws(b"correct horse battery", str(patient)), kind="FIRST_NAME")
        shown = known(folded(new))
        assert gender is None or (shown.female if gender == "female" else shown.male)


def test_a_title_tells_the_gender_of_a_name_on_no_list():
    for patient in range(20):
        draws = Draws(b"correct horse battery", str(patient))
        (her,) = exchanged("Mrs. Zorblat Smith", draws=draws)
        assert gender_of(folded(her.split()[1])) in ("female", None)


@pytest.mark.parametrize(
    ("family", "culture"),
    [
        ("Nguyen", "vietnamese"),
        ("García", "spanish"),
        ("Chukwu", "nigerian"),
        ("Kim", "korean"),
        ("Patel", "indian"),
        ("Smith", "anglo"),
    ],
)
def test_culture_is_kept(family, culture):
    for patient in range(10):
        (new,) = exchanged(family, draws=Draws(b"correct horse battery", str(patient)), kind="LAST_NAME")
        shown = known(folded(new)).family
        assert culture in shown or (culture == "anglo" and {"british", "australian"} & shown)
    assert culture_of(folded(family), "family") == culture


def test_other_scripts():
    assert all("\u4e00" <= ch <= "\u9fff" for ch in exchanged("王伟")[0])
    assert exchanged("Иван Петров") == [None]  # no list: the caller masks it


def test_accents_and_particles():
    plain, accented = exchanged("Gonzalez", "González")
    assert plain.isascii()
    assert folded(plain) == folded(accented)
    (new,) = exchanged("Maria de la Cruz")
    assert new.split()[1:3] == ["de", "la"]


@given(st.lists(st.sampled_from(("John Smith", "Baker, Tom", "Mr. Ng", "Ana", "JS", "Lee", "Ann-Marie", "O'Hara")),
                min_size=1, max_size=8), st.integers(0, 500))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_surrogate_is_an_original_and_equal_mentions_agree(mentions, patient):
    new = exchanged(*mentions, draws=Draws(b"correct horse battery", str(patient)))
    originals = {folded(w) for m in mentions for w in m.replace(",", " ").replace("-", " ").split() if len(w) > 2}
    originals -= {"mr."}
    assert originals.isdisjoint(folded(w) for n in new for w in n.replace(",", " ").replace("-", " ").split())
    assert len({(m, n) for m, n in zip(mentions, new, strict=True)}) == len(set(mentions))


@pytest.mark.parametrize("slot", ["given", "family"])
def test_letters_are_exchanged_one_for_one_and_never_for_themselves(slot):
    letters = "abcdefghijklmnopqrstuvwxyz"
    for patient in range(50):
        new = [exchanged_letter(Draws(b"correct horse battery", str(patient)), slot, ch) for ch in letters]
        assert sorted(new) == list(letters)
        assert all(a != b for a, b in zip(letters, new, strict=True))


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("john", "jhon", 1), ("smith", "smith", 0), ("", "ab", 2), ("kitten", "sitting", 3)]
)
def test_distance_between_spellings(one, other, distance):
    assert alignment_distance(one, other) == alignment_distance(other, one) == distance


def test_what_passes_for_a_slip():
    assert within_typo("smith", "smiht") and not within_typo("smith", "smyths")
    assert not within_typo("lee", "leo")
