"""Rewritten training notes: offsets stay exact, types stay what they are, and the seed decides."""

from pathlib import Path

import pytest
from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from deidlab.augmentation import Augmentation, another_code, cased_like, cut, joined
from deidlab.labels import LabelSet
from deidlab.synthesis.noise import Noise
from deidlab.types import ConfigError, Document, Span

ROOT = Path(__file__).parents[1]
NOISE = {"typos": 0.05, "ocr": 0.05, "dropped_spaces": 0.02, "lost_punctuation": 0.1, "upper": 0.3, "lower": 0.3}


@pytest.fixture(scope="module")
def labels() -> LabelSet:
    return instantiate(OmegaConf.load(ROOT / "conf" / "labels" / "i2b2_2014.yaml"), _convert_="all")


def note(number: int = 0) -> Document:
    parts = [
        ("Mr ", None), ("SMITH, JOHN", "PATIENT"), (", MRN ", None), ("AB-0123456", "MEDICALRECORD"), (", aged ", None),
        ("54", "AGE"), (", seen on ", None), ("03/28/2012", "DATE"), (" at ", None), ("Mercy Hospital", "HOSPITAL"),
        (" by Dr ", None), ("Jones", "DOCTOR"), (". Dr ", None), ("Jones", "DOCTOR"), (" will call.\n", None),
    ]  # fmt: skip
    text, spans = "", []
    for piece, label in parts:
        if label:
            spans.append(Span(len(text), len(text) + len(piece), label))
        text += piece
    return Document(f"n{number}", text, tuple(spans), {"patient": "p"})


def mentions(document: Document) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for span in document.spans:
        found.setdefault(span.label, []).append(document.text[span.start : span.end])
    return found


def rewritten(labels, number=0, epoch=1, seed=0, **given) -> Document:
    settings = {"share": 1.0, "replaced": 1.0, **given}
    return Augmentation(**settings).documents([note(number)], labels, seed, epoch)[0]


def test_identifiers_are_replaced_by_others_of_their_type_and_shape(labels):
    found = mentions(rewritten(labels))
    assert found["PATIENT"][0].isupper() and ", " in found["PATIENT"][0] and found["PATIENT"] != ["SMITH, JOHN"]
    letters, _, digits = found["MEDICALRECORD"][0].partition("-")
    assert letters.isalpha() and letters.isupper() and digits[0] == "0" and len(digits) == 7 and digits != "0123456"
    assert 10 <= int(found["AGE"][0]) <= 89
    month, day, year = found["DATE"][0].split("/")
    assert 1 <= int(month) <= 12 and 1 <= int(day) <= 12 and year[:2] == "20" and len(year) == 4
    assert found["DOCTOR"][0] == found["DOCTOR"][1] != "Jones", "one doctor stays one doctor"


def test_what_is_no_identifier_stays(labels):
    before, after = note(), rewritten(labels)
    assert [t for t, label in cut(before) if label is None] == [t for t, label in cut(after) if label is None]
    assert [s.label for s in before.spans] == [s.label for s in after.spans]
    assert (after.id, after.meta) == (before.id, before.meta)


def test_names_come_from_the_chosen_cultures(labels):
    from deidlab.synthesis.people import name_pool

    pool = name_pool("korean", "train")
    known = {*pool.family, *pool.given["female"], *pool.given["male"]}
    drawn = [mentions(rewritten(labels, number, cultures=["korean"]))["DOCTOR"][0] for number in range(20)]
    assert sum(any(part in known for part in (name, *name.split("-"))) for name in drawn) >= 15  # some are invented


def test_seed_epoch_and_document_decide(labels):
    same, again = rewritten(labels), rewritten(labels)
    assert (same.text, same.spans) == (again.text, again.spans)
    others = (rewritten(labels, epoch=2), rewritten(labels, seed=1), rewritten(labels, number=1))
    assert same.text not in [other.text for other in others]


def test_the_share_and_the_switch(labels):
    notes = [note(i) for i in range(200)]
    changed = [
        sum(a.text != b.text for a, b in zip(notes, Augmentation(share=s).documents(notes, labels, 0, 1), strict=True))
        for s in (0.0, 0.5, 1.0)
    ]
    assert changed[0] == 0 and 70 < changed[1] < 130 and changed[2] == 200
    assert not Augmentation().active


def test_overlapping_spans_leave_a_note_as_it_is(labels):
    double = Document("d", "Mr John Smith", (Span(3, 13, "PATIENT"), Span(8, 13, "PATIENT")))
    assert Augmentation(share=1.0).documents([double], labels, 0, 1) == [double]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_offsets_are_exact_under_every_noise(seed):
    labels = instantiate(OmegaConf.load(ROOT / "conf" / "labels" / "i2b2_2014.yaml"), _convert_="all")
    after = rewritten(labels, seed=seed, noise=NOISE)
    at = 0
    for span in after.spans:
        assert at <= span.start < span.end <= len(after.text)
        piece = after.text[span.start : span.end]
        assert piece == piece.strip()
        at = span.end
    digits = "".join(ch for ch in after.text[after.spans[1].start : after.spans[1].end] if ch.isdigit())
    assert digits or "ocr" in NOISE, "the record number is still where its span is"
    assert {s.label for s in after.spans} == {s.label for s in note().spans}


@given(pieces=st.lists(st.tuples(st.text(min_size=1, max_size=6), st.sampled_from([None, "AGE", "DATE"])), max_size=8))
def test_cutting_a_joined_document_gives_its_mentions(pieces):
    document = joined(Document("d", ""), pieces)
    assert document.text == "".join(text for text, _ in pieces)
    assert [document.text[s.start : s.end] for s in document.spans] == [
        t.strip() for t, lab in pieces if lab and t.strip()
    ]
    assert "".join(text for text, _ in cut(document)) == document.text


def test_casing_and_codes_follow_their_model():
    import random

    assert [cased_like(m, "Ann Lee") for m in ("JO", "jo", "Jo", "1-2")] == ["ANN LEE", "ann lee", "Ann Lee", "Ann Lee"]
    code = another_code("0Ab9", random.Random(0))
    assert code[0] == "0" and code[1].isupper() and code[2].islower() and code[3].isdigit()


def test_mistyped_settings_are_errors_that_list_the_choices():
    with pytest.raises(ConfigError, match=r"choose from .*korean"):
        Augmentation(share=0.5, cultures=["atlantis"])
    with pytest.raises(ConfigError, match="noise has no typo; it has typos"):
        Augmentation(noise={"typo": 0.1})
    with pytest.raises(ConfigError, match="shares from 0 to 1"):
        Augmentation(share=2)
    assert set(NOISE) <= set(Noise.__dataclass_fields__)
