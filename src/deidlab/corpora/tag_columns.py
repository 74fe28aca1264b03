"""Tags of consecutive tokens, read whatever scheme wrote them: IO, BIO, BIOES, BILOU, or bare labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from deidlab.labels import OUTSIDE, PREFIXES, Scheme
from deidlab.types import Losses

_BLANK = re.compile(r"\s")
_TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)


def split_tag(tag: str) -> tuple[str, str]:
    """The prefix and the label of a tag; a bare label has the prefix I of the IO scheme."""
    found = _TAG.fullmatch(tag)
    return (found[1], found[2]) if found else ("I", tag)


def detected_scheme(tags: Iterable[str], place: str, losses: Losses) -> Scheme | None:
    """The smallest scheme that has all prefixes seen, or None after a fault: when no scheme has, or these are no tags.

    What is taken for a label is shown to people: text in a column of tags must not become one.
    """
    tags = set(tags)
    bare = [tag for tag in tags - {OUTSIDE} if not _TAG.fullmatch(tag)]
    if any(map(_BLANK.search, bare)) or (bare and len(bare) == len(tags)):
        losses.fault(
            "no_tags", "-", f"{place}: its last column holds no tags (blanks in them, or no {OUTSIDE}); expected "
            "a token a line, its tag last",
        )  # fmt: skip
        return None
    seen = {split_tag(tag)[0] for tag in tags if tag != OUTSIDE}
    if seen & set("EL") and not seen & set("BSU"):
        losses.fault(
            "no_begin", "-", f"{place}: has tags that end a span and none that begins one; labels must not look like "
            "tags (E-MAIL): rename them, or write BIO",
        )  # fmt: skip
        return None
    for scheme in get_args(Scheme):
        if seen <= set(PREFIXES[scheme]):
            return scheme
    losses.fault("mixed_schemes", "-", f"{place}: has tags of BIOES and of BILOU; write it under one scheme")
    return None


def fits(rows: Iterable[tuple[str, int]], scheme: Scheme, place: str, losses: Losses) -> bool:
    """Whether the scheme has the prefix of every (tag, line); the first that it has not is a fault."""
    allowed = set(PREFIXES[scheme])
    for tag, line in rows:
        bare = tag != OUTSIDE and not _TAG.fullmatch(tag) and scheme != "IO"
        if bare or (tag != OUTSIDE and split_tag(tag)[0] not in allowed):
            losses.fault("bad_tag", "-", f"{place}: the tag in line {line} is none of {scheme}; set data.reader.scheme")
            return False
    return True


def spans_of_tags(tags: Sequence[str], scheme: Scheme, losses: Losses) -> Iterator[tuple[int, int, str]]:
    """The spans of a tag sequence as (first token, last token, label).

    A tag that should continue a span but cannot opens one, and a span without its closing tag ends where its tags
    end; both are kept and counted.
    """
    closing = set("ESLU")
    first, label = 0, None
    for index, tag in enumerate((*tags, OUTSIDE)):
        prefix, here = ("", None) if tag == OUTSIDE else split_tag(tag)
        continues = here is not None and here == label and prefix not in set("BSU")
        if label is not None and not continues:
            if scheme in ("BIOES", "BILOU"):
                losses.count("unclosed_span", label)
            yield first, index - 1, label
            label = None
        if here is not None and not continues:
            if scheme != "IO" and prefix not in set("BSU"):
                losses.count("opened_by_inside", here)
            first, label = index, here
        if label is not None and prefix in closing:
            yield first, index, label
            label = None
