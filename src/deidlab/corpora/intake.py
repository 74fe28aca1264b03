"""The door of a corpus: documents stream through it once, and what must be unique or stay together is checked."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator

from deidlab.corpora.splits import group_of
from deidlab.types import DataError, Document, Losses


class Intake:
    """What has been read so far: ids and groups to keep apart, and digests of the documents; no text."""

    def __init__(self, split_by: str, losses: Losses) -> None:
        self.split_by, self.losses = split_by, losses
        self.documents: Counter[str] = Counter()  # per split
        self.spans: Counter[str] = Counter()  # per split
        self._groups: dict[str, list[str | None]] = {}  # per split, in the order of its documents
        self._split_of_id: dict[str, str] = {}
        self._split_of_group: dict[str, str] = {}
        self._digests: list[bytes] = []

    def admitted(self, documents: Iterable[Document], split: str) -> Iterator[Document]:
        """The documents that may enter the split; an id seen before and a group in an earlier split are faults."""
        groups = self._groups.setdefault(split, [])
        for document in documents:
            group = group_of(document, self.split_by)
            there = split if group is None else self._split_of_group.get(group, split)
            if (earlier := self._split_of_id.get(document.id)) is not None:
                message = (
                    f"{document.id} ({split}): a document of {earlier} has this id already; make ids unique, or say "
                    "what counts where annotators wrote a record each (data.reader.annotators=union)"
                )
                self.losses.fault("duplicate_id", "-", message)
                continue
            if there != split:
                message = f"{document.id} ({split}): its {self.split_by} is in {there} too; keep it on one side"
                self.losses.fault(f"{self.split_by}_straddles", "-", message)
                continue
            self._split_of_id[document.id] = split
            if group is not None:
                self._split_of_group[group] = split
            groups.append(group)
            self.documents[split] += 1
            self.spans[split] += len(document.spans)
            self._digests.append(_digest(document))
            yield document

    def groups(self, split: str) -> list[str]:
        """The group of each document of a split; a document without one is its own group, which is counted.

        Raises `DataError` when no document has one: a split would part what belongs together.
        """
        stated = self._groups[split]
        if stated and all(group is None for group in stated):
            raise DataError(
                f"no document says its {self.split_by}, by which {split} should be split; set data.split_by=document "
                "if every note stands alone"
            )
        if alone := stated.count(None):
            self.losses.count(f"no_{self.split_by}", n=alone)
        ids = [document_id for document_id, there in self._split_of_id.items() if there == split]
        return [
            f"document {document_id}" if group is None else group
            for document_id, group in zip(ids, stated, strict=True)
        ]

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that name the documents read, whatever their order."""
        return hashlib.sha256(b"".join(sorted(self._digests))).hexdigest()[:16]


def _digest(document: Document) -> bytes:
    spans = [(span.start, span.end, span.label) for span in document.spans]
    content = json.dumps([document.id, document.text, spans, sorted(document.meta.items())])
    return hashlib.sha256(content.encode()).digest()
