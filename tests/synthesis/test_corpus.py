"""The corpus: splits that share no identifier and no template, the same for the same seed, exported without loss."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from deidlab.corpora import brat, conll, i2b2_2014, jsonl, nemotron
from deidlab.labels import LabelSet
from deidlab.synthesis.corpus import load_synthetic
from deidlab.synthesis.export import FORMATS, export
from deidlab.synthesis.settings import Settings
from deidlab.synthesis.statistics import Statistics, overlap, skeleton
from deidlab.synthesis.stream import generate
from deidlab.synthesis.vocabulary import FINE_TYPES, NAMES
from deidlab.types import ConfigError, DataError, Document, Losses, Span

ROOT = Path(__file__).parents[2]
SIZES = {"train": 300, "validation": 40, "test": 60}


def labels(name) -> LabelSet:
    return instantiate(OmegaConf.load(ROOT / "conf" / "labels" / f"{name}.yaml"), _convert_="all")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return load_synthetic(cache_dir=tmp_path_factory.mktemp("cache"), seed=1, sizes=SIZES)


def test_splits_have_their_sizes_and_types_follow_by_map(corpus):
    assert {split: len(rows) for split, rows in corpus.documents.items()} == SIZES
    for name in ("i2b2_2014", "stanford", "jsl7", "binary", "meddocan"):
        assert next(iter(corpus.typed(labels(name))("test"))).spans is not None


def test_parts_follow_nemotron_by_map(tmp_path):
    parts = load_synthetic(cache_dir=tmp_path, seed=1, sizes={"test": 60}, convention="parts")
    found = {s.label for d in parts.typed(labels("nemotron25"))("test") for s in d.spans}
    assert {"FIRST_NAME", "LAST_NAME", "AGE", "DATE", "MEDICAL_RECORD_NUMBER"} <= found


def test_whole_names_in_a_set_of_parts_say_what_to_set(corpus):
    with pytest.raises(ConfigError, match=r"set data\.convention=parts"):
        corpus.typed(labels("nemotron25"))


def test_same_seed_same_corpus_other_seed_another(corpus, tmp_path):
    again = load_synthetic(cache_dir=tmp_path / "a", seed=1, sizes=SIZES)
    other = load_synthetic(cache_dir=tmp_path / "b", seed=2, sizes=SIZES)
    assert again.fingerprint == corpus.fingerprint != other.fingerprint


def test_the_overlap_of_splits_is_small_and_measured(corpus):
    found = corpus.provenance["overlap_with_train"]
    assert set(found) == {"validation", "test"}
    assert found["test"]["names"] < 0.1 and found["test"]["bodies"] == 0


def test_splits_that_are_not_disjoint_overlap_more(corpus, tmp_path):
    mixed = load_synthetic(cache_dir=tmp_path, seed=1, sizes=SIZES, disjoint=False)
    apart, together = (c.provenance["overlap_with_train"]["test"] for c in (corpus, mixed))
    assert together["names"] > 2 * apart["names"] and together["sentences"] > apart["sentences"]


def test_institutions_can_be_disjoint(tmp_path):
    here = {"train": ["northline", "westover"], "test": ["cobalt"]}
    corpus = load_synthetic(cache_dir=tmp_path, seed=1, sizes={"train": 40, "test": 20}, institutions=here)
    for split, chosen in here.items():
        assert {d.meta["institution"] for d in corpus.iterate(split)} == set(chosen)


def test_overlap_counts_what_it_says():
    seen = Document("a", "Mr. Zok came in with a bad cough.", (Span(4, 7, "patient_name"),))
    same = Document("b", "Mr. Abu came in with a bad cough.", (Span(4, 7, "patient_name"),))
    assert skeleton(seen) == "Mr. <patient_name> came in with a bad cough."
    found = overlap(Statistics.of([seen]), Statistics.of([same]))
    assert found == {"names": 0.0, "identifiers": 0.0, "sentences": 1.0, "bodies": 1.0}


@pytest.mark.parametrize("name", ["i2b2_2014", "stanford", "jsl7", "binary", "meddocan"])
def test_every_fine_type_has_a_place(name):
    assert set(labels(name).maps["synthetic"]) == set(FINE_TYPES)


@pytest.mark.parametrize("name", ["nemotron25", "nemotron55"])
def test_every_fine_type_but_whole_names_has_a_place(name):
    assert set(labels(name).maps["synthetic"]) == set(FINE_TYPES) - set(NAMES)


READERS = {"jsonl": jsonl.read, "brat": brat.read, "i2b2": i2b2_2014.read, "conll": conll.read}


@pytest.mark.parametrize("form", ["jsonl", "brat", "i2b2"])
def test_what_is_exported_is_read_back(tmp_path, form):
    notes = list(generate(Settings(), 30, 3))
    export(notes, tmp_path / form, form, labels("i2b2_2014"))
    back = {d.id: d for d in READERS[form](tmp_path / form, Losses("raise"))}
    typed = labels("i2b2_2014")
    for note in notes:
        wanted = typed.relabel(note, typed.maps["synthetic"], Losses())
        assert back[note.id].text == note.text
        assert set(back[note.id].spans) == set(wanted.spans)


def test_nemotron_parquet_has_its_columns_and_is_read_back(tmp_path):
    import pyarrow.parquet

    notes = list(generate(Settings(convention="parts"), 30, 3))
    export(notes, tmp_path / "out", "nemotron", labels("nemotron55"))
    table = pyarrow.parquet.read_table(tmp_path / "out" / "notes.parquet")
    assert table.column_names == ["uid", "domain", "document_type", "document_description", "document_format", "locale",
                                  "text", "spans", "text_tagged"]  # fmt: skip
    assert set(table["domain"].to_pylist()) == {"Healthcare"}
    back = list(nemotron.read(tmp_path / "out", Losses("raise")))
    assert [d.text for d in back] == [n.text for n in notes]
    assert {s.label for d in back for s in d.spans} >= {"first_name", "last_name", "date"}


def test_conll_is_written(tmp_path):
    export(generate(Settings(), 20, 3), tmp_path / "out", "conll", labels("i2b2_2014"))
    assert len(list(conll.read(tmp_path / "out", Losses("count")))) == 20


def test_bad_exports_say_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="|".join(FORMATS)):
        export([], tmp_path / "x", "pdf")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DataError, match="not empty"):
        export([], tmp_path / "full", "jsonl")
    with pytest.raises(ConfigError, match=r"settings\.convention=parts"):
        export(generate(Settings(), 5, 3), tmp_path / "y", "jsonl", labels("nemotron55"))


def test_bad_sizes_and_splits_list_the_choices(tmp_path):
    with pytest.raises(ConfigError, match="at least one note"):
        load_synthetic(cache_dir=tmp_path, seed=0, sizes={"train": 0})
    with pytest.raises(ConfigError, match="unknown split dev; choose from train, validation, test"):
        load_synthetic(cache_dir=tmp_path, seed=0, sizes={"dev": 5})


@pytest.mark.parametrize("data", ["synthetic", "synthetic_fairness"])
def test_the_shipped_configs_load(tmp_path, data):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        cfg = compose("train", overrides=[f"data={data}"])
    assert cfg.labels.name == "i2b2_2014"
    cfg.data.sizes = {"train": 10, "validation": 2, "test": 32}
    loaded = instantiate(cfg.data, cache_dir=tmp_path, _convert_="all")
    if data == "synthetic_fairness":
        assert {d.meta["culture"] for d in loaded.iterate("train")} == {"us"}
        assert len({(d.meta["culture"], d.meta["gender"]) for d in loaded.iterate("test")}) == 32


def test_the_script_writes_files(tmp_path):
    out = tmp_path / "notes"
    command = [sys.executable, "scripts/synthesize.py", "count=3", "labels=i2b2_2014", f"output_dir={out}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    lines = (out / "notes.jsonl").read_text().splitlines()
    assert len(lines) == 3 and json.loads(lines[0])["meta"]["institution"]


def test_a_split_may_be_counterfactual_twins(tmp_path):
    cultures = {"train": {"us": 1}, "test": {"us": 1, "hindi": 1, "polish": 0}}
    corpus = load_synthetic(
        cache_dir=tmp_path, seed=1, sizes={"train": 2, "test": 3}, cultures=cultures, twins=["test"], workers=1
    )
    cells = [(d.meta["twin"], d.meta["culture"], d.meta["gender"]) for d in corpus.iterate("test")]
    assert len(cells) == len(set(cells)) == 3 * 2 * 2
    assert {culture for _, culture, _ in cells} == {"us", "hindi"}
    assert all("twin" not in d.meta for d in corpus.iterate("train"))


def test_the_nemotron_format_needs_no_other_setting(tmp_path):
    command = [sys.executable, "scripts/synthesize.py", "count=12", "format=nemotron", f"output_dir={tmp_path / 'out'}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    known = {label.lower() for label in labels("nemotron55").types}
    found = {s.label for d in nemotron.read(tmp_path / "out", Losses("raise")) for s in d.spans}
    assert {"first_name", "last_name"} <= found <= known
