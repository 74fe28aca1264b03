"""Models, experiments, launches and trackers: every file composes and binds."""

import importlib.util
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

CONF = Path(__file__).parents[1] / "conf"
MODELS = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))
PLUGINS = {"slurm": "hydra_plugins.hydra_submitit_launcher", "search": "hydra_plugins.hydra_optuna_sweeper"}


def composed(*overrides: str):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", overrides=list(overrides), return_hydra_config=True)


def has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_every_backbone_of_the_readme_is_there():
    wanted = (
        "longformer longformer_base bert clinicalbert pubmedbert roberta deberta deberta_lora modernbert stanford "
        "minilm phi3_lora llama_lora llama8b_lora qwen_lora qwen7b_lora tiny"
    )
    assert set(wanted.split()) <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_backbone_binds_and_is_pinned_by_a_whole_commit_or_not_at_all(name):
    backbone = instantiate(composed(f"model={name}").model, _convert_="all")
    assert backbone.revision is None or (len(backbone.revision) == 40 and int(backbone.revision, 16))
    assert backbone.licence and backbone.max_length > backbone.stride
    told = backbone.provenance(str(CONF)), backbone.provenance("hub/name")
    assert told[0]["revision"] == backbone.revision, "a folder needs no pin"
    if backbone.revision is None and name != "tiny":
        assert "not pinned" in told[1]["revision"]


@pytest.mark.parametrize("name", sorted(file.stem for file in (CONF / "experiment").glob("*.yaml")))
def test_an_experiment_composes(name):
    if name in PLUGINS and not has(PLUGINS[name]):
        pytest.skip(f'needs pip install -e ".[{name}]"')
    assert composed(f"experiment={name}").training.epochs >= 1


def test_the_recipe_of_clinical_deid_is_reproduced_to_the_letter():
    cfg = composed("experiment=clinical_deid")
    training, model = cfg.training, cfg.model
    assert (training.learning_rate, training.weight_decay, training.epochs, training.clip) == (5e-5, 0.01, 10, 1.0)
    assert (training.pad_to, training.batch_tokens // training.pad_to, training.precision) == (4096, 4, "fp32")
    assert (training.objective.class_weights, training.objective.weight_cap) == ("inverse_frequency", 10.0)
    assert (model.pretrained, model.max_length, model.unit) == ("yikuan8/Clinical-Longformer", 4096, "subword")
    assert model.dropout is model.attention_dropout is None, "the model's own"
    assert training.keep_empty == 1.0 and cfg.evaluation.subwords
    assert (cfg.data.split_by, cfg.data.fractions.test, cfg.data.seed) == ("document", 0.2, 42)
    assert cfg.select_on == "test" and len(instantiate(cfg.labels, _convert_="all").tags) == 101


@pytest.mark.parametrize("name", ["none", "tensorboard", "wandb"])
def test_a_tracker_binds(name, tmp_path):
    tracker = instantiate(composed(f"tracking={name}").tracking, _partial_=True)
    assert tracker(folder=tmp_path, settings={}, name="run").__enter__, "a context manager, not entered"


@pytest.mark.parametrize("file", sorted((CONF / "accelerate").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_launch_is_one_that_accelerate_knows(file):
    from accelerate.commands.config.config_args import ClusterConfig

    launch = ClusterConfig.from_yaml_file(str(file))
    assert launch.num_processes >= 2
