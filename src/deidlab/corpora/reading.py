"""Annotated notes from wherever they lie: the format told from the files, splits from the names of folders and files.

For commands that are given a path and nothing else; a training run says format and splits in its config.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from deidlab.corpora import brat, cas, cas_json, conll, i2b2_2006, i2b2_2014, json_exports, jsonl, nemotron
from deidlab.corpora.annotators import Policy, check_policy, merged
from deidlab.corpora.encodings import known
from deidlab.corpora.files import files_in
from deidlab.types import ConfigError, DataError, Document, Losses

FORMATS = ("brat", "i2b2", "i2b2_2006", "conll", "jsonl", "cas", "nemotron")
# What a reader of exports takes in all its shapes may be named by any of them.
ALIASES = {
    "doccano": "jsonl", "label_studio": "jsonl", "prodigy": "jsonl", "cas_json": "cas", "cas_xmi": "cas",
    "inception": "cas", "i2b2_2014": "i2b2", "meddocan": "i2b2",
}  # fmt: skip
COLUMNS = (".conll", ".bio", ".iob", ".iob2", ".tsv")
SUFFIXES = (".ann", ".xml", ".xmi", ".jsonl", ".json", ".zip", ".parquet", *COLUMNS)
NOT_NOTES = ("about",)  # what `deidlab review` writes beside gold
SPLITS = ("train", "validation", "test")
_SPLIT = re.compile(
    r"(?P<name>train|dev|valid|test)(?:ing|elopment|ation)?(?:[-_ ]?set)?(?![^\W\d_])", re.IGNORECASE
)  # not devices, not testicular
HEAD = 1 << 16  # bytes of a file that are looked at to tell its format


@dataclass(frozen=True)
class Reading:
    """How files are read: the format (auto: told from them), and what no file says of itself.

    `patient_pattern` is a regular expression whose first group, found in a document's id, is its patient. `layer` and
    `feature` are those of a CAS, `scheme` that of columns.
    """

    form: str = "auto"
    encoding: str = "utf-8"
    annotators: Policy = "error"
    patient_pattern: str | None = None
    layer: str | None = None
    feature: str | None = None

    def __post_init__(self) -> None:
        if self.form not in ("auto", *FORMATS, *ALIASES):
            raise ConfigError(f"unknown format {self.form!r}; choose auto, {', '.join((*FORMATS, *ALIASES))}")
        known(self.encoding)
        check_policy(self.annotators)
        try:
            groups = re.compile(self.patient_pattern or "()").groups
        except re.error as error:
            raise ConfigError(f"the pattern of patients is no regular expression: {error}") from None
        if groups < 1:
            raise ConfigError("the pattern of patients has no group; put what names the patient in parentheses")

    def documents(self, path: Path, form: str, losses: Losses) -> Iterator[Document]:
        """The documents of a place in a format, those of several annotators settled, patients named."""
        for document in merged(self._read(path, form, losses), self.annotators, losses):
            found = re.search(self.patient_pattern, document.id) if self.patient_pattern else None
            named = found is not None and found[1]  # a group that is optional may have matched nothing
            yield replace(document, meta={**document.meta, "patient": named}) if named else document

    def _read(self, path: Path, form: str, losses: Losses) -> Iterator[Document]:
        match form:
            case "brat":
                return brat.read(path, losses, encoding=self.encoding)
            case "i2b2":
                return i2b2_2014.read(path, losses, self.encoding)
            case "i2b2_2006":
                return i2b2_2006.read(path, losses, self.encoding)
            case "conll":
                return conll.read(path, losses, suffix=COLUMNS, encoding=self.encoding)
            case "jsonl":
                return jsonl.read(path, losses, self.annotators, self.encoding)
            case "cas":
                return cas.read(path, losses, self.layer, self.feature, self.annotators, self.encoding)
            case "nemotron":
                return nemotron.read(path, losses)
        raise ConfigError(f"unknown format {form!r}; choose from {', '.join(FORMATS)}")


@dataclass(frozen=True)
class Source:
    """Files of one split (None: nothing says which) and their format."""

    split: str | None
    path: Path
    form: str


def sources(path: str | Path, form: str = "auto") -> list[Source]:
    """Where the notes below a path lie: the path itself, or its folders and files that are named after splits.

    Raises `DataError` where there are none, and where files of several formats lie and `form` names none of these.
    """
    root, wanted = Path(path).expanduser(), ALIASES.get(form, form)
    if not root.exists():
        raise DataError(f"{path} does not exist; name a file or a folder of annotated notes")
    if root.is_file():
        return [Source(None, root, wanted if wanted != "auto" else detected(root))]
    found = sorted(_below(root), key=lambda source: SPLITS.index(source.split) if source.split else len(SPLITS))
    if not found:
        raise DataError(
            f"{path} holds no annotated notes; expected files that end on {', '.join(SUFFIXES)}, or folders of them"
        )
    if wanted != "auto":
        # A format that no file shows is believed: it may be an unusual one of its kind.
        return [s for s in found if s.form == wanted] or [replace(source, form=wanted) for source in found]
    if len(forms := sorted({source.form for source in found})) > 1:
        raise DataError(
            f"{path} holds {' and '.join(forms)}; say which to read (--from {forms[0]}), or name one folder"
        )
    return found


def _below(folder: Path) -> Iterator[Source]:
    """The sources in a folder, each in the format its files show."""
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [e for e in entries if e.is_file() and e.suffix.lower() in SUFFIXES and not cas.is_type_system(e)]
    folders = [entry for entry in entries if entry.is_dir() and entry.name not in NOT_NOTES]
    if any(file.name == "exportedproject.json" for file in files):
        raise DataError(f"{folder} is a project of INCEpTION; name its folder annotation (or curation)")
    if files and (more := [inner.name for inner in folders if list(_below(inner))]):
        raise DataError(f"{folder} holds notes, and folders of notes beside them ({', '.join(more[:5])}): name one")
    forms = {file: detected(file) for file in files}
    if files and all(split_of(file.stem) for file in files) and not {"brat", "cas"} & set(forms.values()):
        yield from (Source(split_of(file.stem), file, form) for file, form in forms.items())
    elif files:
        yield from (Source(None, folder, form) for form in sorted(set(forms.values())))
    elif any(map(_is_project_note, folders)) and not all(split_of(inner.name) for inner in folders):
        yield Source(None, folder, "cas")
    else:
        named_after = {inner: split_of(inner.name) for inner in folders}
        for inner, split in named_after.items():
            for source in _below(inner):
                yield replace(source, split=split or source.split)


def split_of(name: str) -> str | None:
    """The split that a folder or a file is named after: train, validation or test."""
    if not (found := _SPLIT.match(name)):
        return None
    kind = found["name"].lower()
    return "validation" if kind in ("dev", "valid") else kind


def detected(file: Path) -> str:
    """The format of a file, by its suffix and its first bytes; raises `DataError` for one that shows none."""
    suffix = file.suffix.lower()
    if suffix == ".ann":
        return "brat"
    if suffix in COLUMNS:
        return "conll"
    if suffix == ".parquet":
        return "nemotron"
    if suffix in (".zip", ".xmi"):
        return "cas"
    with file.open("rb") as stream:
        head = stream.read(HEAD)
    if suffix in (".json", ".jsonl"):
        return "cas" if b'"%TYPES"' in head or f'"{cas_json.STRUCTURES}"'.encode() in head else "jsonl"
    if suffix == ".xml":
        if b"http://www.omg.org/XMI" in head:
            return "cas"
        return "i2b2_2006" if re.search(rb"<RECORD\b", head) else "i2b2"
    raise DataError(f"{file}: its format cannot be told from its name; say it (--from), one of {', '.join(FORMATS)}")


def tool_of(source: Source) -> str:
    """What made the files: of JSON the annotation tool of the first object, otherwise the format."""
    if source.form != "jsonl":
        return source.form
    losses = Losses("count")
    found = (
        parsed for file in files_in(source.path, ".jsonl", ".json") for _, _, parsed in jsonl.objects(file, losses)
    )
    return json_exports.tool_of(next(found, None)) or source.form


def _is_project_note(folder: Path) -> bool:
    """Whether a folder is a note of an INCEpTION project, with files of its annotators."""
    exported = (file for file in folder.iterdir() if file.suffix in (".json", ".xmi", ".zip"))
    files = [file for file in exported if not cas.is_type_system(file)]
    return bool(files) and all(detected(file) == "cas" for file in files)
