"""Loading: the splits that are there, those that are cut, and what must be unique."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from deidlab.corpora import jsonl
from deidlab.corpora.loading import load_corpus
from deidlab.types import ConfigError, DataError, Document, Span

NAMES = ("train", "validation", "test")
SPLITS = {name: f"{name}*" for name in NAMES}
FRACTIONS = {"validation": 0.2, "test": 0.2}


NAMED = (Span(0, 4, "NAME"),)


def note(number, patient=None, spans=NAMED):
    return Document(f"n{number}", f"Anna {number}", tuple(spans), {"patient": patient} if patient else {})


def notes(numbers, **more):
    return [note(number, **more) for number in numbers]


@pytest.fixture
def load(tmp_path):
    def loaded(files, path="in", **settings):
        for name, documents in files.items():
            jsonl.write(documents, tmp_path / "in" / name)
        settings = {"splits": SPLITS, "fractions": FRACTIONS, "cache_dir": tmp_path / "cache", **settings}
        return load_corpus(jsonl.read, path and tmp_path / path, "jsonl", **settings)

    return loaded


def ids(corpus):
    return {split: [document.id for document in corpus.iterate(split)] for split in corpus.documents}


def test_splits_that_are_there_are_taken_as_they_are(load):
    files = {f"{name}.jsonl": notes(range(i * 10, i * 10 + 3)) for i, name in enumerate(NAMES)}
    corpus = load(files)
    assert ids(corpus) == {
        "train": ["n0", "n1", "n2"],
        "validation": ["n10", "n11", "n12"],
        "test": ["n20", "n21", "n22"],
    }
    assert list(corpus.iterate("train")) == files["train.jsonl"]
    assert corpus.label_counts() == {"NAME": 9} and corpus.label_counts("test") == {"NAME": 3}
    assert corpus.vocabulary == "jsonl" and corpus.losses.rows() == []


def test_a_missing_validation_is_cut_from_train(load):
    corpus = load({"train.jsonl": notes(range(10)), "test.jsonl": notes(range(10, 13))})
    assert {split: len(members) for split, members in ids(corpus).items()} == {"train": 8, "validation": 2, "test": 3}


def test_a_corpus_without_splits_is_split_by_patient(load):
    documents = [note(number, patient=f"p{number // 4}") for number in range(40)]
    corpus = load({"all.jsonl": documents}, split_by="patient")
    patients = [{d.meta["patient"] for d in corpus.iterate(split)} for split in NAMES]
    assert [len(members) for members in patients] == [6, 2, 2] and len(set.union(*patients)) == 10


def test_the_split_and_the_fingerprint_do_not_depend_on_the_order_of_the_notes(load, tmp_path):
    corpus = load({"all.jsonl": notes(range(30))})
    jsonl.write(reversed(notes(range(30))), tmp_path / "back" / "all.jsonl")
    again = load({}, path="back")
    assert {k: set(v) for k, v in ids(again).items()} == {k: set(v) for k, v in ids(corpus).items()}
    assert again.fingerprint == corpus.fingerprint
    changed = [*notes(range(29)), note(29, spans=[Span(0, 4, "CITY")])]
    jsonl.write(changed, tmp_path / "changed" / "all.jsonl")
    assert load({}, path="changed").fingerprint != corpus.fingerprint


def test_all_is_one_test_split(load):
    assert ids(load({"all.jsonl": notes(range(3))}, split="all")) == {"test": ["n0", "n1", "n2"]}
    assert len(ids(load({"train.jsonl": notes([7])}, split="all"))["test"]) == 1


def test_duplicate_ids_within_and_across_splits(load, tmp_path):
    files = {"train.jsonl": notes([1, 1, 2, 3]), "test.jsonl": notes([3])}
    with pytest.raises(DataError, match=r"n3 \(train\): a document of test has this id already|n1 \(train\)"):
        load(files)
    corpus = load({}, on_error="count", splits={"train": "train*", "test": "test*"}, fractions={})
    assert ids(corpus) == {"train": ["n1", "n2"], "test": ["n3"]}
    assert corpus.losses.rows() == [{"reason": "duplicate_id", "label": "-", "count": 2}]


def test_a_patient_in_two_splits_stays_in_test_only(load):
    files = {"train.jsonl": [note(1, "p1"), note(2, "p2")], "test.jsonl": [note(3, "p1")]}
    settings = {"split_by": "patient", "splits": {"train": "train*", "test": "test*"}, "fractions": {}}
    with pytest.raises(DataError, match=r"n1 \(train\): its patient is in test too"):
        load(files, **settings)
    corpus = load({}, on_error="count", **settings)
    assert ids(corpus) == {"train": ["n2"], "test": ["n3"]}
    assert corpus.losses.rows() == [{"reason": "patient_straddles", "label": "-", "count": 1}]


def test_notes_without_a_patient_are_an_error_when_all_lack_it_and_counted_when_some_do(load, tmp_path):
    with pytest.raises(DataError, match=r"no document says its patient.*set data.split_by=document"):
        load({"all.jsonl": notes(range(10))}, split_by="patient")
    jsonl.write([note(i, patient=str(i) if i % 2 else None) for i in range(10)], tmp_path / "mixed" / "all.jsonl")
    corpus = load({}, path="mixed", split_by="patient")
    assert corpus.losses.rows() == [{"reason": "no_patient", "label": "-", "count": 5}]


def test_no_path_says_which_setting_and_where_the_corpus_can_be_had(load):
    with pytest.raises(ConfigError, match=r"Set data.path=FOLDER. It is at example.org."):
        load({}, path=None, obtain="It is at example.org.")
    with pytest.raises(DataError, match=r"none does not exist; set data.path=FOLDER. It is at example.org."):
        load({}, path="none", obtain="It is at example.org.")


def test_the_hub_reads_every_split_when_there_is_no_path(load):
    def hub(split, losses, domain):
        yield Document(f"{domain}-{split}", "Anna", (Span(0, 4, "NAME"),))

    corpus = load({}, path=None, hub=partial(hub, domain="h"), splits={"train": "x", "test": "y"}, fractions={})
    assert ids(corpus) == {"train": ["h-train"], "test": ["h-test"]}


def test_some_splits_missing_is_an_error_and_a_list_of_parts_is_one_split(load):
    files = {"set1.jsonl": notes([1]), "set2.jsonl": notes([2]), "test.jsonl": notes([3])}
    with pytest.raises(DataError, match="has no validation"):
        load(files, splits={"train": "set1.jsonl", "validation": "validation", "test": "test.jsonl"})
    corpus = load({}, splits={"train": ["set1.jsonl", "set2.jsonl"], "test": "test.jsonl"}, fractions={})
    assert ids(corpus) == {"train": ["n1", "n2"], "test": ["n3"]}


def test_a_corpus_with_nothing_to_learn_is_an_error_unless_it_is_to_be_predicted(load, tmp_path):
    files = {"all.jsonl": notes(range(10), spans=())}
    with pytest.raises(DataError, match="no spans in train; is it annotated"):
        load(files)
    assert len(load({}, require_spans=False, split="all").documents["test"]) == 10
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.jsonl").write_text('{"text": 1}\n')
    with pytest.raises(DataError, match=r"no documents in train \(left out or counted: 1 malformed_record\)"):
        load({}, path="bad", on_error="count")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"splits": {"dev": "x"}}, "data.splits has dev; expected train, validation, test"),
        ({"fractions": {"train": 0.8}}, "data.fractions has train; expected validation, test"),
        ({"fractions": {"validation": 0.6, "test": 0.5}}, "must lie in"),
        ({"split": "test"}, "data.split is 'test'; expected all or null"),
        ({"on_error": "ignore"}, "expected 'raise' or 'count'"),
    ],
)
def test_settings_that_cannot_work(load, settings, message):
    with pytest.raises(ConfigError, match=message):
        load({}, **settings)


def test_a_split_that_is_not_there_is_named(load):
    corpus = load({"all.jsonl": notes(range(3))}, split="all")
    with pytest.raises(DataError, match="jsonl has no split train; it has test"):
        corpus.iterate("train")


def test_loading_needs_no_torch():
    code = "import sys, deidlab.corpora.loading, deidlab.corpora.nemotron; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0


@pytest.mark.parametrize("name", ["jsonl", "conll", "brat", "inception"])
def test_a_split_called_dev_is_that_of_validation(name):
    splits = yaml.safe_load((Path(__file__).parents[2] / "conf" / "data" / f"{name}.yaml").read_text())["splits"]
    assert any("devel/".startswith(pattern.strip("/").rstrip("*")) for pattern in splits["validation"])
