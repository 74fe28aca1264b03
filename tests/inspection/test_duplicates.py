"""Near duplicates: found by their shingles, in time that grows with the notes and not with their pairs."""

import random
import time

import pytest

from deidlab.inspection.duplicates import SIMILAR, duplicates, jaccard, shingled, similar
from deidlab.types import Document

WORDS = [f"word{n}" for n in range(500)]


def text(seed, length=120):
    return random.Random(seed).choices(WORDS, k=length)


def changed(words, number, seed=0):
    generator, words = random.Random(seed), list(words)
    for index in generator.sample(range(len(words)), number):
        words[index] = "changed"
    return words


def test_similarity_is_the_share_of_common_shingles():
    one, other = text(1, 14), [*text(1, 14)[:12], "x", "y"]
    assert jaccard(shingled(one), shingled(one)) == 1.0
    assert jaccard(shingled(one), shingled(other)) == pytest.approx(8 / 12)  # 10 shingles each, 8 of them shared
    assert jaccard(shingled(one), shingled(text(2, 14))) == 0.0


def test_pairs_above_the_threshold_are_found_and_others_are_not():
    notes = [text(seed) for seed in range(40)]
    near = [changed(notes[seed], 1) for seed in range(40)]
    far = [changed(notes[seed], 12) for seed in range(40)]
    found = {(one, other) for one, other, _ in similar([*notes, *near, *far])}
    assert {(seed, 40 + seed) for seed in range(40)} == found
    assert all(value >= SIMILAR for _, _, value in similar([*notes, *near]))


def test_case_blanks_and_punctuation_make_no_other_text_and_short_notes_may_repeat():
    long = " ".join(text(3, 30))
    shouted = long.upper().replace(" ", ",\n")
    notes = [
        ("train", Document("a", long)), ("train", Document("b", shouted)), ("test", Document("c", long)),
        ("", Document("d", "Did not attend.")), ("", Document("e", "Did not attend")),
    ]  # fmt: skip
    assert [(f.code, f.document_id, f.detail) for f in duplicates(notes)] == [
        ("duplicate", "b", "of a (train)"), ("duplicate_across_splits", "c", "of a (train)"),
    ]  # fmt: skip


def test_time_grows_with_the_number_of_notes_and_a_template_of_thousands_does_not_hurt():
    took = {}
    for number in (400, 3200):
        template = text(0, 60)
        notes = [changed(template, 1, seed) for seed in range(number)]
        began = time.process_time()
        assert len(list(similar(notes))) > 0.9 * number
        took[number] = time.process_time() - began
    assert took[3200] < 30 * took[400]  # eight times as many notes; pairs would be sixty-four times as many
