"""`deidlab convert`: annotated notes from one format to another, with a label map and splits by patient."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from deidlab.cli import reading
from deidlab.cli.options import option
from deidlab.types import ConfigError

LABELS, SPLITS, OUTPUT = "Labels", "Splits", "What is written"


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file or a folder of annotated notes.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="The folder to write; new, or empty.")] = None,
    to: Annotated[
        str,
        option("jsonl, brat, i2b2, i2b2_2006, conll, doccano, label_studio, prodigy, cas_json, cas_xmi.", OUTPUT),
    ] = "jsonl",
    scheme: Annotated[str, option("Of conll: IO, BIO, BIOES or BILOU.", OUTPUT)] = "BIO",
    form: reading.Form = "auto",
    encoding: reading.Encoding = "utf-8",
    annotators: reading.Annotators = "error",
    patient_pattern: reading.PatientPattern = None,
    layer: reading.LayerName = None,
    feature: reading.Feature = None,
    on_error: Annotated[
        str, option("raise, or count: leave a faulty span or note out, count it, go on.", reading.PANEL)
    ] = "raise",
    labels: Annotated[Path | None, option("A label map, as --draft-map writes one.", LABELS)] = None,
    draft_map: Annotated[
        Path | None, option("Draft a label map into this file and convert nothing.", LABELS, "--draft-map")
    ] = None,
    label_set: Annotated[
        str, option("The types to draft for: a YAML file, or a name in conf/labels.", LABELS)
    ] = "i2b2_2014",
    split_by_patient: Annotated[
        str | None, option("Shares of train, validation and test, as .8/.1/.1.", SPLITS)
    ] = None,
    split_by_note: Annotated[str | None, option("The same where every note stands alone.", SPLITS)] = None,
    seed: Annotated[int, option("Of the split.", SPLITS)] = 0,
) -> None:
    """Convert annotated notes; what the new format or the map has no place for is counted and shown.

    Nothing is repaired: a span that does not fit its text is an error, or counted (`--on-error count`).

    **Examples**

    - `deidlab convert export.json --draft-map map.yaml`, mend the map, then

    - `deidlab convert export.json ours/ --labels map.yaml --split-by-patient .8/.1/.1`

    - `deidlab convert notes-brat/ for-inception/ --to cas_json`

    - `deidlab convert old/ new/ --encoding cp1252 --on-error count`
    """
    from deidlab.corpora import converting, label_maps
    from deidlab.types import Losses

    if on_error not in ("raise", "count"):
        raise ConfigError(f"--on-error {on_error}: expected raise or count")
    if (out is None) == (draft_map is None):
        raise ConfigError("name the folder to write (OUT), or the file of a label map to draft (--draft-map)")
    if split_by_patient and split_by_note:
        raise ConfigError("give --split-by-patient or --split-by-note, not both")
    how = reading.how(form, encoding, annotators, patient_pattern, layer, feature)
    losses = Losses(on_error, setting="--on-error")  # type: ignore[arg-type]
    if draft_map is not None:
        draft(source, draft_map, label_set, how, losses)
        return
    assert out is not None
    cutting = None
    if shares := split_by_patient or split_by_note:
        cutting = converting.Cut.parsed(shares, "patient" if split_by_patient else "document", seed)
    written = converting.convert(
        source, out, to, reading=how, losses=losses, mapping=label_maps.load_map(labels) if labels else None,
        map_name=str(labels), cutting=cutting, scheme=scheme,  # type: ignore[arg-type]
    )  # fmt: skip
    for name, number in written.items():
        typer.echo(f"{out / name if name else out}/: {number} notes ({to})")
    show(losses.rows())


def draft(source: Path, file: Path, label_set: str, how, losses) -> None:
    """Write the draft of a label map and say what is left to do."""
    from deidlab.corpora import converting, label_maps

    labels = label_maps.load_labels(label_set)
    counts = converting.label_counts(converting.read_splits(source, how, losses))
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(label_maps.drafted(counts, labels))
    except OSError as error:
        raise ConfigError(f"--draft-map {file}: {error.strerror}") from None
    unsure = [label for label in counts if label_maps.guess(label, labels).type is None]
    typer.echo(f"{file}: {len(counts)} labels, {len(unsure)} of them {label_maps.UNSURE}")
    show(losses.rows())


def show(rows: Iterable[dict]) -> None:
    """What was left out or counted, for the eyes of whoever must decide whether it matters."""
    for row in rows:
        label = "" if row["label"] == "-" else f" {row['label']}"
        typer.echo(f"  {row['count']} {row['reason']}{label}", err=True)
