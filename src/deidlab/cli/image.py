"""`deidlab image`: what the options mean, and what is said when it is done."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deidlab.cli import options
from deidlab.cli.options import option
from deidlab.types import ConfigError

if TYPE_CHECKING:
    from deidlab.bulk.images import Outcome

READ, COVERED, LIMITS, RUNNING = "How pages are read", "What is covered", "What is not opened", "How the job runs"


def image(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A PNG, JPEG, TIFF, PDF or DICOM file, or a folder of them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The output, of the same format; a folder for a folder.")],
    model: options.Model = None,
    ocr: Annotated[
        str, option("rapidocr, tesseract, or both: rapidocr,tesseract covers what either gives reason for.", READ)
    ] = "rapidocr",
    language: Annotated[str, option("Tesseract's languages: eng, spa, eng+spa.", READ)] = "eng",
    dpi: Annotated[int, option("Dots an inch at which PDF pages are drawn and written.", READ)] = 200,
    deskew: Annotated[bool, option("Straighten pages before they are read.", READ)] = True,
    invert: Annotated[bool, option("Read white on black as black on white.", READ)] = True,
    fill: Annotated[str, option("black, grey or white. A blur can be undone, and is refused.", COVERED)] = "black",
    padding: Annotated[float, option("Margin of boxes, in heights of the line.", COVERED)] = 0.12,
    least_confidence: Annotated[
        float, option("Words that were read less surely are covered, whatever they say.", COVERED)
    ] = 0.55,
    unreadable: Annotated[
        bool,
        option(
            "Cover what looks like text and could not be read, or pass it.",
            COVERED,
            "--cover-unreadable/--pass-unreadable",
        ),
    ] = True,
    policy: Annotated[
        str, option("hipaa_safe_harbor, limited_data_set, i2b2, or a YAML file: labels that it keeps stay.", COVERED)
    ] = "hipaa_safe_harbor",
    rules: options.Rules = True,
    rules_only: options.RulesOnly = False,
    consistency: options.Consistency = True,
    max_megapixels: Annotated[float, option("A larger page fails instead of taking all memory.", LIMITS)] = 100.0,
    max_pages: Annotated[int, option("A file of more pages or frames is refused.", LIMITS)] = 5000,
    overwrite: Annotated[bool, option("Replace an output that exists.", RUNNING, "--overwrite")] = False,
    workers: Annotated[int, option("Processes that read pages side by side.", RUNNING, "--workers", "-j")] = 1,
    device: Annotated[str, option("auto, cpu, cuda, mps: where the model runs.", RUNNING)] = "auto",
    quiet: Annotated[bool, option("No progress, no summary.", RUNNING, "--quiet", "-q")] = False,
) -> None:
    """Cover the identifiers in pictures of text: scans, photographs, PDFs, DICOM frames.

    Everything else stays pixel for pixel (JPEG is encoded anew); metadata, text layers and DICOM headers are cleaned.
    A page that cannot be read is black in the output and is listed; exit status 1.

    **Examples**

    - `deidlab image letter.png -m outputs/001 -o shared.png`

    - `deidlab image scans.pdf -m outputs/001 -o shared.pdf --ocr rapidocr,tesseract --workers 4`

    - `deidlab image ultrasound.dcm -m outputs/001 -o shared.dcm` what the header says is covered in the pixels too

    - `deidlab image archive/ -m outputs/001 -o shared/`
    """
    from deidlab.bulk import images
    from deidlab.images.boxes import Covering
    from deidlab.images.fill import check_fill
    from deidlab.images.formats.source import Limits
    from deidlab.images.preparing import Preparation

    options.check_model(model, rules_only)
    check_fill(fill)
    covering = Covering(padding=padding, least_confidence=least_confidence, unreadable=unreadable)
    names = tuple(name.strip() for name in ocr.split(",") if name.strip())
    limits = Limits(max_megapixels, max_pages, dpi)
    sight = images.Sight(names, language, Preparation(invert=invert, deskew=deskew), limits)
    files = images.files_of(source)
    places = outputs(source, files, out, overwrite)
    with images.readers(sight, workers) as pool:
        from deidlab import deidentifier
        from deidlab.progress import progress_bar

        find = images.finder(
            # Nothing is written in place of an identifier: a policy that wants a key gets one to throw away.
            deidentifier.load(
                model, policy=policy, key=secrets.token_bytes(32), rules=rules, consistency=consistency, device=device
            )
        )
        outcomes = []
        with progress_bar(disable=quiet, stderr=True) as bar:
            task = bar.add_task("pages", total=None, note="")
            for number, (file, place) in enumerate(zip(files, places, strict=True), start=1):
                outcomes.append(
                    images.redact_file(
                        file,
                        place,
                        find,
                        sight,
                        covering,
                        fill=fill,
                        pool=pool,
                        progressed=lambda pages, number=number: bar.update(  # type: ignore[misc]
                            task, advance=pages, note=f"file {number:,} of {len(files):,}"
                        ),
                    )
                )
    if told(outcomes, quiet):
        raise typer.Exit(1)


def outputs(source: Path, files: Sequence[Path], out: Path, overwrite: bool) -> list[Path]:
    """Where each file goes; raises `ConfigError` where that would replace the input or, unasked, anything else."""
    places = [out / file.relative_to(source) for file in files] if source.is_dir() else [out]
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"--out {out} lies in the input {source}: the output would be read as input next time")
    for file, place in zip(files, places, strict=True):
        if place.resolve() == file.resolve():
            raise ConfigError(f"--out {place} is the input")
        if place.is_dir():
            raise ConfigError(f"--out {place} is a folder; name a file")
        if place.exists() and not overwrite:
            raise ConfigError(f"--out {place} exists: choose another, or say --overwrite")
    return places


def told(outcomes: Sequence[Outcome], quiet: bool) -> bool:
    """Say what became of the files, of what failed also when asked to be quiet; gives whether anything failed."""
    for outcome in outcomes:
        if outcome.failed:
            typer.echo(f"failed, not written: {outcome.failed}", err=True)
        else:
            for page, why in outcome.failed_pages:
                typer.echo(f"page {page} is black: {why}", err=True)
        if not quiet and not outcome.failed:
            kinds = ", ".join(f"{label} {count:,}" for label, count in outcome.counts.most_common())
            typer.echo(
                f"{outcome.name}: {outcome.pages:,} pages, {outcome.covered:.1%} covered; found {kinds or 'nothing'}",
                err=True,
            )
    return any(outcome.failed or outcome.failed_pages for outcome in outcomes)
