"""What does the OCR engine make of letters? The table that training noise draws from (`noise.ocr`).

python scripts/learn_misreadings.py [--pages 3] [--seed 1] [--ocr rapidocr] [--least 2]

Pages are those of `scripts/evaluate_images.py` with another seed, so other notes; letters printed and read are aligned
word by word. A misreading seen fewer than `--least` times is left out. The table goes to
`src/deidlab/synthesis/data/misread.yaml`: for each letter, what it is read as and how often, of all its printings.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

from deidlab.images import engines
from deidlab.images.preparing import Preparation
from deidlab.images.reading import read
from deidlab.images.rendering.pages import CONDITIONS
from deidlab.images.rendering.samples import samples
from deidlab.images.scoring import confusions

TABLE = Path(__file__).parents[1] / "src/deidlab/synthesis/data/misread.yaml"
HEAD = "# How OCR ({ocr}) misreads letters, of all printings of each: python scripts/learn_misreadings.py{options}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=3, help="of each condition")
    parser.add_argument("--words", type=int, default=45, help="of a page, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ocr", default="rapidocr")
    parser.add_argument("--least", type=int, default=2)
    args = parser.parse_args()
    used = engines.build(args.ocr.split(","))
    counts: Counter[tuple[str, str]] = Counter()
    for sample in samples(args.pages, args.seed, args.words, list(CONDITIONS)):
        for reading in read(sample.pixels, used, Preparation()):
            for (_, printed, shown), times in confusions(sample.page, reading).items():
                counts[printed, shown] += times
        print(f"{sample.condition} {sample.number + 1}/{args.pages}", flush=True)
    TABLE.write_text(HEAD.format(ocr=args.ocr, options=f" --pages {args.pages}") + table(counts, args.least), "utf-8")


def table(counts: Counter[tuple[str, str]], least: int) -> str:
    """Lines of YAML, a letter or two each, the commonest misreading first."""
    printed: Counter[str] = Counter()
    for (gold, _), times in counts.items():
        for ch in {gold} if len(gold) == 1 else ():
            printed[ch] += times
    found: dict[str, dict[str, float]] = {}
    for (gold, shown), times in counts.most_common():
        # Of two letters the first is counted: how often both stand side by side is not known.
        if gold and gold != shown and times >= least and len(gold) <= 2:
            found.setdefault(gold, {})[shown] = round(times / max(printed[gold[0]], times), 4)
    lines = (f"{json.dumps(gold)}: {json.dumps(shown, ensure_ascii=False)}" for gold, shown in sorted(found.items()))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
