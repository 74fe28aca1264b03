"""A job: notes in, de-identified notes out, in shards, so that a kill at any moment costs no more than one of them.

Beside the output lies `OUT.part/` while the job is under way: `job.json` says what it is, `shards/` holds what is done.
A shard appears under its name only when it is whole and on the disk; the output, when all of them are.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deidlab.bulk.engines import Engine, Results, Shard
from deidlab.bulk.files import NOTES, as_json, concatenate, json_line, private_file, replaced, sync_folder, sync_tree
from deidlab.bulk.notes import Format, Note, Renderer
from deidlab.bulk.part import begin_or_go_on, clear, done_shards, locked
from deidlab.deidentifier import Deidentified, Failure, reason
from deidlab.flagging import ranked
from deidlab.review.queue import to_line
from deidlab.types import ConfigError, DeidlabError

SHARD_NOTES = 256  # at most
# The first shards hold fewer, and each further row of them twice as many as the one before: a short job keeps every
# process at work and tells early how fast it is, a long one makes few shards.
FIRST_NOTES = 16
IN_A_ROW = 16
SHARD_CHARACTERS = 2_000_000  # a shard is read and held as a whole
FAILED, OFFSETS, ANNOTATIONS, VAULT = "failed.jsonl", "offsets.jsonl", "annotations.jsonl", "vault.jsonl"
REVIEW = "review.jsonl"


@dataclass
class Summary:
    """What became of a job's notes: counts, nothing of their text."""

    notes: int = 0
    failed: int = 0
    replaced: Counter[str] = field(default_factory=Counter)  # by label
    masked_instead: Counter[str] = field(default_factory=Counter)  # by reason why nothing better was possible

    def add(self, done: Mapping[str, Any]) -> None:
        self.notes += done["notes"]
        self.failed += done["failed"]
        self.replaced.update(done["replaced"])
        self.masked_instead.update(done["masked_instead"])

    def as_json(self) -> dict[str, Any]:
        return {
            "notes": self.notes,
            "failed": self.failed,
            "replaced": dict(sorted(self.replaced.items())),
            "masked_instead": dict(sorted(self.masked_instead.items())),
        }


@dataclass(frozen=True)
class Job:
    """What is read, where it goes, and `settings`: all that the output depends on, without keys and paths.

    `offsets` and `annotations` are files for the maps between old and new characters and for the annotations of the
    output; `failed` lists the notes that are not in it; `vault` gets the encrypted originals, if they are sealed, and
    `review` the notes with questions, as they were, for a person to look at.
    """

    source: Format
    out: Path
    settings: Mapping[str, Any]
    offsets: Path | None = None
    annotations: Path | None = None
    failed: Path | None = None
    vault: Path | None = None
    review: Path | None = None
    shard_notes: int = SHARD_NOTES

    @property
    def part(self) -> Path:
        return self.out.with_name(f"{self.out.name}.part")

    @property
    def failed_file(self) -> Path:
        if self.failed:
            return self.failed
        return self.out / FAILED if self.source.folder else self.out.with_name(f"{self.out.name}.{FAILED}")

    def description(self) -> dict[str, Any]:
        wanted = {"offsets": self.offsets is not None, "annotations": self.annotations is not None}
        settings = {
            **self.settings,
            **wanted,
            "shard_notes": [FIRST_NOTES, self.shard_notes],
            "version": version("deidlab"),
        }
        return {"input": dict(self.source.state()), "settings": settings}


def run(
    job: Job,
    engine: Engine,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progressed: Callable[[int, int], None] = lambda notes, failed: None,
) -> Summary:
    """Do the job; `progressed(notes, failed)` is called after each shard, first for all that a killed job had done.

    Raises `ConfigError` when the output exists (unless `overwrite`), when an unfinished job lies beside it (unless
    `resume` or `overwrite`), when that had another input or other settings, and when another process works on it;
    `DeidlabError` when the disk is full: then too, `resume` goes on.
    """
    if resume and job.out.exists() and not job.part.exists():
        raise ConfigError(f"{job.out} is complete: there is nothing to resume")
    _check_place(job, resume, overwrite)
    try:
        with locked(job.part):
            if overwrite and not resume:
                clear(job.part)
            begin_or_go_on(job.part, job.description())
            done = done_shards(job.part)
            summary = Summary()
            for folder in done.values():
                summary.add(json.loads((folder / "done.json").read_text("utf-8")))
            progressed(summary.notes, summary.failed)
            left = (shard for shard in shards(job.source.notes(), job.shard_notes) if shard.number not in done)
            try:
                for shard, results in engine(left):
                    counted = _store(job, shard, results)
                    summary.add(counted)
                    progressed(counted["notes"], counted["failed"])
            except ConfigError:  # settings that no note can be done with: what they began is in the way of better ones
                if not done_shards(job.part):
                    shutil.rmtree(job.part)
                raise
            _finish(job, summary)
    except OSError as error:
        raise DeidlabError(
            f"{error.filename or job.part}: {error.strerror}; what is done is kept in {job.part.name}, and --resume "
            "goes on when that is mended"
        ) from None
    return summary


def shards(notes: Iterable[Note], most: int) -> Iterator[Shard]:
    """Consecutive notes in shards of at most `most`, fewer at first and where they are long; the same for the same."""
    number, held, size = 0, [], 0
    room = min(FIRST_NOTES, most)
    for note in notes:
        held.append(note)
        size += len(note.document.text) if note.document else 0
        if len(held) >= room or size >= SHARD_CHARACTERS:
            yield Shard(number, held)
            number, held, size = number + 1, [], 0
            if number % IN_A_ROW == 0:
                room = min(2 * room, most)
    if held:
        yield Shard(number, held)


def settled(source: Renderer, shard: Shard, results: Results) -> Iterator[tuple[Any, Deidentified | Failure]]:
    """What is written of each note of a shard, None for one that failed: while read, processed or rendered."""
    answers = iter(results)
    for note in shard.notes:
        result = Failure(note.id, note.fault or "") if note.document is None else next(answers)
        rendered = None
        if isinstance(result, Deidentified):
            try:
                rendered = source.render(note, result)
            except Exception as error:
                result = Failure(note.id, reason(error))
        yield rendered, result


def _check_place(job: Job, resume: bool, overwrite: bool) -> None:
    going_on = resume and job.part.exists()  # what the killed job has written may lie there
    if job.out.is_dir() and not job.source.folder:
        raise ConfigError(f"{job.out} is a folder, and the input a file: name a file")
    if not job.out.parent.is_dir():
        raise ConfigError(f"{job.out.parent} does not exist: make it, or choose another --out")
    for file in filter(None, (job.offsets, job.annotations, job.failed, job.vault, job.review)):
        if not file.parent.is_dir():
            raise ConfigError(f"{file.parent} does not exist: make it, or choose another place for {file.name}")
        if file.is_dir():
            raise ConfigError(f"{file} is a folder: name a file")
        if file.exists() and not (overwrite or going_on):
            raise ConfigError(f"{file} exists: choose another, or say --overwrite to replace it")
    if job.review and job.review.exists() and not going_on:
        raise ConfigError(f"{job.review} exists, and decisions may belong to it: name a new file")
    if resume or overwrite:
        if overwrite and job.out.exists() and job.source.folder and not (job.out / "job.json").is_file():
            raise ConfigError(f"{job.out} was not written by deidlab (no job.json): it is not overwritten")
        return
    if job.part.exists():
        raise ConfigError(
            f"{job.part} holds an unfinished job: go on with it with --resume, or start anew with --overwrite"
        )
    if job.out.exists():
        raise ConfigError(f"{job.out} exists: choose another --out, or say --overwrite to replace it")


def _store(job: Job, shard: Shard, results: Results) -> dict[str, Any]:
    """Write a shard's notes and lists, all or none of them; returns its counts."""
    rough = job.part / "shards" / f"{shard.number:08d}.rough"
    rough.mkdir(mode=0o700)
    summary, rendered = Summary(), []
    lists: dict[str, list[bytes]] = {FAILED: [], OFFSETS: [], ANNOTATIONS: [], VAULT: [], REVIEW: []}
    for written, result in settled(job.source, shard, results):
        summary.notes += 1
        if isinstance(result, Failure):
            summary.failed += 1
            lists[FAILED].append(json_line({"id": result.id, "reason": result.reason}))
            continue
        rendered.append(written)
        summary.replaced.update(result.replaced)
        summary.masked_instead.update(why for _, why in result.fallbacks)
        if job.vault and result.sealed:
            lists[VAULT].append(json_line({"id": result.id, "token": result.sealed.token}))
        if job.review and result.review:
            lists[REVIEW].append(to_line(result.review).encode())
        if job.offsets:
            lists[OFFSETS].append(json_line({"id": result.id, "offsets": result.offsets.to_list()}))
        if job.annotations:
            lists[ANNOTATIONS].append(json_line({"id": result.id, "spans": [annotation(s) for s in result.spans]}))
    if rendered:
        job.source.write(rough, rendered)
    for name, lines in (*lists.items(), ("done.json", [as_json(summary.as_json())])):
        if lines:
            with private_file(rough / name) as stream:
                stream.writelines(lines)
    sync_tree(rough)
    rough.rename(rough.with_suffix(""))
    sync_folder(rough.parent)
    return summary.as_json()


def annotation(span: Any) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label}


def _finish(job: Job, summary: Summary) -> None:
    """Make the output of the shards; done again after a kill, it comes to the same."""
    done = list(done_shards(job.part).values())
    lists = {OFFSETS: job.offsets, ANNOTATIONS: job.annotations, FAILED: job.failed, VAULT: job.vault}
    for name, file in lists.items():
        if file:
            with replaced(file) as stream:
                concatenate((shard / name for shard in done), stream)
    if job.review:
        with replaced(job.review) as stream:
            ranked((shard / REVIEW for shard in done), stream)
    if job.source.folder:
        _finish_folder(job, summary, done)
    else:
        if summary.failed and not job.failed:
            with replaced(job.failed_file) as stream:
                concatenate((shard / FAILED for shard in done), stream)
        elif not job.failed:
            job.failed_file.unlink(missing_ok=True)  # of a job that is overwritten
        job.source.join([shard for shard in done if (shard / NOTES).exists()], job.out)
    gone = job.part.with_name(f".{job.part.name}.done")  # half a removed folder must not look like a job
    shutil.rmtree(gone, ignore_errors=True)
    job.part.rename(gone)
    shutil.rmtree(gone)


def _finish_folder(job: Job, summary: Summary, done: list[Path]) -> None:
    """Move all files into one folder and that to its place; `joined` says that only this last step is left."""
    whole, joined = job.part / "output", job.part / "joined"
    if not joined.exists():
        job.source.join(done, whole)
        if not job.failed:
            with replaced(whole / FAILED) as stream:
                concatenate((shard / FAILED for shard in done), stream)
        described = job.description()
        described["settings"].pop("key_check", None)  # nothing that comes of a key leaves the machine
        with replaced(whole / "job.json") as stream:
            stream.write(as_json({**described, "result": summary.as_json()}))
        joined.touch()
    if whole.exists():
        if job.out.exists():
            old = job.part / "old"
            shutil.rmtree(old, ignore_errors=True)
            job.out.rename(old)
        whole.rename(job.out)
        sync_folder(job.out.parent)
