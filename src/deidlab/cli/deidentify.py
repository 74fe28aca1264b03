"""`deidlab deidentify`: what the options mean, and what is said when it is done."""

from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deidlab.cli import options
from deidlab.cli.options import WHAT, option
from deidlab.types import ConfigError

if TYPE_CHECKING:
    from deidlab.bulk.engines import Engine, Make
    from deidlab.bulk.job import Job, Summary
    from deidlab.bulk.notes import Format, Reading

TABLES, RUNNING = "How notes are read", "How the job runs"


def deidentify(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A file (.txt, .xml, .jsonl, .csv, .tsv, .parquet), a folder of notes, or - for stdin.",
        ),
    ],
    model: options.Model = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the output goes; with stdin, stdout.")] = None,
    style: options.Style = None,
    policy: options.PolicyName = "hipaa_safe_harbor",
    key_file: options.KeyFile = None,
    key_env: options.KeyEnv = None,
    vault: Annotated[
        Path | None, option("Write the originals here, encrypted by the key: the only way back.", WHAT)
    ] = None,
    annotations: Annotated[Path | None, option("Write the annotations of the output here (JSONL).", WHAT)] = None,
    offsets: Annotated[Path | None, option("Write the maps between old and new offsets here (JSONL).", WHAT)] = None,
    review: Annotated[
        Path | None,
        option("Set notes with doubtful spans aside here, for `deidlab review`. HOLDS NOTE TEXT (mode 0600).", WHAT),
    ] = None,
    rules: options.Rules = True,
    rules_only: options.RulesOnly = False,
    consistency: options.Consistency = True,
    recall_target: Annotated[
        float | None,
        option(
            "Cover so much that at most this share of identifier characters is missed on average, e.g. 0.005; the "
            "model must have been calibrated (scripts/calibrate.py).",
            options.HOW,
        ),
    ] = None,
    text_column: Annotated[str, option("Column (or key) of the text.", TABLES)] = "text",
    id_column: Annotated[str | None, option("Column of the id that failed notes are listed by.", TABLES)] = None,
    patient_column: Annotated[
        str | None, option("Column of the patient: the same surrogates and date shift in all their notes.", TABLES)
    ] = None,
    patient_pattern: Annotated[
        str | None, option("Regular expression; its first group in a note's id or file name is the patient.", TABLES)
    ] = None,
    encoding: Annotated[str, option("Encoding of the input, and of the output. Never guessed.", TABLES)] = "utf-8",
    format: Annotated[
        str, option("txt, brat, i2b2, jsonl, csv, parquet, where the name does not tell.", TABLES)
    ] = "auto",
    delimiter: Annotated[str | None, option("Of a CSV file; a comma, in .tsv a tab.", TABLES)] = None,
    max_note_mb: Annotated[float, option("A larger note fails instead of taking all memory.", TABLES)] = 16.0,
    failed: Annotated[Path | None, option("Where failed notes are listed (id and reason).", RUNNING)] = None,
    resume: Annotated[bool, option("Go on with a job that was killed.", RUNNING, "--resume")] = False,
    overwrite: Annotated[bool, option("Replace an output that exists.", RUNNING, "--overwrite")] = False,
    engine: Annotated[str, option("local, or ray: on a cluster, with the same output.", RUNNING)] = "local",
    workers: Annotated[
        int | None,
        option("Processes, each with a model of its own: one; with ray as many as fit.", RUNNING, "--workers", "-j"),
    ] = None,
    device: Annotated[str, option("auto, cpu, cuda, mps.", RUNNING)] = "auto",
    batch_tokens: Annotated[int, option("Tokens the model sees at once.", RUNNING)] = 8192,
    quiet: Annotated[bool, option("No progress, no summary.", RUNNING, "--quiet", "-q")] = False,
) -> None:
    """Take the identifiers out of notes: everything else stays byte for byte.

    A note in which anything goes wrong is not written: it is listed, by its id and the reason, in `failed.jsonl`, the
    exit status is 1, and the others are done.

    **Examples**

    - `deidlab deidentify notes/ --model outputs/001 --out shared/`

    - `deidlab deidentify notes.csv -m outputs/001 -o shared.csv --text-column body --id-column note_id`

    - `deidlab deidentify notes.parquet -m RUN -o shared.parquet --style surrogate --key-file key --patient-column mrn`

    - `deidlab deidentify notes.csv -m RUN -o shared.csv --review queue.jsonl`, then `deidlab review queue.jsonl`

    - `deidlab deidentify - -m outputs/001 < note.txt`

    - `deidlab deidentify notes.jsonl -m outputs/001 -o shared.jsonl --resume` after a kill, with the same options

    A key is a secret of your own, never written anywhere:
    `python -c "import secrets; print(secrets.token_hex(32))" > key`
    """
    from deidlab.bulk.notes import Reading

    options.check_model(model, rules_only)
    if workers is not None and workers < 1:
        raise ConfigError(f"--workers {workers}: expected 1 or more")
    if not 0 < max_note_mb < math.inf:
        raise ConfigError(f"--max-note-mb {max_note_mb:g}: expected a number above 0")
    if batch_tokens < 1:
        raise ConfigError(f"--batch-tokens {batch_tokens}: expected 1 or more")
    reading = Reading(
        encoding, text_column, id_column, patient_column, patient_pattern, delimiter, int(max_note_mb * 2**20)
    )
    secret = options.needed_key(key_file, key_env, policy, style, vault is not None)
    work, settings = prepared(
        model, engine, workers, style=style, policy=policy, key=secret, rules=rules, consistency=consistency,
        vault=vault is not None, device=device, batch_tokens=batch_tokens, recall_target=recall_target,
        review=review is not None,
    )  # fmt: skip
    if source == "-":
        if (
            out is not None
            or resume
            or overwrite
            or offsets
            or annotations
            or failed
            or vault
            or review
            or workers
            or engine != "local"
        ):
            raise ConfigError("with standard input the notes go to standard output, and nowhere else: no --out, ...")
        summary = streamed(reading, format, work)
        told(summary, "stdin", quiet)
    else:
        if out is None:
            raise ConfigError("say where the output goes: --out FILE (or a folder, for a folder)")
        from deidlab.bulk import formats
        from deidlab.bulk.job import Job

        beside = {
            "--vault": vault, "--annotations": annotations, "--offsets": offsets, "--review": review,
            "--failed": failed, "--key-file": key_file,
        }  # fmt: skip
        formats.check_places(Path(source), out, model, beside)
        out = out if out.name not in ("", "..") else out.resolve()  # a folder has a name
        notes = formats.opened(Path(source), reading, format, spans=annotations is not None)
        settings |= read_settings(notes, reading)
        job = Job(notes, out, settings, offsets, annotations, failed, vault, review)
        summary = run_with_progress(job, work, resume, overwrite, quiet)
        told(summary, out.name, quiet, job)
    if summary.failed:
        raise typer.Exit(1)


def prepared(
    model: Path | None, engine: str, workers: int | None, *, key: bytes | None, **settings
) -> tuple[Engine, dict]:
    """The engine, and the settings that the output depends on; raises what is wrong with them before a model loads."""
    from deidlab import deidentifier
    from deidlab.bulk import engines

    make: Make = partial(deidentifier.load, model, key=key, **settings)
    described = deidentifier.describe(model, key=key, **settings)
    match engine:
        case "local":
            return (engines.processes(make, workers) if workers and workers > 1 else engines.here(make)), described
        case "ray":
            from deidlab.bulk import ray_engine

            return ray_engine.actors(make, workers, device=settings["device"]), described
    raise ConfigError(f"--engine {engine!r} is none of local, ray")


def read_settings(notes: Format, reading: Reading) -> dict:
    from dataclasses import asdict

    return {"format": notes.name, **asdict(reading)}


def streamed(reading: Reading, format: str, engine: Engine) -> Summary:
    from deidlab.bulk import formats, stream

    formats.check(reading)
    source = stream.opened(reading, format)
    return stream.run(
        source, engine, sys.stdin.buffer, sys.stdout.buffer, lambda line: typer.echo(f"failed: {line}", err=True)
    )


def run_with_progress(job: Job, engine: Engine, resume: bool, overwrite: bool, quiet: bool) -> Summary:
    """Do the job under a bar that tells how many notes are done, how fast, and how long it will take."""
    import time

    from deidlab.bulk.job import run
    from deidlab.progress import progress_bar

    began = time.monotonic()
    done = {"all": 0, "now": -1, "failed": 0}
    with progress_bar(disable=quiet, stderr=True) as bar:
        task = bar.add_task("notes", total=job.source.total(), note="")

        def progressed(notes: int, failed: int) -> None:
            done["now"] = 0 if done["now"] < 0 else done["now"] + notes  # first comes what a killed job had done
            done["failed"] += failed
            rate = done["now"] / max(time.monotonic() - began, 1e-9)
            trouble = f", {done['failed']} failed" if done["failed"] else ""
            bar.update(task, advance=notes, note=f"{rate:,.1f} notes/s{trouble}")

        try:
            return run(job, engine, resume=resume, overwrite=overwrite, progressed=progressed)
        except KeyboardInterrupt:
            typer.echo(f"interrupted; what is done is kept in {job.part}: go on with --resume", err=True)
            raise


def told(summary: Summary, name: str, quiet: bool, job: Job | None = None) -> None:
    """Say what became of the notes; of failed ones also when asked to be quiet."""
    if job and summary.failed:
        typer.echo(f"{summary.failed:,} of {summary.notes:,} notes failed: see {job.failed_file}", err=True)
    if quiet:
        return
    kinds = ", ".join(f"{label} {count:,}" for label, count in summary.replaced.most_common())
    total = sum(summary.replaced.values())
    done = summary.notes - summary.failed
    typer.echo(f"{name}: {done:,} notes, {total:,} identifiers{f' ({kinds})' if kinds else ''}", err=True)
    for reason, count in summary.masked_instead.most_common():
        typer.echo(f"  masked instead, {count:,} times: {reason}", err=True)
    source: Any = job.source if job else None
    columns = getattr(source, "columns", None)
    if columns and (kept := [c for c in columns if c != source.reading.text_column]):
        typer.echo(f"  columns kept as they are, whatever they hold: {', '.join(kept)}", err=True)
    if ignored := getattr(source, "ignored", None):
        typer.echo(f"  no notes, not read: {', '.join(f'{n:,} {suffix}' for suffix, n in ignored.items())}", err=True)
