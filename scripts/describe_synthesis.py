"""Write the measured parts of the synthetic corpus's data card: `python scripts/describe_synthesis.py`.

They stand in `data_cards/synthetic.md` between `<!-- measured -->` and `<!-- end -->`.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean, median

ROOT = Path(__file__).parents[1]
CARD = ROOT / "data_cards" / "synthetic.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->"
TRAIN, TEST, CELLS = 3000, 300, 10_000  # notes: of train and test, and of those whose cultures are counted
PROSE = ("progress_note", "history_and_physical", "emergency_note")


def main() -> None:
    import yaml

    from deidlab.synthesis.corpus import settings_by_split
    from deidlab.synthesis.noise import noise_of
    from deidlab.synthesis.statistics import Statistics, overlap
    from deidlab.synthesis.stream import generate

    c = yaml.safe_load((ROOT / "conf" / "data" / "synthetic.yaml").read_text(encoding="utf-8"))
    settings = settings_by_split(
        {"train": TRAIN, "test": TEST}, c["note_types"], c["institutions"], c["cultures"], c["genders"],
        c["balanced"], c["mixing"], c["abroad"], c["disjoint"], c["held_out"], native_script=c["native_script"],
        long=c["long"], convention=c["convention"], noise=noise_of(c["noise"]),
    )  # fmt: skip
    notes = list(generate(settings["train"], TRAIN, c["seed"]))
    train, test = Statistics.of(notes), Statistics.of(generate(settings["test"], TEST, c["seed"]))
    cells = Statistics.of(generate(settings["train"], CELLS, c["seed"]), lexical=False)
    short = next((note for note in notes if is_telling(note)), notes[0])
    blocks = [
        f"Measured by `python scripts/describe_synthesis.py` on the first {TRAIN:,} train and {TEST} test notes of the "
        f"default settings, seed {c['seed']}; cultures on {CELLS:,} train notes.",
        table(("measured", ""), overview(notes, train, overlap(train, test))),
        wide(("label", "spans"), [(label, f"{n:,}") for label, n in train.labels.most_common()], 4),
        wide(("culture", "women", "men"), list(by_culture(cells)), 3),
        "A note of it (fiction throughout; spans in brackets):",
        "\n".join("> " + line if line else ">" for line in wrapped(bracketed(short))),
    ]
    card = CARD.read_text(encoding="utf-8")
    before, _, rest = card.partition(BEGIN)
    if not rest:
        raise SystemExit(f"{CARD} has no line {BEGIN.strip()}")
    after = rest[rest.index(END) :]
    CARD.write_text(before + BEGIN + "\n" + "\n\n".join(blocks) + "\n\n" + after, encoding="utf-8")


def is_telling(note) -> bool:
    """Whether a note shows in few lines what notes are like: a visit in mixed case that begins with its patient."""
    words, first = len(note.text.split()), note.spans[0] if note.spans else None
    begins = first is not None and first.start < 60 and " is a" in note.text[first.end : first.end + 8]
    visit = note.meta["note_type"] == "progress_note" and note.meta["institution"] in ("larkspur", "brookhaven")
    return begins and visit and 90 < words < 170 and len(note.spans) > 4 and not note.text.islower()


def overview(notes: Sequence, train, shared) -> Iterator[tuple[str, str]]:
    """What notes are like, and what train shares with test."""
    figures = train.summary()
    yield "words a note", f"{figures['words_per_note']:.0f}"
    spans = [len(note.spans) for note in notes]
    yield "identifiers a note", f"{mean(spans):.1f} (median {median(spans):.0f})"
    for kind in PROSE:
        mine = [note for note in notes if note.meta["note_type"] == kind]
        words, identifiers = mean(len(n.text.split()) for n in mine), mean(len(n.spans) for n in mine)
        yield f"words, identifiers a note: {kind.replace('_', ' ')}", f"{words:.0f}, {identifiers:.1f}"
    yield "distinct 4-grams per 1,000 tokens", f"{figures['distinct_4grams_per_1000_tokens']:.0f}"
    alike = f"{figures['distinct_bodies']:,} of {figures['documents']:,}"
    yield "notes whose body is like no other's, identifiers and numbers removed", alike
    yield "distinct sentences, identifiers and numbers removed", f"{figures['distinct_sentence_skeletons']:,}"
    for what in ("names", "identifiers", "sentences", "bodies"):
        yield f"share of test's {OVERLAP[what]} that train has too", f"{shared[what]:.1%}"


OVERLAP = {
    "names": "words of names", "identifiers": "other identifiers", "sentences": "sentences without identifiers",
    "bodies": "bodies",
}  # fmt: skip


def by_culture(cells) -> Iterator[tuple[str, str, str]]:
    """Rows of cultures, the commonest first, with their women and men."""
    counts = {culture: [cells.cells[culture, g] for g in ("female", "male")] for culture, _ in cells.cells}
    for culture, (women, men) in sorted(counts.items(), key=lambda row: -sum(row[1])):
        yield culture, f"{women:,}", f"{men:,}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def wide(head: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> str:
    """A long table folded into `columns` columns, filled row by row."""
    rows = [*rows, *[("",) * len(head)] * (-len(rows) % columns)]
    folded = [sum(map(tuple, rows[i : i + columns]), ()) for i in range(0, len(rows), columns)]
    return table(tuple(head) * columns, folded)


def bracketed(note) -> str:
    out, at = [], 0
    for span in note.spans:
        out += [note.text[at : span.start], f"[{note.text[span.start : span.end]}]"]
        at = span.end
    return "".join(out) + note.text[at:]


def wrapped(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from textwrap.wrap(line, 116) or [""]


if __name__ == "__main__":
    main()
