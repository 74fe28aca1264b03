"""Files of pictures in, files without identifiers out: pages are read side by side, a page that fails goes black.

What is written is the input's format with its pages covered and nothing else of it. A page that cannot be read is
covered whole and listed; a file in which no page can be, or whose text no system could judge, is not written.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from deidlab.bulk.files import replaced
from deidlab.deidentifier import Deidentifier, Failure, reason
from deidlab.images import engines
from deidlab.images.boxes import Covering
from deidlab.images.formats.opening import check_ending, looks_like_pictures, opened
from deidlab.images.formats.source import Limits, Source
from deidlab.images.preparing import Preparation
from deidlab.images.reading import read
from deidlab.images.redacting import Covers, Find, covers
from deidlab.images.words import Reading
from deidlab.types import ConfigError, DataError, Document, Span

Progressed = Callable[[int], None]  # pages done


@dataclass(frozen=True)
class Sight:
    """How pages are opened and read: all that a process needs to know to read one."""

    engines: tuple[str, ...] = ("rapidocr",)
    language: str = "eng"
    preparation: Preparation = field(default_factory=Preparation)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Outcome:
    """What became of a file: pages, spans found by label, share of its pixels covered, and pages (from 1) that failed.

    `failed` says why the file as a whole could not be written, where that is so.
    """

    name: str
    pages: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    covered: float = 0.0
    failed_pages: tuple[tuple[int, str], ...] = ()
    failed: str | None = None


def finder(deidentifier: Deidentifier) -> Find:
    """What a system finds and its policy does not keep; raises `DataError` for a text on which it fails."""
    policy, style = deidentifier.redactor.policy, deidentifier.redactor.style

    def find(documents: Sequence[Document]) -> list[list[Span]]:
        found = []
        for answer in deidentifier.found(documents):
            if isinstance(answer, Failure):
                raise DataError(f"{answer.id}: {answer.reason}")
            found.append([s for s in answer.spans if policy.action_for(s.label, style) != "keep"])
        return found

    return find


def files_of(source: Path) -> list[Path]:
    """The file itself, or the files of pictures in a folder and below it, by name; raises `DataError` for none."""
    if not source.is_dir():
        return [source]
    found = sorted(f for f in source.rglob("*") if f.is_file() and not hidden(f, source) and looks_like_pictures(f))
    if not found:
        raise DataError(f"{source} holds no pictures: .png, .jpg, .tif, .pdf, .dcm")
    return found


def hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


@contextmanager
def readers(sight: Sight, workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that read pages; None where one does, which is this one."""
    if workers < 1:
        raise ConfigError(f"--workers {workers}: expected 1 or more")
    engines.build(sight.engines, sight.language)  # what is missing is said now, and not by a process
    if workers == 1:
        yield None
        return
    # Spawned, not forked: PDFium, ONNX Runtime and PyTorch hold threads and locks.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def redact_file(
    source: Path,
    out: Path,
    find: Find,
    sight: Sight,
    covering: Covering,
    *,
    fill: str = "black",
    pool: ProcessPoolExecutor | None = None,
    progressed: Progressed = lambda pages: None,
) -> Outcome:
    """Write the file without identifiers to `out`, whole or not at all; what goes wrong is in the outcome.

    Folders on the way to `out` are made, for their owner only.
    """
    try:
        pages = opened(source, sight.limits)
        check_ending(pages, out)
        out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        readings, failed = read_pages(pages, sight, pool, progressed)
        if len(failed) == len(pages):
            return Outcome(source.name, len(pages), failed_pages=failed, failed=failed[0][1])
        covered = covers(readings, find, covering, source.stem, pages.known)
        share = write(pages, out, covered, {number - 1 for number, _ in failed}, fill)
    except OSError as error:
        return Outcome(source.name, failed=f"{out}: {error.strerror or type(error).__name__}")
    except Exception as error:
        return Outcome(source.name, failed=reason(error))
    return Outcome(source.name, len(pages), covered.counts, share, failed)


def read_pages(
    pages: Source, sight: Sight, pool: ProcessPoolExecutor | None, progressed: Progressed
) -> tuple[list[tuple[Reading, ...]], tuple[tuple[int, str], ...]]:
    """The readings of every page, and the pages (from 1) that failed, which have none, with the reason."""
    readings: list[tuple[Reading, ...]] = [()] * len(pages)
    failed: list[tuple[int, str]] = []

    def took(number: int, answer: tuple[Reading, ...] | str) -> None:
        if isinstance(answer, str):
            failed.append((number + 1, answer))
        else:
            readings[number] = answer
        progressed(1)

    if pool is None or len(pages) == 1:
        for number in range(len(pages)):
            took(number, _read_of(pages, number, sight))
    else:
        waiting = {pool.submit(read_page, pages.path, number, sight): number for number in range(len(pages))}
        for done in as_completed(waiting):
            error = done.exception()
            took(waiting[done], reason(error) if isinstance(error, Exception) else done.result())
    return readings, tuple(sorted(failed))


def read_page(path: Path, number: int, sight: Sight) -> tuple[Reading, ...] | str:
    """What stands on a page of a file, or why it cannot be read; for a process of its own."""
    return _read_of(_opened(path, sight.limits), number, sight)


@lru_cache(maxsize=1)
def _opened(path: Path, limits: Limits) -> Source:
    return opened(path, limits)


@lru_cache(maxsize=1)
def _engines(names: tuple[str, ...], language: str) -> tuple[engines.Engine, ...]:
    return engines.build(names, language)


def _read_of(pages: Source, number: int, sight: Sight) -> tuple[Reading, ...] | str:
    try:
        found = read(pages.page(number), _engines(sight.engines, sight.language), sight.preparation)
        return (*found, *pages.printed(number))
    except Exception as error:
        return reason(error)


def write(pages: Source, out: Path, covered: Covers, failed: set[int], fill: str) -> float:
    """Write the covered pages under their name when they are whole; gives the share of pixels that is covered."""
    shares: list[float] = []

    def mask(page: int, height: int, width: int) -> np.ndarray:
        made = np.ones((height, width), bool) if page in failed else covered.mask(page, height, width)
        shares.append(float(made.mean()))
        return made

    with replaced(out) as stream:
        pages.write(stream, mask, fill)
    return float(np.mean(shares)) if shares else 1.0
