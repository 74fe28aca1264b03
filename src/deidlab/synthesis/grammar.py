"""A small generative grammar: templates written as data, compiled once, expanded into text and mentions.

A symbol is a list of alternatives; an alternative is a template:

    [a|b|]            one of the alternatives (the last one here is empty)
    {symbol}          an alternative of another symbol
    {c.field}         the same, looked up at expansion in the scope (the condition that the note is about); {k.field},
                      {k2.field} and {k3.field}: what else the patient has
    {pt.full}         a mention, left in the output for the cast to fill in (`deidlab.synthesis.mentions`)
    {^...}            as {...}, with its first letter made a capital
    {#60-180}         a number; {#0.6-1.4} has one decimal; {#5-80/5} goes in steps of five
    {2-4 symbol}      two to four different alternatives, joined by a blank
    {2-4 symbol;}     joined as "a, b, and c";  {2-4 symbol,} by commas;  {2-4 symbol/} by newlines;
    {2-4 symbol*}     as a list with the bullets of the institution;  {2-4 symbol>} by blanks, in their own order
    \\[               the character itself
"""

from __future__ import annotations

import difflib
import random
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Any

from deidlab.synthesis.audience import EVERYONE, Masks
from deidlab.types import ConfigError

SPLITS = ("train", "validation", "test")
# The heads of dotted names that are looked up in the scope; every other head is a role of the cast.
SCOPED = ("c", "k", "k2", "k3")
TRIES = 60  # draws for an alternative that fits, before any is taken

# str | tuple (a sequence, reversed) | list (a choice) | Number | Scoped | Repeat | Mention | Only | _Capital
Node = Any


@dataclass(frozen=True, slots=True)
class Mention:
    """A place for the cast to fill: who or what (`role`), in which shape (`form`)."""

    role: str
    form: str


@dataclass(frozen=True, slots=True)
class Number:
    low: int
    steps: int
    step: int
    decimals: int

    def draw(self, rng: random.Random) -> str:
        value = self.low + int(rng.random() * self.steps) * self.step
        return str(value) if not self.decimals else f"{value / 10**self.decimals:.{self.decimals}f}"


@dataclass(frozen=True, slots=True)
class Scoped:
    name: str


@dataclass(frozen=True, slots=True)
class Repeat:
    low: int
    high: int
    kind: str
    choice: Node


@dataclass(frozen=True, slots=True)
class Only:
    """An alternative for some notes: those that have a tag of each mask (`deidlab.synthesis.audience`)."""

    node: Node
    masks: Masks  # by group; 0 asks for nothing

    def fits(self, audience: int) -> bool:
        return all(mask & audience or not mask for mask in self.masks)


class _Capital:
    """Makes the next piece of text begin with a capital letter."""


CAPITAL = _Capital()
_REPEAT = re.compile(r"(\d+)-(\d+) ([\w.]+)([;,/*>]?)$")
_NUMBER = re.compile(r"#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?:/(\d+))?$")
_REFERENCE = re.compile(r"\{\w+\}")
_TOKEN = re.compile(r"\\(.)|\{([^{}]*)\}|([\[|\]])|([^\\{}\[|\]]+)", re.S)


@dataclass(frozen=True)
class Shares:
    """The share of each long list of alternatives that only validation and only test may use."""

    validation: float = 0.1
    test: float = 0.1
    shortest: int = 5  # lists shorter than this are shared by all splits

    def __post_init__(self) -> None:
        for name, value in (("validation", self.validation), ("test", self.test)):
            if not 0 <= value < 0.5:
                raise ConfigError(f"template share of {name} is {value}; expected 0 <= share < 0.5 (0: not held out)")

    def keep(self, alternatives: list[str], split: str | None) -> list[str]:
        """The alternatives that a split may use, in their own order; the choice depends on their texts only.

        One that only refers to another symbol serves every split: what it refers to is dealt out itself.
        """
        references = {text for text in alternatives if _REFERENCE.fullmatch(text)}
        ranked = sorted(set(alternatives) - references, key=lambda text: zlib.crc32(text.encode()))
        if split is None or len(ranked) < self.shortest:
            return alternatives
        bounds = [0]
        for share in (self.validation, self.test):
            bounds.append(bounds[-1] + (max(1, round(share * len(ranked))) if share else 0))
        held = {"validation": ranked[: bounds[1]], "test": ranked[bounds[1] : bounds[2]]}
        mine = references | set(held.get(split) or ranked[bounds[2] :])
        return [text for text in alternatives if text in mine]


@dataclass
class Grammar:
    """Compiled symbols; `expand` walks them."""

    symbols: dict[str, list[Node]] = field(default_factory=dict)
    said_of: Callable[[str], Masks] | None = None  # tells of whom a text may be said; None: of everyone

    @classmethod
    def compile(
        cls,
        sources: Mapping[str, Iterable[str]],
        split: str | None = None,
        shares: Shares | None = None,
        said_of: Callable[[str], Masks] | None = None,
    ) -> Grammar:
        """Compile every symbol, keeping the alternatives that `split` may use (None: all of them)."""
        shares = shares or Shares()
        # The lists first, so that symbols may refer to each other.
        grammar = cls({name: [] for name in sources}, said_of)
        for name, alternatives in sources.items():
            kept = shares.keep([str(a) for a in alternatives], split)
            grammar.symbols[name].extend(grammar.parse(text, name) for text in kept)
        return grammar

    def parse(self, template: str, where: str) -> Node:
        """Compile one template. Raises `ConfigError` for an unknown symbol or an open bracket."""
        stack: list[list[list[Node]]] = [[[]]]
        for match in _TOKEN.finditer(template):
            escaped, directive, bracket, text = match.groups()
            if bracket == "[":
                stack.append([[]])
            elif bracket == "|" and len(stack) > 1:
                stack[-1].append([])
            elif bracket == "]" and len(stack) > 1:
                alternatives = stack.pop()
                stack[-1][-1].append([self._alternative(nodes) for nodes in alternatives])
            elif directive is not None:
                stack[-1][-1].extend(self._directive(directive, where))
            else:
                stack[-1][-1].append(escaped or text or bracket)
        if len(stack) != 1:
            raise ConfigError(f"template of {where} has an open '[': {template[:60]!r}")
        return self._alternative(stack[0][0])

    def _alternative(self, nodes: list[Node]) -> Node:
        """One alternative: a sequence, and where its words are said of some patients only, marked so."""
        whole = _sequence(nodes)
        if self.said_of is None:
            return whole
        masks = list(self.said_of("".join(map(self._told, nodes))))
        for node in nodes:  # where each choice inside asks for something, so does the whole
            if type(node) is list and id(node) not in self._names and all(type(n) is Only for n in node):
                for group, mask in enumerate(masks):
                    inner = [n.masks[group] for n in node]
                    if not mask and all(inner):
                        masks[group] = reduce(or_, inner)
        return Only(whole, tuple(masks)) if any(masks) else whole

    def _told(self, node: Node) -> str:
        """A node as the words of `audience.yaml` may name it: text, {pt.mr}, {symbol}, 0 for a number."""
        match node:
            case str():
                return node
            case Number():
                return "0"
            case Scoped(name):
                return f"{{{name}}}" if "." in name else "{c}"
            case Mention(role, form):
                return f"{{{role}.{form}}}"
            case Repeat(choice=choice):
                return self._told(choice)
            case list():
                return self._names.get(id(node), " ")
        return ""

    @cached_property
    def _names(self) -> Mapping[int, str]:
        return {id(alternatives): f"{{{name}}}" for name, alternatives in self.symbols.items()}

    def _directive(self, body: str, where: str) -> list[Node]:
        if body.startswith("^"):
            return [CAPITAL, *self._directive(body[1:], where)]
        if match := _NUMBER.match(body):
            low, high, step = match.groups()
            decimals = len(low.partition(".")[2])
            first, last, stride = round(float(low) * 10**decimals), round(float(high) * 10**decimals), int(step or 1)
            return [Number(first, (last - first) // stride + 1, stride, decimals)]
        if match := _REPEAT.match(body):
            low, high, name, kind = match.groups()
            return [Repeat(int(low), int(high), kind or " ", self._name(name, where))]
        return [self._name(body, where)]

    def _name(self, name: str, where: str) -> Node:
        head, dot, form = name.partition(".")
        if dot:
            if head in SCOPED:
                return Scoped(form if head == SCOPED[0] else name)
            return Mention(head, form)
        if name not in self.symbols:
            close = difflib.get_close_matches(name, self.symbols, n=1)
            raise ConfigError(
                f"{where} refers to the unknown symbol {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
            )
        return self.symbols[name]


def _sequence(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else tuple(reversed(nodes))


def expand(
    start: Node, scope: Mapping[str, Node], rng: random.Random, bullet: str = "- ", audience: int = EVERYONE
) -> list[str | Mention]:
    """Expand a node to text and mentions in reading order.

    `scope` gives the nodes of `{c.field}`; `bullet` starts the lines of a list ("1" numbers them); of alternatives that
    are said of some patients only, those are drawn that fit the tags of `audience`.
    """
    out: list[str | Mention] = []
    stack: list[Node] = [start]
    draw, pop, push, emit = rng.random, stack.pop, stack.append, out.append
    capital = False
    while stack:
        node = pop()
        while type(node) is list:
            choice = node
            node = choice[int(draw() * len(choice))]
            if type(node) is Only:
                tries = TRIES
                while type(node) is Only and not node.fits(audience) and tries:
                    node, tries = choice[int(draw() * len(choice))], tries - 1
                if type(node) is Only:
                    node = node.node
        kind = type(node)
        if kind is str:
            if capital and node:
                node, capital = node[0].upper() + node[1:], False
            emit(node)
        elif kind is tuple:
            stack.extend(node)
        elif kind is Mention:
            capital = False
            emit(node)
        elif kind is Number:
            capital = False
            emit(node.draw(rng))
        elif kind is Scoped:
            push(scope[node.name])
        elif kind is Repeat:
            stack.extend(_repeat(node, scope, rng, bullet, audience))
        else:
            capital = True
    return out


def _repeat(node: Repeat, scope: Mapping[str, Node], rng: random.Random, bullet: str, audience: int) -> list[Node]:
    choice = node.choice
    if type(choice) is Scoped:
        choice = scope[choice.name]
    count = min(node.low + int(rng.random() * (node.high - node.low + 1)), len(choice))
    picked = _different(choice, count, rng, audience)
    if node.kind == ">":
        picked.sort()
    nodes: list[Node] = []
    for i, at in enumerate(picked):
        item = choice[at]
        if type(item) is Only:
            item = item.node
        match node.kind:
            case "*":
                nodes.extend(("\n" if i else "", f"{i + 1}. " if bullet == "1" else bullet, CAPITAL))
            case "/":
                nodes.append("\n" if i else "")
            case ";" if i and i == len(picked) - 1:
                nodes.append(" and " if len(picked) == 2 else ", and ")
            case ";" | ",":
                nodes.append(", " if i else "")
            case _:
                nodes.append(" " if i else "")
        nodes.append(item)
    nodes.reverse()
    return nodes


def _different(choice: Sequence[Node], count: int, rng: random.Random, audience: int) -> list[int]:
    """Places of up to `count` different alternatives that fit; at least one, which fits if any does."""
    if len(choice) <= 4 * count:
        fitting = [i for i, node in enumerate(choice) if type(node) is not Only or node.fits(audience)]
        fitting = fitting or list(range(len(choice)))
        return rng.sample(fitting, min(count, len(fitting)))
    picked: list[int] = []
    for _ in range(8 * count + 16):
        at = int(rng.random() * len(choice))
        node = choice[at]
        if at not in picked and (type(node) is not Only or node.fits(audience)):
            picked.append(at)
            if len(picked) == count:
                break
    return picked or [int(rng.random() * len(choice))]
