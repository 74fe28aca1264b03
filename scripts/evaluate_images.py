"""From pixels to leaks: what of rendered pages is covered, why the rest is not, and what can be read again?

python scripts/evaluate_images.py --model RUN [--pages 17] [--ocr rapidocr] [--conditions "scan" "DICOM frame" ...]
    [--seed 0] [--out outputs/images] [--words 45]

Synthetic notes of people and sentences that no training split has are set as pages (`deidlab.images.rendering`), worn,
read, judged by the model with rules and consistency, covered, and read again by every engine at hand. Each condition
has `--pages` pages; DICOM frames are judged with and without the deny-list of their header. Scores are kept page by
page in `pages.jsonl`: the same command goes on where it was killed, and `--tables` only makes the tables anew. What was
read is kept in `readings.jsonl`, for `scripts/compare_on_images.py`.
"""

import argparse
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

import numpy as np

from deidlab import deidentifier, runs
from deidlab.bulk.images import finder
from deidlab.images import engines
from deidlab.images.boxes import Covering
from deidlab.images.fill import filled
from deidlab.images.preparing import Preparation
from deidlab.images.reading import read
from deidlab.images.redacting import Find, covers
from deidlab.images.rendering.pages import CONDITIONS, Rendered
from deidlab.images.rendering.samples import FRAMES, Sample, samples
from deidlab.images.scoring import CAUSES, Score, confusions, kept_out, score, without_ocr
from deidlab.images.words import Reading, as_lists
from deidlab.redaction.policy import Policy

EXAMPLES = ("scan", "form", "dark screen", FRAMES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run; the rules alone without")
    parser.add_argument("--pages", type=int, default=17, help="of each condition")
    parser.add_argument("--words", type=int, default=45, help="of a page, at least")
    parser.add_argument("--ocr", default="rapidocr", help="engines of the system that is judged")
    parser.add_argument("--conditions", nargs="+", default=[*CONDITIONS, FRAMES])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("outputs/images"))
    parser.add_argument("--tables", action="store_true", help="judge no further page")
    args = parser.parse_args()
    with runs.mendable_errors():
        evaluate(args)


def evaluate(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "pages.jsonl"
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    done = {(record["condition"], record["number"]) for record in records}
    if not args.tables:
        bench = Bench.of(args)
        for sample in samples(args.pages, args.seed, args.words, args.conditions):
            if (sample.condition, sample.number) in done:
                continue
            record, readings, picture = bench.judge(sample)
            page = {"condition": sample.condition, "number": sample.number}
            records.append({**page, **record})
            append(args.out / "readings.jsonl", {**page, "readings": [as_lists(reading) for reading in readings]})
            append(file, records[-1])
            if sample.condition in EXAMPLES and sample.number == 0:
                example(args.out / f"{sample.condition.replace(' ', '-').lower()}.png", sample.page.pixels, picture)
            print(f"{sample.condition} {sample.number + 1}/{args.pages}", flush=True)
    tables(records, args)


def processor_time() -> float:
    """Seconds of this process and of the programs that it ran, such as Tesseract."""
    return sum(os.times()[:4])


def append(file: Path, record: dict) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Bench:
    """The engines of the system, those that only attack, and what finds identifiers."""

    used: Sequence[engines.Engine]
    attackers: Sequence[engines.Engine]
    find: Find
    policy: Policy
    covering: Covering = field(default_factory=Covering)

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Bench":
        used = args.ocr.split(",")
        others = [name for name in engines.installed() if name not in used]
        loaded = deidentifier.load(args.model)
        return cls(engines.build(used), engines.build(others) if others else (), finder(loaded), loaded.redactor.policy)

    def judge(self, sample: Sample) -> tuple[dict, tuple[Reading, ...], np.ndarray]:
        """Read, cover, read again, and count; gives the record of the page, what was read, and the covered picture."""
        page = replace(sample.page, document=kept_out(sample.page.document, self.policy))
        pixels, known = sample.pixels, sample.known
        began = processor_time()
        readings = read(pixels, self.used, Preparation())
        seen = processor_time() - began
        mask, found = self.covered(page, readings, known)
        took = processor_time() - began
        picture = filled(page.pixels, mask, "grey" if np.median(page.pixels) < 110 else "black")
        again = [one for e in (*self.used, *self.attackers) for one in read(picture, [e], Preparation())]
        rows = {"header" if known else "": score(page, found, mask, again)}
        if known:
            plain_mask, plain_found = self.covered(page, readings, ())
            rows[""] = score(page, plain_found, plain_mask, ())
        every = list(readings)
        each = {self.used[0].name: seen} if len(self.used) == 1 else {}
        for engine in self.attackers:
            began = processor_time()
            every += read(pixels, [engine], Preparation())
            each[engine.name] = processor_time() - began
        confused = sum((confusions(page, one) for one in every), Counter())
        record = {
            "seconds": [round(seen, 2), round(took, 2)],
            "seconds_of": {name: round(seconds, 2) for name, seconds in each.items()},
            "rows": {name: as_json(one) for name, one in rows.items()},
            "engines": {name: as_json(one) for name, one in self.compared(page, every, known)},
            "text": without_ocr(page.document, self.find),
            "confused": [[*key, n] for key, n in sorted(confused.items())],
        }
        return record, tuple(every), picture

    def covered(self, page: Rendered, readings: Sequence[Reading], known: Sequence[str]):
        made = covers([readings], self.find, self.covering, page.document.id, known)
        return made.mask(0, *page.pixels.shape), made.pages[0]

    def compared(self, page: Rendered, readings: Sequence[Reading], known: Sequence[str]) -> Iterator[tuple]:
        """The same page by each engine alone and by all of them, from what they have read already."""
        sets: dict[str, tuple[Reading, ...]] = {reading.source: (reading,) for reading in readings}
        if len(readings) > 1:
            sets |= {"all of them": tuple(readings)}
        for name, chosen in sets.items():
            mask, found = self.covered(page, chosen, known)
            yield name, score(page, found, mask, ())


def as_json(one: Score) -> dict:
    # Not asdict, which makes counters of the items of a counter.
    return {f.name: dict(v) if isinstance(v := getattr(one, f.name), Counter) else v for f in fields(one)}


def share(part: float, whole: float, digits: int = 4) -> str:
    return f"{part / whole:.{digits}f}" if whole else "-"


def tables(records: Sequence[dict], args: argparse.Namespace) -> None:
    """Write `results.json` by condition, `causes.json`, `engines.json` and `confusions.json`."""
    origin = {
        "command": f"python scripts/evaluate_images.py --model RUN --pages {args.pages} --words {args.words}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "system": "model, rules and consistency" if args.model else "rules and consistency, no model",
        "ocr": args.ocr,
        "seed": args.seed,
    }
    rows = by_row(records)
    write(args.out / "results.json", origin, COLUMNS, [[row, *figures(row, *of_row)] for row, of_row in rows.items()])
    causes = [
        [row, *(str(sum(s[key] for s in scores)) for key in ("identifier", "missed")),
         *(str(sum(s["causes"].get(cause, 0) for s in scores)) for cause in CAUSES)]
        for row, (scores, _) in rows.items()
    ]  # fmt: skip
    write(args.out / "causes.json", origin, ("condition", "identifier characters", "not covered", *CAUSES), causes)
    write(args.out / "engines.json", origin, ENGINES, engine_rows(records))
    write(
        args.out / "confusions.json", origin, ("engine", "printed", "read", "times", "of all"), confused_rows(records)
    )


def by_row(records: Sequence[dict]) -> dict[str, tuple[list[dict], list[dict]]]:
    """The scores and records of each row of the main table; in the last row are all pages, frames with their header."""
    rows: dict[str, tuple[list[dict], list[dict]]] = {}
    everything: tuple[list[dict], list[dict]] = ([], [])
    for record in records:
        for name, one in record["rows"].items():
            one["missed"] = one["identifier"] - one["covered"]
            row = f"{record['condition']}, {name}" if name else record["condition"]
            places = [rows.setdefault(row, ([], []))]
            if name or len(record["rows"]) == 1:
                places.append(everything)
            for scores, of_record in places:
                scores.append(one)
                of_record.append(record)
    return {**rows, "all pages": everything}


COLUMNS = (
    "condition", "pages", "OCR error rate", "identifier characters covered", "clean pages",
    "pages without readable leak", "identifiers readable", "other characters covered", "area covered", "s/page",
    "OCR share",
)  # fmt: skip
ENGINES = (
    "read by", "identifier characters covered", "clean pages", "other characters covered", "OCR error rate",
    "s/page of reading",
)  # fmt: skip


def rates(scores: Sequence[dict]) -> tuple[str, str, str, str]:
    """Identifier characters covered, clean pages, other characters covered, OCR error rate."""
    total = {
        key: sum(s[key] for s in scores) for key in ("covered", "identifier", "wrongly", "other", "errors", "length")
    }
    clean = sum(s["covered"] == s["identifier"] for s in scores)
    return (
        share(total["covered"], total["identifier"]),
        share(clean, len(scores), 3),
        share(total["wrongly"], total["other"]),
        share(total["errors"], total["length"]),
    )


def figures(row: str, scores: Sequence[dict], records: Sequence[dict]) -> list[str]:
    covered, clean, wrongly, errors = rates(scores)
    seen, took = (sum(record["seconds"][i] for record in records) for i in (0, 1))
    readable = share(sum(s["readable"].get("any", 0) for s in scores), sum(s["mentions"] for s in scores))
    safe = share(sum(not s["readable"].get("any", 0) for s in scores), len(scores), 3)
    if row == FRAMES and any("header" in record["rows"] for record in records):
        readable = safe = "-"  # frames without their header were not covered, so not attacked
    area = share(sum(s["area"] for s in scores), len(scores), 3)
    each = f"{took / len(records):.1f}"
    return [str(len(scores)), errors, covered, clean, safe, readable, wrongly, area, each, share(seen, took, 2)]


def engine_rows(records: Sequence[dict]) -> list[list[str]]:
    names = dict.fromkeys(name for record in records for name in record["engines"])
    seconds = {
        name: sum(r["seconds_of"][name] for r in records) / len(records)
        for name in names
        if all(name in r.get("seconds_of", {}) for r in records)
    }
    if len(seconds) > 1:
        seconds["all of them"] = sum(seconds.values())
    found = [
        [
            name,
            *rates([record["engines"][name] for record in records if name in record["engines"]]),
            f"{seconds[name]:.1f}" if name in seconds else "-",
        ]
        for name in names
    ]
    text = [record["text"] for record in records]
    covered, whole = (sum(pair[i] for pair in text) for i in (0, 1))
    untouched = [share(covered, whole), share(sum(a == b for a, b in text), len(text), 3), "-", "-", "-"]
    return [*found, ["no OCR: the text itself", *untouched]]


def confused_rows(records: Sequence[dict], least: int = 3) -> list[list[str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    printed: Counter[tuple[str, str]] = Counter()
    for record in records:
        for source, gold, shown, n in record["confused"]:
            counts[source, gold, shown] += n
            printed[source, gold] += n
    wrong = [(key, n) for key, n in counts.most_common() if key[1] != key[2] and n >= least]
    # How often a stretch of several letters was printed is not counted, nor what was not printed at all.
    return [[*key, str(n), share(n, printed[key[:2]]) if len(key[1]) == 1 else "-"] for key, n in wrong]


def write(file: Path, origin: dict, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    content = {**origin, "columns": list(columns), "rows": [list(row) for row in rows]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def example(file: Path, before: np.ndarray, after: np.ndarray) -> None:
    """A page and what became of it, side by side, in eight greys."""
    from PIL import Image

    both = Image.fromarray(np.concatenate([before, np.full((len(before), 12), 128, np.uint8), after], axis=1))
    both.thumbnail((1400, 1400))
    greys = np.round(np.asarray(both) / 255 * 7) * (255 / 7)
    Image.fromarray(greys.astype(np.uint8)).quantize(8).save(file, optimize=True)


if __name__ == "__main__":
    main()
