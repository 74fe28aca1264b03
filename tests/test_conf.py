"""Every config under conf/ composes with the door that it belongs to, and binds to what it configures."""

import inspect
import re
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import MissingConfigException
from hydra.utils import get_object
from omegaconf import OmegaConf, open_dict

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
DOORS = {
    file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted(CONF.glob("*.yaml")) if file.stem != "door"
}
LAUNCHES = CONF / "accelerate"  # read by `accelerate launch`, not by Hydra
FILES = sorted(file.relative_to(CONF) for file in CONF.rglob("*.yaml") if file.parent not in (CONF, LAUNCHES))
# Hydra's own words in a node, which are no arguments.
HYDRA = {"_target_", "_partial_", "_args_", "_convert_", "_recursive_"}


def groups(door: str) -> set[str]:
    """The config groups of a door's defaults."""
    names = set()
    for entry in DOORS[door].get("defaults", []):
        if isinstance(entry, dict):
            names.update(key.removeprefix("optional ").removeprefix("override ").split("@")[0] for key in entry)
    return names


def door_of(group: str) -> str:
    """The door that a group belongs to; `train` first, where several know it."""
    order = sorted(DOORS, key=lambda door: (door != "train", door))
    owner = next((door for door in order if group in groups(door)), None)
    assert owner, f"no door has the group {group} in its defaults: conf/{group} cannot be chosen"
    return owner


def composed(door: str, *overrides: str):
    """What the door would see, with Hydra's own settings at hand for `${hydra:...}`."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(door, list(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    return config


@pytest.fixture(autouse=True)
def no_hydra_settings_stay_behind():
    yield
    HydraConfig.instance().cfg = None


def targets(node, path: str = "") -> list[tuple[str, dict]]:
    """Every node with a `_target_`, however deep, with its path."""
    found = []
    if isinstance(node, dict):
        if "_target_" in node:
            found.append((path, node))
        for key, value in node.items():
            found += targets(value, f"{path}.{key}".strip("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            found += targets(value, f"{path}[{number}]")
    return found


def check_binding(config) -> None:
    """Each `_target_` exists and takes the keys beside it; the settings of training are those that `train` takes."""
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    for path, node in targets(plain):
        target = get_object(node["_target_"])
        settings = {key: value for key, value in node.items() if key not in HYDRA}
        try:
            inspect.signature(target).bind_partial(*node.get("_args_", ()), **settings)
        except TypeError as error:
            raise AssertionError(f"{path}: {node['_target_']} {error}") from None
    if "training" in plain and "_target_" not in plain["training"]:
        from deidlab.training import train

        inspect.signature(train).bind_partial(**plain["training"])


@pytest.mark.parametrize("door", DOORS)
def test_a_door_composes_as_it_is(door):
    check_binding(composed(door))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_config_composes_with_its_door_and_binds(file, monkeypatch):
    monkeypatch.delenv("DEIDLAB_DATA", raising=False)
    group = file.parent.as_posix()
    try:
        config = composed(door_of(group), f"{group}={file.stem}")
    except MissingConfigException as error:
        if error.missing_cfg_file and error.missing_cfg_file.startswith(("hydra/launcher/", "hydra/sweeper/")):
            pytest.skip(f"{error.missing_cfg_file} comes with an extra that is not installed")
        raise
    check_binding(config)


@pytest.mark.parametrize("file", sorted(LAUNCHES.glob("*.yaml")), ids=lambda file: file.stem)
def test_accelerate_reads_its_launches(file):
    launch = load_config_from_file(str(file))
    assert launch.num_processes >= 1 and launch.distributed_type


@pytest.mark.parametrize("file", sorted((CONF / "data").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_corpus_has_a_data_card_that_its_config_points_to(file):
    (card,) = set(re.findall(r"data_cards/\w+\.md", file.read_text("utf-8"))) or {f"data_cards/{file.stem}.md"}
    text = (ROOT / card).read_text("utf-8")
    assert text.startswith("# ") and re.search(rf"data={file.stem}\b|conf/data/{file.stem}\.yaml", text)
    for word in ("licence", "size", "label"):
        assert word in text.lower(), f"{card} does not tell its {word}"
    assert composed("evaluate", f"data={file.stem}").data._target_


@pytest.mark.parametrize("model", sorted(file.stem for file in (CONF / "model").glob("*.yaml")))
def test_pretrained_weights_state_their_licence(model):
    settings = composed("train", f"model={model}").model
    assert "pretrained" not in settings or settings.get("licence"), "state the licence (unknown is an answer)"


def test_a_mistyped_setting_is_refused_when_composing():
    with pytest.raises(Exception, match="learning_rat"):
        composed("train", "training.learning_rat=1")


def test_the_corpus_chooses_its_labels_and_the_command_line_wins():
    assert composed("train", "data=nemotron").labels.name == "nemotron25"
    assert composed("train", "data=nemotron", "labels=nemotron55").labels.name == "nemotron55"
    assert composed("evaluate", "data=meddocan").labels.name == "meddocan"


def test_no_config_and_no_result_names_a_place_of_this_machine():
    for file in (*CONF.rglob("*.yaml"), *(CONF.parent / "experiments").rglob("*.json")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            assert not any(place in line for place in ("/home/", "/work/", "/root/", "/Users/")), (
                f"{file.name}:{number}"
            )
