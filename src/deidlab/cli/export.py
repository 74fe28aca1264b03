"""`deidlab export`: a run becomes a folder that runs without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deidlab.types import ConfigError, Losses


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run of train.py: its folder, or its checkpoint/.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write; it must not exist.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="For ONNX Runtime, the only format there is.")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Products in 8 bits; measured on --notes, or refused.")] = False,
    notes: Annotated[
        Path | None,
        typer.Option(help="Notes to compare run and export on: i2b2 XML, or a .jsonl with spans; best with gold."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Compare on so many of the notes.")] = 100,
) -> None:
    """Export a run, and say how far the export finds what the run finds."""
    if not onnx:
        raise ConfigError("say which format to export to: --onnx")
    from itertools import islice

    from deidlab.corpora import i2b2_2014, jsonl
    from deidlab.export import export_onnx

    documents = []
    if notes is not None:
        reader = jsonl if notes.suffix in (".jsonl", ".json") else i2b2_2014
        documents = list(islice(reader.read(notes, Losses("count")), most))
    told = export_onnx(run, out, documents, int8=int8)
    typer.echo(f"{out}/: model.onnx, tokenizer.json, deidlab.json")
    typer.echo(f"agreement: {told}" if told else "agreement with the run was not measured: name notes with --notes")
