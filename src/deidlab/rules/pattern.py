"""How a rule is written: a pattern whose groups are named after the types that they find.

Every quantifier over text is bounded or possessive and every pattern begins at a border, so that the work is linear in
the length of a note, whatever its content; `tests/rules/test_finding.py` feeds them megabytes of hostile text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex

from deidlab.types import Span

# The i2b2 2014 vocabulary: every label set that is shipped has a map from it.
VOCABULARY = "i2b2_2014"
GAP = r"[ \t\u00a0]"  # a blank inside a line, written ␣ in the patterns
REACH = 120  # characters on both sides of a landmark in which a rule looks; no rule finds anything longer


def accept(match: regex.Match) -> bool:
    """The guard of a rule whose pattern says it all."""
    return True


@dataclass(frozen=True)
class Rule:
    """A pattern; its named groups are identifiers of the type they are named after, if `guard` accepts the match.

    `near` is a landmark that a match holds and that is quicker to find than the match: where there is none, the
    pattern need not look.
    """

    name: str
    pattern: regex.Pattern
    guard: Callable[[regex.Match], bool] = accept
    near: regex.Pattern | None = None

    def find(self, text: str) -> Iterator[Span]:
        """Identifiers in the order of the text, without scores: a rule is sure or silent."""
        labels = tuple(self.pattern.groupindex)
        for start, end in self._stretches(text):
            for match in self.pattern.finditer(text, start, end):
                if self.guard(match):
                    for label in labels:
                        yield from (Span(first, last, label) for first, last in match.spans(label) if first < last)

    def _stretches(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the pattern has to look: disjoint stretches of the text."""
        if self.near is None:
            yield 0, len(text)
            return
        start, end = 0, -1
        for landmark in self.near.finditer(text):
            if end < 0 or landmark.start() - REACH > end:
                if end >= 0:
                    yield start, end
                start = max(0, landmark.start() - REACH)
            end = landmark.end() + REACH
        if end >= 0:
            yield start, min(end, len(text))


def rule(
    name: str,
    pattern: str,
    guard: Callable[[regex.Match], bool] = accept,
    *,
    near: str | None = None,
    cased: bool = True,
    **words: list[str],
) -> Rule:
    """Compile a rule; `words` are the word lists that the pattern names as `\\L<name>`."""
    flags = regex.MULTILINE | (0 if cased else regex.IGNORECASE)
    landmark = regex.compile(near.replace("␣", GAP)) if near else None
    return Rule(name, regex.compile(pattern.replace("␣", GAP), flags, ignore_unused=True, **words), guard, landmark)
