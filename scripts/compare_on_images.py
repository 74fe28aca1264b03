"""How much of rendered pages do several runs cover, from the same readings?

python scripts/compare_on_images.py NAME=RUN NAME=RUN ... [--read outputs/images/readings.jsonl] [--bad 0.02]
    [--out outputs/images]

The pages, and what `scripts/evaluate_images.py` read on them (its first engine), are judged again with each run: only
what the models make of the same letters differs. Pages with an OCR error rate above `--bad` are told apart. Writes
`models.json`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

from deidlab import deidentifier, runs
from deidlab.bulk.images import finder
from deidlab.images.boxes import Covering
from deidlab.images.redacting import covers
from deidlab.images.rendering.samples import Sample, samples
from deidlab.images.scoring import Score, kept_out, score, without_ocr
from deidlab.images.words import Reading, from_lists
from deidlab.types import ConfigError

COLUMNS = (
    "model", "pages", "identifier characters covered", "on pages read well", "on pages read badly", "clean pages",
    "other characters covered", "missed by the model", "in the text itself",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--read", type=Path, default=Path("outputs/images/readings.jsonl"))
    parser.add_argument("--words", type=int, default=45, help="as in the evaluation")
    parser.add_argument("--seed", type=int, default=0, help="as in the evaluation")
    parser.add_argument("--bad", type=float, default=0.02)
    parser.add_argument("--out", type=Path, default=Path("outputs/images"))
    args = parser.parse_args()
    with runs.mendable_errors():
        compare(args)


def compare(args: argparse.Namespace) -> None:
    if not args.read.exists():
        raise ConfigError(f"{args.read} does not exist: run scripts/evaluate_images.py first")
    pages = list(read_pages(args))
    rows = []
    for named in args.models:
        name, _, run = named.partition("=")
        loaded = deidentifier.load(Path(run))
        find, policy, judged = finder(loaded), loaded.redactor.policy, []
        found, wanted = 0, 0
        for sample, reading in pages:
            page = replace(sample.page, document=kept_out(sample.page.document, policy))
            made = covers([(reading,)], find, Covering(), page.document.id, sample.known)
            judged.append(score(page, made.pages[0], made.mask(0, *page.pixels.shape), ()))
            known, whole = without_ocr(page.document, find)
            found, wanted = found + known, wanted + whole
        rows.append([name, *figures(judged, args.bad), f"{found / wanted:.4f}"])
        print(" | ".join(rows[-1]), flush=True)
    content = {
        "command": "python scripts/compare_on_images.py " + " ".join(f"{n.partition('=')[0]}=RUN" for n in args.models),
        "bad": args.bad,
        "columns": list(COLUMNS),
        "rows": rows,
    }
    (args.out / "models.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_pages(args: argparse.Namespace) -> Iterator[tuple[Sample, Reading]]:
    """The pages that were read, each with what the first engine read on it."""
    read = {}
    for line in args.read.read_text("utf-8").splitlines():
        record = json.loads(line)
        read[record["condition"], record["number"]] = from_lists(record["readings"][0])
    pages = max(number for _, number in read) + 1
    for sample in samples(pages, args.seed, args.words):
        if reading := read.get((sample.condition, sample.number)):
            yield sample, reading


def figures(judged: Sequence[Score], bad: float) -> list[str]:
    def share(part: int, whole: int) -> str:
        return f"{part / whole:.4f}" if whole else "-"

    def covered(chosen: Sequence[Score]) -> str:
        return share(sum(one.covered for one in chosen), sum(one.identifier for one in chosen))

    poor = [one for one in judged if one.errors > bad * one.length]
    return [
        str(len(judged)),
        covered(judged),
        covered([one for one in judged if one.errors <= bad * one.length]),
        covered(poor),
        f"{sum(one.covered == one.identifier for one in judged) / len(judged):.3f}",
        share(sum(one.wrongly for one in judged), sum(one.other for one in judged)),
        str(sum(one.causes["model"] for one in judged)),
    ]


if __name__ == "__main__":
    main()
