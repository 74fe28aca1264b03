"""The shipped label sets and data configs: complete, bindable, and each data config brings its label set."""

import inspect
from pathlib import Path

import pytest
from hydra.utils import get_method, instantiate
from omegaconf import OmegaConf

from deidlab.labels import LabelSet

ROOT = Path(__file__).parents[1]
LABEL_SETS = {
    file.stem: instantiate(OmegaConf.load(file), _convert_="all")
    for file in (ROOT / "conf" / "labels").glob("*.yaml")
    if file.stem != "extended"  # grows out of one of the others
}
SHIPPED = ("nemotron25", "nemotron55", "i2b2_2014", "stanford", "jsl7", "meddocan", "binary")
CORPORA = ("nemotron", "i2b2_2014", "i2b2_2006", "meddocan", "brat", "conll", "jsonl", "inception")
CATEGORIES = {"NAME", "PROFESSION", "LOCATION", "AGE", "DATE", "CONTACT", "ID", "OTHER"}
I2B2_2006 = ("PATIENT", "DOCTOR", "HOSPITAL", "LOCATION", "DATE", "AGE", "PHONE", "ID")
VOCABULARIES = {
    "nemotron": [label.lower() for label in LABEL_SETS["nemotron55"].types],
    "i2b2_2006": I2B2_2006,
    **{name: LABEL_SETS[name].types for name in ("i2b2_2014", "meddocan", "stanford")},
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_label_set_has_a_place_for_every_label_of_every_vocabulary(name):
    labels = LABEL_SETS[name]
    assert isinstance(labels, LabelSet) and labels.name == name
    for vocabulary, known in VOCABULARIES.items():
        mapping = labels.mapping_for(vocabulary, known)
        assert set(mapping) == set(known)
        assert set(labels.maps.get(vocabulary, {})) <= set(known), f"{vocabulary} has labels that are not of it"
    assert set(labels.coarse["category"].values()) <= CATEGORIES
    assert set(labels.coarse["binary"].values()) == {"PHI"}
    assert {labels.coarse["category"][label] for label in labels.names} <= {"NAME"}


def test_nemotron25_numbers_its_tags_as_the_published_model_does():
    tags = LABEL_SETS["nemotron25"].tags
    assert len(tags) == 101
    assert tags[:6] == ("O", "B-FIRST_NAME", "I-FIRST_NAME", "L-FIRST_NAME", "U-FIRST_NAME", "B-LAST_NAME")
    assert tags[-4:] == ("B-AGE", "I-AGE", "L-AGE", "U-AGE")


def test_sizes_and_schemes():
    assert {name: (len(LABEL_SETS[name].types), LABEL_SETS[name].scheme) for name in SHIPPED} == {
        "nemotron25": (25, "BILOU"),
        "nemotron55": (55, "BILOU"),
        "i2b2_2014": (31, "BIO"),
        "stanford": (7, "BIO"),
        "jsl7": (7, "BIO"),
        "meddocan": (29, "BIO"),
        "binary": (1, "BIO"),
    }


def test_a_map_never_turns_a_name_into_something_else():
    """Whatever the set, the label of a person's name goes to a type that is a name (or to the one type there is)."""
    person = {
        "nemotron": ("first_name", "last_name"),
        "i2b2_2014": ("PATIENT", "DOCTOR"),
        "i2b2_2006": ("PATIENT", "DOCTOR"),
        "meddocan": ("NOMBRE_SUJETO_ASISTENCIA", "NOMBRE_PERSONAL_SANITARIO"),
        "stanford": ("PATIENT", "HCW"),
    }
    for name in SHIPPED:
        labels = LABEL_SETS[name]
        for vocabulary, names in person.items():
            mapped = set(labels.mapping_for(vocabulary, names).values())
            assert mapped <= set(labels.names or ("PHI",)), (name, vocabulary)


@pytest.fixture
def composed(tmp_path):
    """Compose a primary config whose defaults are `labels` and then `data`, as conf/train.yaml has them."""
    from hydra import compose, initialize_config_dir

    for group in ("labels", "data"):
        (tmp_path / group).symlink_to(ROOT / "conf" / group, target_is_directory=True)
    (tmp_path / "primary.yaml").write_text("defaults:\n  - labels: jsl7\n  - data: jsonl\n  - _self_\n")

    def config(*overrides):
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            return compose("primary", list(overrides))

    return config


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_data_config_binds_brings_its_label_set_and_has_a_card(composed, corpus, monkeypatch):
    monkeypatch.delenv("DEIDLAB_DATA", raising=False)
    config = composed(f"data={corpus}")
    settings = {key: value for key, value in config.data.items() if key != "_target_"}
    load = get_method(config.data._target_)
    inspect.signature(load).bind(**settings, cache_dir="anywhere")
    instantiate(config.data.reader)
    expected = {"nemotron": "nemotron25", "meddocan": "meddocan"}.get(corpus, "i2b2_2014")
    assert config.labels.name == expected
    assert composed(f"data={corpus}", "labels=stanford").labels.name == "stanford"
    assert (ROOT / "data_cards" / f"{corpus}.md").read_text().startswith("# ")


def test_meddocan_trains_from_the_environment(composed, shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("DEIDLAB_DATA", str(shared_data))
    corpus = instantiate(composed("data=meddocan").data, cache_dir=tmp_path / "corpus", _convert_="all")
    assert {split: len(notes) for split, notes in corpus.documents.items()} == {
        "train": 475,
        "validation": 25,
        "test": 250,
    }
    assert corpus.losses.rows() == []
    assert not {note.id for note in corpus.iterate("train")} & {note.id for note in corpus.iterate("validation")}


def test_meddocan_without_its_data_says_where_to_get_it(composed, tmp_path, monkeypatch):
    monkeypatch.setenv("DEIDLAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(Exception, match=r"nowhere/meddocan does not exist; set data.path=FOLDER.*temu.bsc.es"):
        instantiate(composed("data=meddocan").data, cache_dir=tmp_path / "corpus", _convert_="all")
