"""UIMA CAS as INCEpTION and WebAnno export it, as XMI or as JSON (JSON CAS 0.4): one file a note.

Offsets count UTF-16 code units. The text is the sofa of the initial view; spans are the feature structures of one
layer, labelled by one of its features. Unpacked project exports hold a folder a note with a file for each annotator.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from deidlab.corpora import cas_json, cas_xmi
from deidlab.corpora.annotations import Annotation, checked_spans
from deidlab.corpora.annotators import Policy, check_policy, settled
from deidlab.corpora.cas_structures import METADATA, NAMED_ENTITY, Cas, Structure, short
from deidlab.corpora.files import files_in
from deidlab.corpora.utf16 import characters_of
from deidlab.types import ConfigError, Document, Losses, Span

SUFFIXES = (".json", ".xmi", ".xml", ".zip")
LARGEST = 1 << 28  # bytes of one unpacked member of a zip file: more is no note
# What pipelines add and no annotator marks: tokens, sentences, tags, and the metadata of INCEpTION.
_BUILT_IN = re.compile(r"uima\.|de\.tudarmstadt\.ukp\.(?:dkpro\.core|clarin\.webanno|inception)\.")
_LIKE_A_LABEL = re.compile(r"[\w.:/&-]{1,40}")
_LABEL_FEATURES = ("value", "label", "entity", "category", "type", "identifier")


@dataclass(frozen=True)
class Layer:
    """Which feature structures are spans, and which feature is their label; null: as found, where that is plain."""

    name: str | None = None
    feature: str | None = None

    def of(self, cas: Cas) -> set[str]:
        """The types that are spans in this CAS, most often one."""
        present = {s.type for s in cas.structures if s.begin is not None or s.type == NAMED_ENTITY}
        if self.name is not None:
            return {kind for kind in present if self.name in (kind, short(kind))}
        return {kind for kind in present if kind == NAMED_ENTITY or not _BUILT_IN.match(kind)}

    def feature_of(self, kind: str, found: Iterable[Structure]) -> str | None:
        """The feature that holds the labels of a layer, one for all its spans, `found`.

        The one asked for, one of the usual names, or the only one if what it holds looks like labels and not like
        remarks; "" where none of these is there, None where no span has a feature, and the layer is the label.
        """
        if self.feature is not None or kind == NAMED_ENTITY:
            return self.feature or "value"
        values: dict[str, list[str]] = {}
        for structure in found:
            for name, value in structure.features.items():
                values.setdefault(name, []).append(value)
        if usual := [name for name in _LABEL_FEATURES if name in values]:
            return usual[0]
        if len(values) == 1:
            ((name, told),) = values.items()
            return name if all(_LIKE_A_LABEL.fullmatch(value) for value in told) else ""
        return "" if values else None


def read(
    path: Path,
    losses: Losses,
    layer: str | None = None,
    feature: str | None = None,
    annotators: Policy = "error",
    encoding: str = "utf-8",
) -> Iterator[Document]:
    """Read CAS files: a file, a folder of them, or a folder of folders, each a note with a file for each annotator.

    `layer` is the name of the layer whose annotations are spans, in full or its last part (null: NamedEntity, or the
    one custom layer there is), `feature` the one that holds the label. Zip files, as INCEpTION makes them, are looked
    into. Raises `DataError` for a folder without such files, and for any fault unless faults are counted, `ConfigError`
    for a layer that no note has.
    """
    check_policy(annotators)
    chosen, layers = Layer(layer, feature), set[str]()
    for name, files in notes_below(Path(path)):
        if not files:
            losses.count("not_annotated")
            continue
        versions = [
            document
            for file in files
            for place, raw in contents(file, losses)
            if (document := parse(name, raw, place, losses, chosen, encoding, layers)) is not None
        ]
        if not versions:
            continue
        first = versions[0]
        if any(version.text != first.text for version in versions):
            losses.placed_fault(
                "texts_differ",
                first.id,
                None,
                f"{first.id}: its annotators' files hold different texts; export it again",
            )
            continue
        spans = settled(first.id, [version.spans for version in versions], annotators, losses)
        if spans is not None:
            yield Document(first.id, first.text, spans, first.meta)
    if layer is not None and not layers:
        raise ConfigError(f"no note in {path} has a layer {layer!r}; look at its name in the project's settings")


def notes_below(path: Path) -> Iterator[tuple[str | None, list[Path]]]:
    """The files of each note: every file for itself, or those of a folder that is named after the note."""
    if path.is_dir() and not any(_is_cas(file) for file in path.iterdir()):
        folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
        found = {folder.name: [file for file in sorted(folder.iterdir()) if _is_cas(file)] for folder in folders}
        if any(found.values()):
            yield from ((name, of_annotators(files)) for name, files in found.items() if files)
            return
    for file in files_in(path, *SUFFIXES):
        if path.is_file() or _is_cas(file):
            yield None, [file]


def of_annotators(files: Iterable[Path]) -> list[Path]:
    """The files of a note that people made: beside them INCEpTION exports what it was before anybody had opened it.

    Where nobody has, there is no other, and the note has no gold: none of its files counts.
    """
    return [file for file in files if file.stem != "INITIAL_CAS"]


def _is_cas(file: Path) -> bool:
    return file.is_file() and file.suffix in SUFFIXES and not is_type_system(file)


def is_type_system(file: Path) -> bool:
    """Whether a file describes types: it lies beside the XMI, and nothing in it is needed to find text and spans."""
    return "typesystem" in file.stem.lower().replace("-", "").replace("_", "")


def contents(file: Path, losses: Losses) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, or of the CAS in a zip file, with where they stand."""
    if file.suffix != ".zip":
        yield str(file), file.read_bytes()
        return
    try:
        with zipfile.ZipFile(BytesIO(file.read_bytes())) as packed:
            members = [m for m in packed.infolist() if _is_member(m)]
            for member in members:
                if member.file_size > LARGEST:
                    losses.fault("too_large", "-", f"{file}: a member unpacks to more than {LARGEST >> 20} MiB")
                else:
                    yield f"{file}, {member.filename}", packed.read(member)
            if not members:
                losses.fault("no_member", "-", f"{file}: holds no .json or .xmi; unpack a whole project's export first")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        losses.fault("malformed_zip", "-", f"{file}: is no zip file that can be read (damaged or encrypted)")


def _is_member(member: zipfile.ZipInfo) -> bool:
    name = Path(member.filename)
    return name.suffix in (".json", ".xmi") and len(name.parts) == 1


def parse(
    name: str | None,
    raw: bytes,
    place: str,
    losses: Losses,
    layer: Layer | None = None,
    encoding: str = "utf-8",
    layers: set[str] | None = None,
) -> Document | None:
    """A document from the bytes of a CAS, or None after a fault; its id is `name`, or what its metadata says.

    The layers that were read are added to `layers`.
    """
    is_json = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    cas = (cas_json if is_json else cas_xmi).parsed(raw, place, losses, encoding)
    if cas is None:
        return None
    if cas.text is None:
        losses.fault("not_text", "-", f"{place}: its sofa has no text (is it sound or a picture?); export text notes")
        return None
    document_id = name or _stated_id(cas) or Path(place.split(",")[0]).stem
    layer = layer or Layer()
    wanted = layer.of(cas)
    if layer.name is None and len(wanted) > 1:
        shown = ", ".join(sorted(map(short, wanted)))
        losses.fault("several_layers", "-", f"{document_id} ({place}): has layers {shown}; say which: layer=NAME")
        return None
    for kind, number in Counter(s.type for s in cas.structures).items():
        if kind not in wanted and (kind == NAMED_ENTITY or not _BUILT_IN.match(kind)):
            losses.count("other_layer", short(kind), number)
    if layers is not None:
        layers |= wanted
    found = [structure for structure in cas.structures if structure.type in wanted]
    annotations = list(_annotations(document_id, cas.text, found, layer, losses))
    return Document(document_id, cas.text, checked_spans(document_id, cas.text, annotations, losses))


def _stated_id(cas: Cas) -> str | None:
    """What the metadata call the note."""
    for structure in cas.structures:
        if structure.type == METADATA:
            return structure.features.get("documentId") or structure.features.get("documentTitle") or None
    return None


def _annotations(
    document_id: str, text: str, found: Sequence[Structure], layer: Layer, losses: Losses
) -> Iterator[Annotation]:
    character = characters_of(text)
    feature = {kind: layer.feature_of(kind, [s for s in found if s.type == kind]) for kind in {s.type for s in found}}
    for structure in found:
        holds = feature[structure.type]
        label = short(structure.type) if holds is None else structure.features.get(holds, "")
        place = f"feature structure {structure.id}"
        if structure.begin is None or structure.end is None:
            losses.fault(
                "malformed_span", label or "-", f"{document_id}, {place}: needs whole numbers as begin and end"
            )
            continue
        start, end = character(structure.begin), character(structure.end)
        if start is None or end is None:
            span = Span(structure.begin, structure.end, label)
            message = f"{document_id}, {place}: {label} cuts a character in two: are its offsets UTF-16 code units?"
            losses.placed_fault("half_character", document_id, span, message)
            continue
        yield Annotation(start, end, label, place=place)
