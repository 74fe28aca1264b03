"""From pixels to leaks: what of rendered pages is covered, why the rest is not, and what can be read again?

python scripts/evaluate_images.py --model RUN [--pages 18] [--ocr rapidocr] [--conditions "scan" "DICOM frame" ...]
    [--seed 0] [--out experiments/image] [--words 60]

Synthetic notes of people and sentences that no training split has are set as pages (`deidlab.images.rendering`), worn,
read, judged by the model with rules and consistency, covered, and read again by every engine at hand. Each condition
has `--pages` pages; DICOM frames are judged with and without the deny-list of their header. `results.json` is written
after each condition.
"""

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

import numpy as np

from deidlab import deidentifier, runs
from deidlab.bulk.images import finder
from deidlab.images import engines
from deidlab.images.boxes import Covering
from deidlab.images.fill import filled
from deidlab.images.formats.dicom import Dicom
from deidlab.images.preparing import Preparation
from deidlab.images.reading import read
from deidlab.images.redacting import Find, covers
from deidlab.images.rendering import frames
from deidlab.images.rendering.pages import CONDITIONS, Rendered, rendered, shortened
from deidlab.images.scoring import CAUSES, Score, confusions, score
from deidlab.synthesis.people import GENDERS, name_pool
from deidlab.synthesis.settings import CULTURES, Settings
from deidlab.synthesis.stream import generate
from deidlab.types import Document

FRAMES = "DICOM frame"
FRAME_KINDS = (("MONOCHROME2", 8), ("RGB", 8), ("MONOCHROME2", 16), ("MONOCHROME1", 8))
EXAMPLES = ("scan", "form", "dark screen", FRAMES)


@dataclass
class Tally:
    """Scores by row of a table: a condition, a set of engines, with or without the header."""

    scores: dict[str, list[Score]] = field(default_factory=dict)
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # OCR, everything
    engines: dict[str, list[Score]] = field(default_factory=dict)
    text: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # characters covered, all: without any OCR
    confused: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run; the rules alone without")
    parser.add_argument("--pages", type=int, default=18, help="of each condition")
    parser.add_argument("--words", type=int, default=60, help="of a page, at least")
    parser.add_argument("--ocr", default="rapidocr", help="engines of the system that is judged")
    parser.add_argument("--conditions", nargs="+", default=[*CONDITIONS, FRAMES])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("experiments/image"))
    args = parser.parse_args()
    with runs.mendable_errors():
        evaluate(args)


def evaluate(args: argparse.Namespace) -> None:
    used = engines.build(args.ocr.split(","))
    others = engines.build([name for name in engines.installed() if name not in args.ocr.split(",")] or [used[0].name])
    loaded = deidentifier.load(args.model)
    bench = Bench(used, tuple(e for e in others if e not in used), finder(loaded))
    keeps = partial(kept_out, policy=loaded.redactor.policy)
    tally = Tally()
    args.out.mkdir(parents=True, exist_ok=True)
    notes = (keeps(note) for note in synthetic(args.seed, args.words))
    for condition in args.conditions:
        for number in range(args.pages):
            if condition == FRAMES:
                page, known, pixels = framed(number, args.seed, keeps)
            else:
                page, known = rendered(next(notes), CONDITIONS[condition], f"{args.seed} {condition}"), ()
                pixels = page.pixels
            picture = bench.judge(tally, condition, page, pixels, known)
            if condition in EXAMPLES and number == 0:
                example(args.out / f"{condition.replace(' ', '-').lower()}.png", page.pixels, picture)
            print(f"{condition} {number + 1}/{args.pages}", flush=True)
        keep(tally, args)


def synthetic(seed: int, words: int) -> Iterator[Document]:
    """Beginnings of notes that no training split has, in all cultures."""
    settings = Settings(cultures=None, split="test", series="images")
    for start in range(0, 10**6, 64):
        for note in generate(settings, 64, seed, start=start):
            if page := shortened(note, words):
                yield page


def kept_out(document: Document, policy) -> Document:
    """The document without spans that the policy keeps, such as states: they are no leak."""
    return replace(document, spans=tuple(s for s in document.spans if policy.action_for(s.label) != "keep"))


def framed(number: int, seed: int, keeps) -> tuple[Rendered, tuple[str, ...], np.ndarray]:
    """A frame, what its header knows, and its pixels as they come out of the file."""
    rng = random.Random(f"{seed} {number}")
    patient, physician = (name_pool(rng.choice(list(CULTURES)), "test").draw(rng, rng.choice(GENDERS)) for _ in "12")
    hospital = rng.choice(("Mercy Hospital", "St. Anne Medical Center", "Riverside General", "Lakeview Clinic"))
    made = frames.frame(f"frame-{number}", patient, physician, hospital, seed)
    kind, bits = FRAME_KINDS[number % len(FRAME_KINDS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frame.dcm"
        with file.open("wb") as stream:
            frames.write(stream, made, kind, bits)
        source = Dicom(file)
        return replace(made.rendered, document=keeps(made.rendered.document)), source.known, source.page(0)


@dataclass(frozen=True)
class Bench:
    """The engines of the system, those that only attack, and what finds identifiers."""

    used: Sequence[engines.Engine]
    attackers: Sequence[engines.Engine]
    find: Find
    covering: Covering = field(default_factory=Covering)

    def judge(self, tally: Tally, row: str, page: Rendered, pixels: np.ndarray, known: Sequence[str]) -> np.ndarray:
        """Read, cover, read again, and count; gives the covered picture."""
        began = time.process_time()
        readings = read(pixels, self.used, Preparation())
        seen = time.process_time() - began
        mask, found = self.covered(page, readings, known)
        took = time.process_time() - began
        picture = filled(page.pixels, mask, "grey" if np.median(page.pixels) < 110 else "black")
        again = [one for e in (*self.used, *self.attackers) for one in read(picture, [e], Preparation())]
        put(tally.scores, f"{row}, header" if known else row, score(page, found, mask, again))
        put(tally.seconds, row, (seen, took))
        if known:
            plain_mask, plain_found = self.covered(page, readings, ())
            put(tally.scores, row, score(page, plain_found, plain_mask, ()))
        further = [one for e in self.attackers for one in read(pixels, [e], Preparation())]
        self.compare(tally, page, (*readings, *further), known)
        for reading in (*readings, *further):
            for (gold, shown), count in confusions(page, reading).items():
                tally.confused[reading.source, gold, shown] += count
        spans = self.find([page.document])[0]
        inside = {i for s in spans for i in range(s.start, s.end)}
        wanted = [i for s in page.document.spans for i in range(s.start, s.end) if not page.document.text[i].isspace()]
        put(tally.text, row, (sum(i in inside for i in wanted), len(wanted)))
        return picture

    def covered(self, page: Rendered, readings, known: Sequence[str]):
        made = covers([readings], self.find, self.covering, page.document.id, known)
        return made.mask(0, *page.pixels.shape), made.pages[0]

    def compare(self, tally: Tally, page: Rendered, readings, known: Sequence[str]) -> None:
        """The same page by each engine alone and by all of them, from what they have read already."""
        sets = {reading.source: (reading,) for reading in readings}
        if len(readings) > 1:
            sets |= {"all of them": tuple(readings)}
        for name, chosen in sets.items():
            mask, found = self.covered(page, chosen, known)
            put(tally.engines, name, score(page, found, mask, ()))


def put(table: dict[str, list], row: str, value) -> None:
    table.setdefault(row, []).append(value)


def share(part: float, whole: float, digits: int = 4) -> str:
    return f"{part / whole:.{digits}f}" if whole else "-"


def keep(tally: Tally, args: argparse.Namespace) -> None:
    """Write the tables: `results.json` by condition, `causes.json`, `engines.json`, `confusions.json`."""
    rows = dict(tally.scores)
    pages = {row: scores for row, scores in rows.items() if not (row == FRAMES and f"{FRAMES}, header" in rows)}
    rows["all pages"] = [one for scores in pages.values() for one in scores]
    origin = {
        "command": " ".join(["python scripts/evaluate_images.py", *sys.argv[1:]]),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
        "ocr": args.ocr,
        "seed": args.seed,
    }
    write(args.out / "results.json", origin, COLUMNS, [[row, *figures(tally, row, rows[row])] for row in rows])
    causes = [
        [row, str(sum(s.identifier for s in scores)), str(sum(s.identifier - s.covered for s in scores))]
        + [str(sum(s.causes[cause] for s in scores)) for cause in CAUSES]
        for row, scores in rows.items()
    ]
    write(args.out / "causes.json", origin, ("condition", "identifier characters", "not covered", *CAUSES), causes)
    compared = [
        [name, share(sum(s.covered for s in scores), sum(s.identifier for s in scores)),
         share(sum(s.covered == s.identifier for s in scores), len(scores), 3),
         share(sum(s.wrongly for s in scores), sum(s.other for s in scores)),
         share(sum(s.errors for s in scores), sum(s.length for s in scores))]
        for name, scores in tally.engines.items()
    ]  # fmt: skip
    plain = [pair for pairs in tally.text.values() for pair in pairs]
    covered, whole = (sum(pair[i] for pair in plain) for i in (0, 1))
    clean = share(sum(a == b for a, b in plain), len(plain), 3)
    compared.append(["no OCR: the text itself", share(covered, whole), clean, "-", "0"])
    columns = ("read by", "identifier characters covered", "clean pages", "others covered", "OCR error rate")
    write(args.out / "engines.json", origin, columns, compared)
    wrong = [(key, n) for key, n in tally.confused.most_common() if key[1] != key[2]]
    totals = Counter()
    for (source, gold, _), n in tally.confused.items():
        totals[source, gold] += n
    shown = [[*key, str(n), share(n, totals[key[0], key[1]])] for key, n in wrong if n > 1]
    write(args.out / "confusions.json", origin, ("engine", "printed", "read", "times", "of all"), shown)


COLUMNS = (
    "condition", "pages", "OCR error rate", "identifier characters covered", "clean pages",
    "pages without readable leak", "identifiers readable", "other characters covered", "area covered", "s/page",
    "OCR share",
)  # fmt: skip


def figures(tally: Tally, row: str, scores: Sequence[Score]) -> list[str]:
    attacked = [s for s in scores if s.readable or row != FRAMES]
    timed = tally.seconds.get(row.removesuffix(", header"), [t for one in tally.seconds.values() for t in one])
    seen, took = (sum(t[i] for t in timed) for i in (0, 1))
    without = row == FRAMES and f"{FRAMES}, header" in tally.scores  # its output was not made, so not attacked
    return [
        str(len(scores)),
        share(sum(s.errors for s in scores), sum(s.length for s in scores)),
        share(sum(s.covered for s in scores), sum(s.identifier for s in scores)),
        share(sum(s.covered == s.identifier for s in scores), len(scores), 3),
        "-" if without else share(sum(not s.readable["any"] for s in attacked), len(attacked), 3),
        "-" if without else share(sum(s.readable["any"] for s in attacked), sum(s.mentions for s in attacked)),
        share(sum(s.wrongly for s in scores), sum(s.other for s in scores)),
        share(sum(s.area for s in scores), len(scores), 3),
        f"{took / len(timed):.1f}",
        share(seen, took, 2),
    ]


def write(file: Path, origin: dict, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    content = {**origin, "columns": list(columns), "rows": [list(row) for row in rows]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def example(file: Path, before: np.ndarray, after: np.ndarray) -> None:
    """A page and what became of it, side by side."""
    from PIL import Image

    both = Image.fromarray(np.concatenate([before, np.full((len(before), 12), 128, np.uint8), after], axis=1))
    both.thumbnail((1400, 1400))
    both.quantize(16).save(file, optimize=True)


if __name__ == "__main__":
    main()
