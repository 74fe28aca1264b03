"""From pixels to leaks: what of the gold is covered, why what is not is not, and what can be read again.

Glyphs are matched with what was read by place: a symbol is of the glyph whose middle lies in its box. Families of
metrics here: `covered` (share of identifier glyphs of which at least 95 % of the ink's box is under the mask), `clean`
(pages with all of them covered), `readable` (words of identifiers that an engine reads again where they stood).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

import numpy as np
import regex

from deidlab.images.geometry import moved
from deidlab.images.redacting import Cover, Find
from deidlab.images.rendering.pages import Rendered
from deidlab.images.words import Reading, Symbol
from deidlab.redaction.policy import Policy
from deidlab.types import Document

Cause = Literal["unread", "misread", "model", "box"]
CAUSES: tuple[Cause, ...] = ("unread", "misread", "model", "box")
_WHOLE = 0.95  # share of a glyph's box that is covered when the glyph is
_GRID = (np.arange(10) + 0.5) / 10  # 100 points in the box of a glyph
_STRETCH = 3  # letters that may become others together: rn and m
_TOLD = 3  # letters or digits of a word that is told when it is read again
_WORD = regex.compile(r"[\p{L}\p{N}]+")


@dataclass(frozen=True)
class Score:
    """One page. `identifier` and `other` are numbers of glyphs, `covered` and `wrongly` how many of each are under the
    mask; `area` is the share of pixels covered; `causes` split the glyphs of identifiers that are not covered;
    `errors` and `length` are of the text as the first engine read it (edit distance); `readable` counts, by engine,
    the mentions of which a word can be read again; `mentions` are all."""

    identifier: int
    covered: int
    other: int
    wrongly: int
    area: float
    causes: Counter[str]
    errors: int
    length: int
    mentions: int
    readable: Counter[str]


def score(page: Rendered, covers: Sequence[Cover], mask: np.ndarray, again: Sequence[Reading]) -> Score:
    """Judge a page: `covers` are what was covered and why, `mask` the covered pixels (height, width) bool, `again` what
    engines read on the page after that."""
    share, secret = coverage(mask, page.quads), of_spans(page)
    whole, touched = share >= _WHOLE, share >= 0.5
    causes = Counter(cause_of(page, covers, int(missed)) for missed in np.flatnonzero(secret & ~whole))
    first = covers[0].layout.text if covers else ""
    gold = " ".join(page.document.text.split())
    readable = {reading.source: read_again(page, reading) for reading in again}
    return Score(
        identifier=int(secret.sum()),
        covered=int((secret & whole).sum()),
        other=int((~secret).sum()),
        wrongly=int((~secret & touched).sum()),
        area=float(mask.mean()),
        causes=Counter(causes),
        errors=edit_distance(gold, " ".join(first.split())),
        length=len(gold),
        mentions=len(page.document.spans),
        readable=Counter({source: len(found) for source, found in readable.items()})
        + Counter({"any": len(set().union(*readable.values()))}),
    )


def coverage(mask: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """The share of each quad, (glyphs, 4, 2), that is under a mask, by a hundred points in it."""
    height, width = mask.shape
    along, down = np.meshgrid(_GRID, _GRID)
    weights = np.stack([(1 - along) * (1 - down), along * (1 - down), along * down, (1 - along) * down])
    points = np.einsum("cij,gck->gijk", weights, quads)
    x = np.clip(points[..., 0].astype(int), 0, width - 1)
    y = np.clip(points[..., 1].astype(int), 0, height - 1)
    return mask[y, x].mean(axis=(1, 2))


def of_spans(page: Rendered) -> np.ndarray:
    """(glyphs,) bool: which are of an identifier."""
    inside = np.zeros(len(page.document.text) + 1, bool)
    for span in page.document.spans:
        inside[span.start : span.end] = True
    return inside[page.places]


def matched(quads: np.ndarray, symbols: Sequence[Symbol], to_page: np.ndarray) -> np.ndarray:
    """The symbol in whose box the middle of each glyph lies, (glyphs,), the nearest of several; -1 where there is none.

    Boxes are taken a fifth of their height wider, for glyphs that the ink cuts elsewhere.
    """
    if not len(symbols) or not len(quads):
        return np.full(len(quads), -1)
    middles = moved(quads.mean(axis=1), np.linalg.inv(to_page))
    boxes = np.array([(s.box.left, s.box.top, s.box.right, s.box.bottom) for s in symbols])
    slack = 0.2 * (boxes[:, 3] - boxes[:, 1])
    x, y = middles[:, :1], middles[:, 1:]
    inside = (x >= boxes[:, 0] - slack) & (x <= boxes[:, 2] + slack) & (y >= boxes[:, 1]) & (y <= boxes[:, 3])
    far = np.abs(x - (boxes[:, 0] + boxes[:, 2]) / 2) + np.abs(y - (boxes[:, 1] + boxes[:, 3]) / 2)
    nearest = np.where(inside, far, np.inf).argmin(axis=1)
    return np.where(inside.any(axis=1), nearest, -1)


def cause_of(page: Rendered, covers: Sequence[Cover], glyph: int) -> Cause:
    """Why a glyph of an identifier is not covered, by the reading that came nearest to covering it.

    `unread`: no engine read anything there; `misread`: the mention was read as something else; `model`: it was read
    right and not found; `box`: it was found and the box is too small.
    """
    span = next(s for s in page.document.spans if s.start <= page.places[glyph] < s.end)
    mention = np.flatnonzero((page.places >= span.start) & (page.places < span.end))
    gold = "".join(page.document.text[page.places[i]] for i in mention)
    reached: set[Cause] = set()
    for cover in covers:
        symbols = cover.layout.symbols
        of_mention = matched(page.quads[mention], symbols, cover.reading.to_page)
        own = of_mention[np.flatnonzero(mention == glyph)[0]]
        if own < 0:
            reached.add("unread")
        elif any(own in cover.layout.symbols_of(a, b) for a, b in cover.ranges):
            reached.add("box")
        else:
            read = "".join(symbols[i].text for i in dict.fromkeys(of_mention.tolist()) if i >= 0)
            reached.add("model" if plain(read) == plain(gold) else "misread")
    return max(reached, key=CAUSES.index) if reached else "unread"


def plain(text: str) -> str:
    """Text without accents, in one case."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def read_again(page: Rendered, reading: Reading) -> set[int]:
    """Numbers of the mentions of which a word (three letters or digits, or all it has) is read right, in its place."""
    symbols = [symbol for word in reading.words for symbol in word.symbols]
    own = matched(page.quads, symbols, reading.to_page)
    told = {
        int(place): symbol >= 0 and plain(symbols[symbol].text) == plain(page.document.text[place])
        for place, symbol in zip(page.places, own, strict=True)
    }
    found = set()
    for number, span in enumerate(page.document.spans):
        words = list(_WORD.finditer(page.document.text, span.start, span.end))
        least = min(_TOLD, max((len(w[0]) for w in words), default=0))
        if any(len(w[0]) >= least and all(told.get(i, False) for i in range(*w.span())) for w in words):
            found.add(number)
    return found


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions that turn one text into the other."""
    codes = np.array([ord(ch) for ch in b])
    row = np.arange(len(b) + 1)
    places = np.arange(len(b) + 1)
    for i, ch in enumerate(a, start=1):
        best = np.concatenate(([i], np.minimum(row[1:] + 1, row[:-1] + (codes != ord(ch)))))
        row = np.minimum.accumulate(best - places) + places  # insertions: from any place to the left
    return int(row[-1])


def kept_out(document: Document, policy: Policy) -> Document:
    """The document without spans that a policy keeps, such as states: they are no leak."""
    return replace(document, spans=tuple(s for s in document.spans if policy.action_for(s.label) != "keep"))


def without_ocr(document: Document, find: Find) -> tuple[int, int]:
    """How many characters of identifiers are found in the text itself, and how many there are."""
    found = {i for s in find([document])[0] for i in range(s.start, s.end)}
    wanted = [i for s in document.spans for i in range(s.start, s.end) if not document.text[i].isspace()]
    return sum(i in found for i in wanted), len(wanted)


def confusions(page: Rendered, reading: Reading) -> Counter[tuple[str, str, str]]:
    """How often was printed what and read as what: (source, printed, read), a letter each where letters are as many.

    Letters of a word and what was read in its place are aligned, so that a letter lost at the beginning does not make
    every other a confusion; `printed` is empty for what was read and is not there, `read` for what was not read.
    Longer stretches than three letters tell nothing of letters and are left out.
    """
    symbols = [symbol for word in reading.words for symbol in word.symbols]
    middles = np.array([((s.box.left + s.box.right) / 2, (s.box.top + s.box.bottom) / 2) for s in symbols])
    corners = moved(page.quads.reshape(-1, 2), np.linalg.inv(reading.to_page)).reshape(-1, 4, 2)
    found: Counter[tuple[str, str, str]] = Counter()
    for word in np.split(np.arange(len(page.places)), np.flatnonzero(np.diff(page.places) != 1) + 1):
        if not len(word):
            continue
        printed, shown = "".join(page.document.text[i] for i in page.places[word]), ""
        if symbols:
            low, high = corners[word].min(axis=(0, 1)), corners[word].max(axis=(0, 1))
            slack = 0.15 * (high[1] - low[1])  # a symbol's box may end a little outside of its word's
            inside = ((middles >= low - slack) & (middles <= high + slack)).all(axis=1)
            shown = "".join(symbols[i].text for i in np.flatnonzero(inside))
        found.update((reading.source, a, b) for a, b in aligned(printed, shown))
    return found


def aligned(printed: str, shown: str) -> Iterator[tuple[str, str]]:
    """Pairs of letters, or of short stretches where one became several, of two spellings of a word."""
    for kind, a, b, c, d in SequenceMatcher(None, printed, shown, autojunk=False).get_opcodes():
        if b - a == d - c:
            yield from zip(printed[a:b], shown[c:d], strict=True)
        elif kind == "delete":
            yield from ((ch, "") for ch in printed[a:b])
        elif max(b - a, d - c) <= _STRETCH:
            yield printed[a:b], shown[c:d]
