"""Documents to files of any format that we write, one at a time: for synthetic notes, reviewed ones and conversions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from deidlab.corpora import brat, cas_json, cas_xmi, conll, doccano, i2b2_2006, i2b2_2014, jsonl, label_studio, prodigy
from deidlab.corpora.files import encoded, named, private, private_folder, write_new
from deidlab.labels import PREFIXES, Scheme
from deidlab.types import ConfigError, DataError, Document, Losses, Span

FORMATS = (
    "jsonl", "brat", "i2b2", "i2b2_2006", "conll", "doccano", "label_studio", "prodigy", "cas_json", "cas_xmi",
)  # fmt: skip
Render = Callable[[Document], bytes]


@dataclass(frozen=True)
class Layout:
    """How a format lays documents out: a file each for every suffix, or one file `notes` of all of them.

    `head`, `between` and `tail` make one file of the pieces; `beside` is written once. `meta`: metadata have a place.
    """

    renders: Mapping[str, Render]
    together: bool = False
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    meta: bool = False


def layout(form: str, scheme: Scheme = "BIO") -> Layout:
    """The layout of a format; raises `ConfigError` that lists the formats, or the schemes."""
    if scheme not in PREFIXES:
        raise ConfigError(f"unknown scheme {scheme!r}; choose from {', '.join(PREFIXES)}")
    match form:
        case "brat":
            return Layout({".txt": lambda d: encoded(d.text, d.id), ".ann": lambda d: encoded(brat.to_ann(d), d.id)})
        case "i2b2":
            return Layout({".xml": i2b2_2014.to_xml})
        case "i2b2_2006":
            opening, closing = b'<?xml version="1.0" encoding="UTF-8"?>\n<ROOT>\n', b"</ROOT>\n"
            return Layout({".xml": i2b2_2006.to_record}, together=True, head=opening, tail=closing)
        case "conll":
            return Layout({".conll": lambda d: encoded(conll.to_conll(d, scheme), d.id)}, together=True)
        case "jsonl":
            return Layout({".jsonl": lambda d: encoded(jsonl.to_line(d), d.id)}, together=True, meta=True)
        case "doccano":
            return Layout({".jsonl": partial(_line, doccano.to_object)}, together=True, meta=True)
        case "prodigy":
            return Layout({".jsonl": partial(_line, prodigy.to_object)}, together=True, meta=True)
        case "label_studio":
            render = {".json": partial(_line, label_studio.to_object)}
            return Layout(render, together=True, head=b"[\n", between=b",", tail=b"]\n", meta=True)
        case "cas_json":
            return Layout({".json": cas_json.to_json})
        case "cas_xmi":
            return Layout({".xmi": cas_xmi.to_xmi}, beside={cas_xmi.TYPE_SYSTEM: cas_xmi.type_system()})
    raise ConfigError(f"unknown format {form!r}; choose from {', '.join(FORMATS)}")


def _line(to_object: Callable[[Document], object], document: Document) -> bytes:
    encoded(document.text, document.id)  # so that an error names the place in the note, not in the file
    return encoded(json.dumps(to_object(document), ensure_ascii=False) + "\n", document.id)


def write(
    documents: Iterable[Document], folder: str | Path, form: str, losses: Losses | None = None, scheme: Scheme = "BIO"
) -> int:
    """Write documents below a new or empty folder, in constant memory; returns how many were written.

    A document that the format cannot carry is a fault: an error, or left out and counted. A span that it cannot carry
    beside others (overlapping ones in columns) is a fault too, and leaves out only itself. Metadata that it has no
    place for are counted by key. Raises `ConfigError` that lists the formats, and `DataError` for a folder that holds
    something already.
    """
    how = layout(form, scheme)
    losses = Losses() if losses is None else losses
    folder = new_folder(folder)
    ids: set[str] = set()
    with ExitStack() as stack:
        path = folder / f"notes{suffix_of(how)}"
        file = stack.enter_context(open(path, "xb", opener=private)) if how.together else None
        if file is not None:
            file.write(how.head)
        for document in documents:
            if document.id in ids:
                losses.fault(
                    "duplicate_id", "-", f"{document.id}: a document of this id was written already; rename it"
                )
                continue
            if form in ("conll", "i2b2_2006"):
                document = replace(document, spans=tuple(_beside_each_other(document, form, losses)))
            try:
                pieces = rendered(document, how)
            except DataError as error:
                losses.fault("not_carried", "-", f"{error} (format {form})")
                continue
            if file is not None:
                file.write(how.between * bool(ids) + b"".join(pieces.values()))
            for suffix, piece in pieces.items() if file is None else ():
                write_new(named(folder, document.id, suffix), piece, document.id)
            ids.add(document.id)
            for key in () if how.meta else _without_place(document, form):
                losses.count("meta_without_place", key)
        if file is not None:
            file.write(how.tail)
    for name, content in how.beside.items():
        write_new(folder / name, content, name)
    return len(ids)


def _without_place(document: Document, form: str) -> set[str]:
    """Keys of the metadata that will not come back; i2b2's file names hold the patient."""
    told = i2b2_2014.meta_of(document.id) if form == "i2b2" else {}
    return {key for key, value in document.meta.items() if told.get(key) != value}


def suffix_of(how: Layout) -> str:
    """The suffix of the one file, or of the first of each document."""
    return next(iter(how.renders))


def new_folder(folder: str | Path) -> Path:
    """The folder, made if need be for its owner only; raises `DataError` for one that holds something already."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not empty; name a new folder")
    try:
        return private_folder(folder)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; name a new folder") from None


@contextmanager
def whole(out: str | Path) -> Iterator[Path]:
    """A new folder to fill, empty or gone again after an error: half a corpus looks like a whole one."""
    existed = Path(out).exists()
    folder = new_folder(out)
    try:
        yield folder
    except BaseException:
        for made in folder.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if not existed:
            folder.rmdir()
        raise


def rendered(document: Document, how: Layout) -> dict[str, bytes]:
    """The files of a document by suffix; raises `DataError` for what the format cannot carry."""
    if not how.together:
        for suffix in how.renders:
            named(Path(), document.id, suffix)
    return {suffix: render(document) for suffix, render in how.renders.items()}


def _beside_each_other(document: Document, form: str, losses: Losses) -> list[Span]:
    """The spans that columns, or elements in a text, can carry together: of two that collide, the longer one."""
    kept: list[Span] = []
    for span in sorted(document.spans, key=lambda span: (span.start - span.end, span)):
        place = f"{document.id}: {span.label} span {span.start}-{span.end}"
        covered = document.text[span.start : span.end]
        if form == "conll" and covered != covered.strip(" \t\r\n"):
            losses.placed_fault("blank_edge", document.id, span, f"{place} begins or ends with a blank (format {form})")
        elif any(_collide(span, other, nested=form != "conll") for other in kept):
            losses.placed_fault("overlap", document.id, span, f"{place} overlaps another (format {form})")
        else:
            kept.append(span)
    return sorted(kept)


def _collide(span: Span, other: Span, nested: bool) -> bool:
    apart = span.end <= other.start or other.end <= span.start
    inside = nested and other.start <= span.start and span.end <= other.end
    return not apart and not inside
