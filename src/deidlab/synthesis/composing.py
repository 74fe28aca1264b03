"""The body of a note: sections in an institution's manner, chosen, headed, expanded."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from deidlab.synthesis.drawing import pick, weighted_row
from deidlab.synthesis.grammar import Mention, expand
from deidlab.synthesis.institutions import Institution
from deidlab.synthesis.writer import Condition, Writer

SLOTS = ("k", "k2", "k3")  # the heads under which templates speak of what else the patient has


def compose(
    tools: Writer,
    house: Institution,
    kind: str,
    condition: Condition,
    beside: Sequence[Condition],
    audience: int,
    child: bool,
    rng: random.Random,
    long: float,
) -> list[str | Mention]:
    """Text and open mentions of a note.

    `beside` are three other things that the patient has, `audience` tells what may be said of the patient
    (`deidlab.synthesis.audience`), `child` picks a child's sections, `long` is the chance of a very long stay.
    """
    symbols, address = tools.grammar.symbols, weighted_row(rng, tools.addresses)
    others = {f"{slot}.{name}": node for slot, other in zip(SLOTS, beside, strict=True)
              for name, node in other.nodes.items()}  # fmt: skip
    scope = {**condition.nodes, **address, **others}
    ample, framed = rng.random() < tools.ample[kind], tools.framed[kind]
    bullet = pick(rng, house.bullets)
    heading_form = pick(rng, house.headings)
    gap = house.gap
    out: list[str | Mention] = []
    parts: list[tuple[int, int]] = []  # where the sections stand in `out`

    def put(symbol: str) -> None:
        out.extend(expand(symbols[symbol], scope, rng, bullet, audience))

    if rng.random() < house.letterhead * framed:
        put("letterhead")
        out.append("\n\n")
    if rng.random() < house.header * framed:
        put("header")
        out.append(gap)
    sections = [s for s in weighted_row(rng, tools.layouts[kind]) if rng.random() < s[2]] or [
        tools.layouts[kind][0][1][0]
    ]
    for i, (head, body, _) in enumerate(sections):
        if i:
            out.append(gap)
        if head != "none" and heading_form and not (len(sections) == 1 and rng.random() < 0.7):
            out.append(heading_form.replace("H", house.cased(pick(rng, tools.headings[head]))))
        start = len(out)
        put(_register(symbols, body, house.register, child, ample, rng))
        parts.append((start, len(out)))
    if kind == "discharge_summary" and rng.random() < long:
        for _ in range(36 + int(rng.random() * 20)):
            other = pick(rng, tools.cards["conditions"])
            if other.sex in (None, condition.sex):
                out.append(gap)
                told = {**scope, **other.nodes, **address}
                out.extend(expand(symbols["long_day"], told, rng, bullet, audience | other.topics))
    if rng.random() < house.copied:
        start, end = pick(rng, parts)
        out.append(gap)
        put("copied")
        out.extend(out[start:end])
    if rng.random() < house.signature * framed:
        out.append("\n\n" if rng.random() < 0.6 else "\n")
        put("signature")
    if rng.random() < house.footer * framed:
        out.append("\n\n")
        put("footer")
    return out


def _register(
    symbols: Mapping[str, object], body: str, register: str, child: bool, ample: bool, rng: random.Random
) -> str:
    """The symbol for a section's body: a child's, a long one, else often the register's, where the grammar has one."""
    chance = rng.random()
    if child:
        return f"{body}_child" if f"{body}_child" in symbols else body
    if ample and f"{body}_long" in symbols and chance < (0.45 if register == "telegraphic" else 0.9):
        return f"{body}_long"
    return f"{body}_{register}" if f"{body}_{register}" in symbols and chance < 0.75 else body
