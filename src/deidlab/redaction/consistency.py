"""What was found once is found everywhere: other places of a note where its names and numbers stand.

A model that sees `Mr. Smith` and misses `smith` ten lines below leaks it; the note itself says who Smith is.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

import regex
import yaml

from deidlab.redaction.codes import bare
from deidlab.redaction.language import is_spanish
from deidlab.redaction.months import MONTHS, WEEKDAYS
from deidlab.redaction.name_lists import folded
from deidlab.redaction.name_parts import TITLES, take_apart
from deidlab.redaction.policy import Policy
from deidlab.redaction.taxonomy import taxonomy
from deidlab.redaction.text import check_spans
from deidlab.synthesis.resources import load_yaml
from deidlab.types import Document, Span

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’](?!s\b)[\p{L}\p{M}\p{N}]+)*", regex.IGNORECASE)
_RUN = re.compile(r"[^\W_]+")  # what `str.isalnum` says yes to, without a break
_GAP = regex.compile(r"[\s,.'’-]{1,3}")
_WHOLE = 12  # words of a name that is looked for as a whole; no person has more
_LINE = 200  # characters before a word that tell whether its line is written in capitals
_SENTENCE_END = frozenset(".!?:;•*\n\r>#")
_LOWER_FROM = 4  # letters from which a name is looked for in lower case too
_CODE_FROM = 5  # letters and digits of a number that is looked for
_NUMBER_FROM = 7  # letters and digits of one that is looked for in other punctuation: 2014 5 is no record number
_TAIL = 4  # characters of a number's end that are compared before it is put together from its runs
_PIECES = 6  # that a number is written in, at most
_MARKS = " -./"
Words = Sequence[tuple[int, int, str]]


def propagate(document: Document, spans: Iterable[Span], policy: Policy | None = None) -> tuple[Span, ...]:
    """The spans, and one for each further place where a name or a number of theirs stands, in order.

    Names: each word of three letters or more, by itself, in any casing, with a possessive s or without; shorter ones
    only as part of the whole name. A name that is an ordinary word as well (May, Will, Long) counts only where it
    follows a title or is capitalised inside a sentence, and not where it speaks of a month; eponyms
    (Parkinson's disease) do not count. Numbers and addresses: five characters or more, whole, in any casing; numbers
    of seven or more however they are punctuated. New spans carry the label of the mention they repeat and no score;
    of several mentions one that `policy` takes out wins over one that it keeps, and a place that is kept does not keep
    a name. `policy` gives types to labels of your own.
    """
    found = check_spans(document, spans)
    policy = policy or Policy()
    group_of = taxonomy().group_of
    kinds = {label: policy.type_of(label) for label in {span.label for span in found}}
    keeps = {label: policy.action_for(label) == "keep" for label in kinds}
    mentions = sorted(found, key=lambda span: keeps[span.label])  # the first mention of a name gives its label
    names = [s for s in mentions if group_of[kinds[s.label]] == "NAME" and kinds[s.label] != "USERNAME"]
    codes = [s for s in mentions if group_of[kinds[s.label]] in ("CONTACT", "ID") or kinds[s.label] == "USERNAME"]
    covered = bytearray(len(document.text))
    for span in found:
        if keeps[span.label] and group_of[kinds[span.label]] != "NAME":
            continue  # a patient called Israel
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    new = [*_names(document.text, names, kinds, covered), *_codes(document.text, codes, covered)]
    return tuple(sorted((*found, *_disjoint(new, len(document.text)))))


def _names(text: str, spans: Sequence[Span], kinds: Mapping[str, str], covered: bytearray) -> Iterator[Span]:
    if not spans:
        return
    spanish = is_spanish(text)
    single: dict[str, str] = {}
    whole: dict[tuple[str, ...], str] = {}
    lengths: dict[str, set[int]] = {}  # of the whole names that begin with a word
    for span in spans:
        mention = tuple(
            w for w in (folded(m[0]) for m in _WORD.finditer(text, span.start, span.end)) if w not in TITLES
        )
        if 1 < len(mention) <= _WHOLE:
            for order in (mention, mention[::-1]):
                whole.setdefault(order, span.label)
                lengths.setdefault(order[0], set()).add(len(order))
        for person in take_apart(text, span.start, span.end, kinds[span.label], spanish):
            for part in person:
                if not part.initial and len(part.key) > 2 and not part.key.isdecimal():
                    single.setdefault(part.key, span.label)
                    single.setdefault(part.key.replace("'", ""), span.label)
    words = [(w.start(), w.end(), folded(w[0])) for w in _WORD.finditer(text)]
    for i, (start, end, key) in enumerate(words):
        for length in lengths.get(key, ()):
            order = tuple(word for _, _, word in words[i : i + length])
            if order not in whole:
                continue
            last = _joined(text, words[i : i + length])
            if last and not all(covered[start:last]) and _is_whole_name(text[start:last], order):
                yield Span(start, last, whole[order])
        if key in single and not all(covered[start:end]) and _is_name(text, words, i):
            yield Span(start, end, single[key])


def _joined(text: str, words: Words) -> int | None:
    """Where these words end, or None where more than blanks and the like stands between them."""
    gaps = (text[a[1] : b[0]] for a, b in pairwise(words))
    return words[-1][1] if all(_GAP.fullmatch(gap) for gap in gaps) else None


def _is_whole_name(shown: str, order: tuple[str, ...]) -> bool:
    """Whether several words of a name are the name: in any casing if one is no ordinary word, else capitalised."""
    telling = any(len(word) > 3 and word not in common_words() for word in order)
    return telling or shown.isupper() or all(w[0][0].isupper() for w in _WORD.finditer(shown))


def _is_name(text: str, words: Words, i: int) -> bool:
    """Whether a word that is a name elsewhere in the note is one here."""
    start, end, key = words[i]
    shown = text[start:end]
    titled = i > 0 and words[i - 1][2] in TITLES and text[words[i - 1][1] : start].strip(".").isspace()
    if titled:
        return True
    lists = _lists()
    behind = words[i + 1][2] if i + 1 < len(words) else ""
    if key in lists["eponyms"] and (behind in lists["of_medicine"] or _possessed(text, words, i, lists["of_medicine"])):
        return False
    if key not in common_words():
        return shown[0].isupper() or not shown[0].islower() or len(key) >= _LOWER_FROM
    if not shown[0].isupper() or _begins_sentence(text, start) or _in_capitals(text, start, end):
        return False
    return not (key in MONTHS and _speaks_of_month(text, words, i))


def _possessed(text: str, words: Words, i: int, nouns: frozenset[str]) -> bool:
    """Whether the word stands before an `s` of its own and one of these nouns: Parkinson's disease."""
    return i + 2 < len(words) and words[i + 1][2] == "s" and text[words[i][1]] in "'’" and words[i + 2][2] in nouns


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 8) : start].rstrip(" \t\"'“(-")
    return not before or before[-1] in _SENTENCE_END


def _in_capitals(text: str, start: int, end: int) -> bool:
    """Whether the line writes everything in capitals, so that a capital says nothing."""
    before = text[max(0, start - _LINE) : start].rpartition("\n")[2]
    line = before + text[end : end + 80].partition("\n")[0]
    return text[start:end].isupper() and (line.isupper() or not any(ch.isalpha() for ch in line))


def _speaks_of_month(text: str, words: Words, i: int) -> bool:
    before = words[i - 1][2] if i else ""
    behind = words[i + 1][2] if i + 1 < len(words) else ""
    return (
        before in _lists()["month_context"]
        or before[:1].isdecimal()
        or behind[:1].isdecimal()
        or before in MONTHS
        or behind in MONTHS
    )


def _codes(text: str, spans: Sequence[Span], covered: bytearray) -> Iterator[Span]:
    """Other places of whole numbers and addresses: looked for where a run of letters and digits is their first one."""
    labels: dict[str, str] = {}
    shapes: dict[str, set[tuple[int, int]]] = {}  # first run of a code: where it stands there, and the code's length
    numbers: dict[str, str] = {}  # without punctuation
    for span in spans:
        shown = text[span.start : span.end].lower()
        digits = sum(ch.isdecimal() for ch in shown)
        if sum(ch.isalnum() for ch in shown) < _CODE_FROM or (digits < 4 and "@" not in shown and "." not in shown):
            continue
        first = next(_RUN.finditer(shown))  # there is one: it has letters or digits
        labels.setdefault(shown, span.label)
        shapes.setdefault(first[0], set()).add((first.start(), len(shown)))
        number = bare(shown)
        if digits >= 4 and "@" not in shown and len(number) >= _NUMBER_FROM:
            numbers.setdefault(number, span.label)
    tails = {number[-size:] for number in numbers for size in range(1, _TAIL + 1)}  # how the last run of one may end
    pieces: deque[re.Match[str]] = deque(maxlen=_PIECES)  # the last runs, as far as single marks part them
    for run in _RUN.finditer(text) if labels else ():
        key = run[0].lower()
        for before, length in shapes.get(key, ()):
            start, end = run.start() - before, run.start() - before + length
            shown = text[start:end].lower() if start >= 0 else ""
            if shown not in labels or (shown[-1].isalnum() and text[end : end + 1].isalnum()):
                continue
            if not all(covered[start:end]):
                yield Span(start, end, labels[shown])
        if pieces and (run.start() != pieces[-1].end() + 1 or text[run.start() - 1] not in _MARKS):
            pieces.clear()
        pieces.append(run)
        number = ""
        for first in reversed(pieces) if key[-_TAIL:] in tails else ():
            number = first[0].lower() + number
            if number in numbers and not all(covered[first.start() : run.end()]):
                yield Span(first.start(), run.end(), numbers[number])


def _disjoint(spans: Iterable[Span], length: int) -> list[Span]:
    """Of new spans that overlap in a text of some length, the longest."""
    chosen: list[Span] = []
    taken = bytearray(length)
    for span in sorted(spans, key=lambda s: (s.start - s.end, s)):
        if taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            chosen.append(span)
    return chosen


@lru_cache(maxsize=1)
def _lists() -> Mapping[str, frozenset[str]]:
    with files("deidlab.redaction").joinpath("data", "common_words.yaml").open("rb") as stream:
        return {name: frozenset(words.split()) for name, words in yaml.safe_load(stream).items()}


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Folded names that are ordinary words as well, months and weekdays among them."""
    ambiguous = load_yaml("ambiguous.yaml")
    names = {folded(word) for words in ambiguous.values() for word in words.split()}
    return frozenset(_lists()["words"] | names | set(MONTHS) | set(WEEKDAYS))
