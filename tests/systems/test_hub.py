"""Token classifiers of others: their labels and schemes are understood, long notes stay whole, mistakes are named."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from deidlab.labels import LabelSet
from deidlab.systems import hub
from deidlab.types import ConfigError, DataError, Document

LABELS = LabelSet("ours", ("NAME", "WHEN"), maps={"stanford": {"PATIENT": "NAME", "DATE": "WHEN"}})
OUTPUTS = {
    "BIO": ["B-DATE", "O", "I-DATE", "B-STAFF", "I-STAFF"],
    "BILOU": ["O", *(f"{p}-{t}" for p in "LUBI" for t in ("STAFF", "DATE"))],
    "BIOES": ["O", *(f"{p}_{t}" for p in "SEIB" for t in ("STAFF", "DATE"))],
    "IO": ["I-STAFF", "I-DATE", "O"],
    "plain": ["DATE", "O", "STAFF"],
}
MAP = {"STAFF": "NAME", "DATE": "WHEN"}


@pytest.fixture(scope="module")
def classifier(tiny_backbones, tmp_path_factory):
    """Make a folder with a tiny random token classifier that has these outputs, as a hub would hand it out."""

    def make(outputs: list[str]):
        folder = tmp_path_factory.mktemp("classifier")
        names = dict(enumerate(outputs))
        config = AutoConfig.from_pretrained(
            tiny_backbones["bert"], num_labels=len(outputs), id2label=names, label2id={v: k for k, v in names.items()}
        )
        torch.manual_seed(3)
        model = AutoModelForTokenClassification.from_config(config)
        model.classifier.weight.data.normal_(std=2.0)  # an untrained head of normal size is silent
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(tiny_backbones["bert"]).save_pretrained(folder)
        return folder

    return make


@pytest.mark.parametrize("scheme", OUTPUTS)
def test_labels_of_any_scheme_are_understood_and_mapped(classifier, obvious_notes, scheme):
    notes = obvious_notes(6)
    system = hub.load(str(classifier(OUTPUTS[scheme])), LABELS, label_map=MAP)
    assert system.own.scheme == ("IO" if scheme == "plain" else scheme)
    predicted = list(system.predict(notes))
    assert [p.document_id for p in predicted] == [n.id for n in notes]
    assert {s.label for p in predicted for s in p.spans} <= {"NAME", "WHEN"}
    assert any(p.spans for p in predicted), "nothing predicted: this test claims nothing"


def test_each_output_of_the_model_speaks_for_its_own_label(classifier):
    """One output alone is favoured by its bias; what is found must be of its type, wherever it stands."""
    for name, expected in (("B-DATE", "WHEN"), ("B-STAFF", "NAME")):
        system = hub.load(str(classifier(OUTPUTS["BIO"])), LABELS, label_map=MAP)
        system.model.classifier.bias.data[OUTPUTS["BIO"].index(name)] = 1e4
        (prediction,) = system.predict([Document("a", "the patient was seen")])
        assert [s.label for s in prediction.spans] == [expected] * 4


def test_a_label_may_be_left_out_and_a_vocabulary_needs_no_map(classifier, obvious_notes):
    folder = str(classifier(OUTPUTS["plain"]))
    only = hub.load(folder, LABELS, label_map={"STAFF": "O", "DATE": "WHEN"})
    assert {s.label for p in only.predict(obvious_notes(6)) for s in p.spans} == {"WHEN"}
    stanford = hub.load(folder, LABELS, vocabulary="stanford", label_map={"STAFF": "PATIENT"})
    assert stanford.mapping == {"DATE": "WHEN", "STAFF": "NAME"}


def test_long_notes_are_read_to_their_end(classifier):
    system = hub.load(str(classifier(OUTPUTS["plain"])), LABELS, label_map=MAP, stride=8)
    system.model.classifier.bias.data[OUTPUTS["plain"].index("DATE")] = 1e4
    note = Document("long", "the patient Mr Smith was seen " * 400)
    (prediction,) = system.predict([note])
    assert prediction.spans[0].start == 0 and prediction.spans[-1].end == len(note.text.rstrip())


def test_what_the_map_misses_is_listed(classifier):
    with pytest.raises(DataError, match=r"STAFF.*system.label_map=\{STAFF: O, ...\}.*Labels of the model: DATE, STAFF"):
        hub.load(str(classifier(OUTPUTS["BIO"])), LABELS, label_map={"DATE": "WHEN"})
    with pytest.raises(ConfigError, match=r"system.label_map names DOCTOR; the model's labels are DATE, STAFF"):
        hub.load(str(classifier(OUTPUTS["BIO"])), LABELS, label_map={**MAP, "DOCTOR": "NAME"})


def test_labels_that_say_nothing_are_refused():
    with pytest.raises(ConfigError, match="does not say what its labels mean"):
        hub.own_labels("m", ["O", "LABEL_1", "LABEL_2"])
    with pytest.raises(ConfigError, match=r"has no label 'O' for no entity: set system.outside"):
        hub.own_labels("m", ["OTHER", "NAME"])
    with pytest.raises(ConfigError, match="mixes the prefixes"):
        hub.own_labels("m", ["O", "B-X", "L-X", "S-X"])
    own, columns = hub.own_labels("m", ["OTHER", "NAME"], outside="OTHER")
    assert own.tags == ("O", "I-NAME") and columns.tolist() == [0, 1]


def test_a_model_that_is_neither_here_nor_reachable_says_what_to_download(monkeypatch):
    from huggingface_hub import HfApi

    def unreachable(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    with pytest.raises(
        ConfigError, match=r"hf download some/model --revision abc --local-dir DIR.*system.pretrained=DIR"
    ):
        hub.load("some/model", LABELS, revision="abc")
