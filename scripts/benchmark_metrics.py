"""How fast are the metrics? All families, a full report with slices and intervals, and seqeval on the same sequences.

    python scripts/benchmark_metrics.py [--out experiments/metrics_speed]

Writes `results.json` and the table of `README.md` there. One core is used.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before numpy is imported

import argparse
import json
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from seqeval.metrics import classification_report
from seqeval.scheme import BILOU

from deidlab.evaluation import Evaluation
from deidlab.judging import Judging
from deidlab.labels import LabelSet, Scheme
from deidlab.metrics.counts import Counts, concatenate
from deidlab.metrics.families import HIPAA_MENDED, measure, strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tagging import TagTable, entities, tag_words
from deidlab.metrics.tokens import WordTable
from deidlab.types import Span

LABELS = (*sorted(HIPAA_MENDED), "DOCTOR", "HOSPITAL", "PROFESSION", "STATE", "COUNTRY", "USERNAME")
WORDS = ("Ann", "O'Neil", "seen", "on", "03/04/2014", "ward", "7B", "clinic", "the", "pain", "a.m.", "Zoë", "555-0199")
SCHEME: Scheme = "BILOU"
# As many values as the synthetic corpus has.
VALUES = {"note_type": 9, "culture": 16, "gender": 2, "institution": 9}
SLICES = ("note_type", "culture", "gender", ("culture", "gender"), "institution")


def notes(number: int, spans: int, seed: int) -> Iterator[tuple[str, list[Span], list[Span]]]:
    """Notes of random words with `spans` gold spans each, and a prediction that misses, shifts, renames and invents."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        words = [WORDS[i] for i in rng.integers(len(WORDS), size=8 * spans)]
        ends = np.cumsum([len(word) + 1 for word in words])
        starts = ends - [len(word) + 1 for word in words]
        first = 8 * np.arange(spans)
        last = first + rng.integers(4, size=spans)
        labels = rng.integers(len(LABELS), size=spans)
        fate = rng.random(spans)
        renamed = np.where(fate < 0.05, (labels + 1) % len(LABELS), labels)
        shifted = np.where((fate > 0.05) & (fate < 0.12), np.minimum(last + 1, first + 3), last)
        moved = np.where(fate > 0.94, first + 4, first)  # a miss and an invention
        gold = spans_of(starts[first], ends[last] - 1, labels)
        yield " ".join(words), gold, spans_of(starts[moved], ends[np.maximum(shifted, moved)] - 1, renamed)


def spans_of(starts: np.ndarray, ends: np.ndarray, labels: np.ndarray) -> list[Span]:
    columns = (starts.tolist(), ends.tolist(), labels.tolist())
    return [Span(start, end, LABELS[label]) for start, end, label in zip(*columns, strict=True)]


def tables(chunk: list[tuple[str, list[Span], list[Span]]]) -> tuple[SpanTable, SpanTable, TextTable]:
    texts, gold, predicted = zip(*chunk, strict=True)
    return SpanTable.of(gold, LABELS), SpanTable.of(predicted, LABELS), TextTable.of(texts)


def time_families(corpus: list, chunk: int) -> tuple[float, float, dict[str, Counts]]:
    """Seconds for building the tables, seconds for all families, and the counts; a chunk of documents at a time."""
    building = counting = 0.0
    parts: list[dict[str, Counts]] = []
    for first in range(0, len(corpus), chunk):
        began = time.perf_counter()
        sides = tables(corpus[first : first + chunk])
        built = time.perf_counter()
        parts.append(measure(*sides, scheme=SCHEME))
        building, counting = building + built - began, counting + time.perf_counter() - built
    began = time.perf_counter()
    counts = {name: concatenate(part[name] for part in parts) for name in parts[0]}
    return building, counting + time.perf_counter() - began, counts


def time_report(counts: dict[str, Counts], replicates: int, seed: int) -> dict[str, int | float]:
    """Seconds for a report: every row of every family and slice with its interval, gaps between groups with tests."""
    documents = next(iter(counts.values())).documents
    rng = np.random.default_rng(seed)
    drawn = {key: rng.integers(many, size=documents) for key, many in VALUES.items()}
    meta = [
        {"patient": str(i // 4)} | {key: f"{key}-{values[i]}" for key, values in drawn.items()}
        for i in range(documents)
    ]
    labels = LabelSet("benchmark", LABELS, SCHEME, names=("DOCTOR", "PATIENT"))
    judging = Judging(slices=SLICES, replicates=replicates)
    ids = tuple(f"note-{i}" for i in range(documents))
    began = time.perf_counter()
    judged = Evaluation(labels, counts, ids, tuple(meta), judging=judging)
    lines, found = judged.rows(), judged.findings()
    return {
        "report_s": round(time.perf_counter() - began, 2),
        "rows": len(lines),
        "slices": len({row["slice"] for row in lines}) - 1,
        "gaps": len(found["fairness"]),
    }


def time_seqeval(corpus: list) -> dict[str, float | str]:
    """Seconds of seqeval's strict mode and of ours, from the same lists of tags to precision, recall, F1 per type."""
    gold, predicted, texts = tables(corpus)
    words = WordTable.of(texts)
    sequences = [tag_words(table, texts, words, SCHEME).sequences(SCHEME) for table in (gold, predicted)]
    began = time.perf_counter()
    found = exact(*(entities(TagTable.of(one, LABELS, SCHEME), SCHEME) for one in sequences))
    ours = {row["label"]: row for row in rows(strict(found), "seqeval")}
    middle = time.perf_counter()
    theirs = classification_report(*sequences, mode="strict", scheme=BILOU, output_dict=True, zero_division=0)
    ended = time.perf_counter()
    names = {label: label for label in LABELS} | {"micro": "micro avg", "macro": "macro avg"}
    equal = all(
        abs(ours[label][ours_name] - theirs[name][theirs_name]) < 1e-12
        for label, name in names.items()
        for ours_name, theirs_name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score"))
    )
    return {
        "documents": len(corpus),
        "tags": sum(map(len, sequences[0])),
        "scheme": SCHEME,
        "deidlab_s": round(middle - began, 3),
        "seqeval_s": round(ended - middle, 3),
        "times_faster": round((ended - middle) / (middle - began), 1),
        "equal_numbers": equal,
    }


def table_of(results: dict) -> str:
    seqeval = results["seqeval"]
    lines = [
        ("what", "bar", "measured"),
        ("---", "---", "---"),
        (f"all {results['families']} families", "< 20 s", f"{results['families_s']:.1f} s"),
        ("building the tables from lists of `Span`", "", f"{results['tables_s']:.1f} s"),
        (
            f"{results['replicates']:,} bootstrap replicates of {results['rows']:,} rows in {results['slices']} slices "
            f"and {results['gaps']} gaps between groups",
            "< 30 s",
            f"{results['report_s']:.1f} s",
        ),
        (
            f"seqeval strict {seqeval['seqeval_s']:.1f} s, here {seqeval['deidlab_s']:.2f} s; {seqeval['tags']:,} tags",
            ">= 20 x",
            f"{seqeval['times_faster']:.0f} x, numbers {'equal' if seqeval['equal_numbers'] else 'DIFFER'}",
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--spans", type=int, default=50, help="gold spans per document")
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--chunk", type=int, default=200, help="documents evaluated at a time")
    parser.add_argument(
        "--seqeval-documents", type=int, default=2_000, help="documents given to seqeval, which is slow"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for results.json and the table of README.md")
    args = parser.parse_args()

    corpus = list(notes(args.documents, args.spans, args.seed))
    began = time.process_time()
    tables_s, families_s, counts = time_families(corpus, args.chunk)
    processor_s = time.process_time() - began
    results = {
        "documents": args.documents,
        "gold_spans": sum(len(gold) for _, gold, _ in corpus),
        "predicted_spans": sum(len(predicted) for _, _, predicted in corpus),
        "labels": len(LABELS),
        "families": len(counts),
        "tables_s": round(tables_s, 2),
        "families_s": round(families_s, 2),
        "tables_and_families_processor_s": round(processor_s, 2),
        "replicates": args.replicates,
        **time_report(counts, args.replicates, args.seed),
        "seqeval": time_seqeval(corpus[: args.seqeval_documents]),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    table = table_of(results)
    print(table)
    if args.out:
        (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        readme = args.out / "README.md"
        marked = re.sub(
            r"(<!-- table -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", readme.read_text("utf-8"), flags=re.S
        )
        readme.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()
