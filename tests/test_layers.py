"""Imports only go down: the layers of the design, read from the source as it stands."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "deidlab"
# A new module or package takes its place here. A layer may import its own and those below it.
LAYERS = (
    ("types", "labels"),
    ("corpora", "synthesis", "extending", "extrapolation", "canaries", "encoding", "word_shapes", "word_bounds",
     "tokenizing", "stitching",
     "decoding", "metrics", "calibration", "conformal",
     "scored_notes", "uncertainty",
     "redaction", "augmentation", "surrogates", "images", "progress", "runs", "merging", "rules"),
    ("hardware", "hub", "attention", "cheaper_steps", "adapters", "packing", "crf", "objectives", "random_backbones",
     "models", "checkpoints", "inference",
     "surgery", "optimization", "forgetting", "frozen_layers", "last_layer",
     "batching", "resuming", "validation", "training",
     "onnx_graph"),
    ("systems",),
    ("evaluation", "judging", "excerpts", "views", "reporting", "tracking", "profiling", "deidentifier", "bulk",
     "comparing", "grids", "experiments", "learning_curve", "transfer", "review", "inspection", "energy", "speed",
     "pricing", "standings", "plans", "export", "interop", "model_card", "passport", "institution", "attacks",
     "calibrating", "flagging", "workload", "uncertainty_sources",
     "selecting", "service"),
    ("cli", "__main__"),
)  # fmt: skip
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
HEAVY = {"torch", "transformers", "accelerate", "peft", "hydra", "omegaconf", "wandb"}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "base", "manager"}

FILES = {
    ".".join(file.relative_to(SOURCE).with_suffix("").parts): file
    for file in sorted(SOURCE.rglob("*.py"))
    if file.name != "__init__.py"
}


def imports(file: Path, top_level_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports, for types only left out."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in tree.body if top_level_only else ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} line {node.lineno}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(file: Path, **which: bool) -> set[str]:
    """Modules of this package that a file imports, as keys of `FILES`."""
    return {name.removeprefix("deidlab.") for name in imports(file, **which)} & FILES.keys()


@pytest.mark.parametrize("module", FILES)
def test_imports_only_go_down(module):
    home = module.split(".")[0]
    assert home in LAYER_OF, f"give {home} a layer in tests/test_layers.py"
    for imported in ours(FILES[module]):
        there = imported.split(".")[0]
        assert LAYER_OF[there] <= LAYER_OF[home], (
            f"{module} (layer {LAYER_OF[home]}) imports {imported}, which is above"
        )


def test_no_module_imports_itself_by_a_detour():
    TopologicalSorter({module: ours(file, top_level_only=True) for module, file in FILES.items()}).prepare()


@pytest.mark.parametrize("module", [m for m in FILES if LAYER_OF.get(m.split(".")[0], 9) <= 1])
def test_the_lower_layers_know_neither_torch_nor_hydra(module):
    """`runs` alone may name them, inside the functions that the doors call."""
    found = {name.split(".")[0] for name in imports(FILES[module], top_level_only=module == "runs")} & HEAVY
    assert not found, f"{module} imports {', '.join(found)}"


@pytest.mark.parametrize("module", LAYERS[0])
def test_the_ground_stands_on_the_standard_library_and_numpy(module):
    roots = {name.split(".")[0] for name in imports(FILES[module])}
    assert roots <= {*sys.stdlib_module_names, "numpy", "deidlab"}


@pytest.mark.parametrize("module", [m for m in FILES if m != "runs"])
def test_only_the_doors_see_hydra(module):
    assert not {name.split(".")[0] for name in imports(FILES[module])} & {"hydra", "omegaconf"}


def test_package_files_hold_no_logic():
    for file in SOURCE.rglob("__init__.py"):
        statements = ast.parse(file.read_text("utf-8")).body
        if file.parent == SOURCE:  # its docstring, its version, and the one lazy name `load`
            assert [type(s).__name__ for s in statements] == ["Expr", "Assign", "FunctionDef"]
        else:
            assert not statements, f"{file.relative_to(SOURCE)} is not empty"


def test_no_module_is_named_after_nothing():
    for module in FILES:
        assert not set(module.split(".")) & FORBIDDEN_NAMES, module


def test_no_class_is_a_manager_and_nothing_is_evaluated():
    for module, file in FILES.items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(("Manager", "Helper", "Utils")), f"{module}.{node.name}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), f"{module} line {node.lineno}"
            if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, (
                    f"{module}: runs foreign code"
                )


def test_tests_mirror_the_source_with_names_of_their_own():
    tests = list(Path(__file__).parent.rglob("test_*.py"))
    assert len({file.name for file in tests}) == len(tests)
    assert not list(Path(__file__).parent.rglob("__init__.py"))
