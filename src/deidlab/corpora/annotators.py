"""What several annotators say of one note: whether they agree, and what counts where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

from deidlab.types import ConfigError, Document, Losses, Span

Policy = Literal["error", "first", "union"]


def check_policy(policy: str) -> None:
    """Raise `ConfigError` for a policy that is none."""
    if policy not in get_args(Policy):
        raise ConfigError(f"annotators is {policy!r}; expected one of {', '.join(get_args(Policy))}")


def settled(
    document_id: str, versions: Sequence[tuple[Span, ...]], policy: Policy, losses: Losses
) -> tuple[Span, ...] | None:
    """The spans of a note that was annotated more than once, or None after a fault.

    Versions that agree are one. Where they differ, `error` is a fault, `first` takes the first, and `union` takes
    every span that any of them has; the other versions are counted.
    """
    if len(versions) > 1:
        losses.count("other_version", n=len(versions) - 1)
    if len({tuple(sorted(spans)) for spans in versions}) > 1:
        if policy == "error":
            losses.placed_fault(
                "annotators_disagree",
                document_id,
                None,
                f"{document_id}: its {len(versions)} annotations differ; export the adjudicated one, or say what "
                "counts: data.reader.annotators=first (or union) in train.py, --annotators elsewhere",
            )
            return None
        losses.count("annotators_disagree")
    if policy == "union":
        return tuple(sorted({span: None for spans in versions for span in spans}))
    return versions[0]


def merged(documents: Iterable[Document], policy: Policy, losses: Losses) -> Iterator[Document]:
    """The documents, those of one id and one text as one, in the order in which they first came.

    doccano and Prodigy export a record for each annotator. Documents of one id and different texts are left as they
    are: an id that is there twice is for others to judge.
    """
    versions: dict[tuple[str, str], list[Document]] = {}
    for document in documents:
        versions.setdefault((document.id, document.text), []).append(document)
    for (document_id, _), same in versions.items():
        spans = settled(document_id, [document.spans for document in same], policy, losses)
        if spans is not None:
            yield replace(same[0], spans=spans)
