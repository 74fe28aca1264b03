"""seqeval behind `evaluate`'s interface, without the network and without the cache in the home folder.

`evaluate.load("seqeval")` fetches a script and falls back to seqeval's lenient mode, which accepts entities that begin
with an I- tag; this one is local and strict. `families.seqeval` gives the same numbers much faster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import evaluate
from seqeval import scheme as schemes
from seqeval.metrics import accuracy_score, classification_report

from deidlab.labels import Scheme

# IOB1 without B tags is IO: neighbouring words of one type are one entity.
SCHEMES: dict[Scheme, type[schemes.Token]] = {
    "IO": schemes.IOB1,
    "BIO": schemes.IOB2,
    "BIOES": schemes.IOBES,
    "BILOU": schemes.BILOU,
}


class StrictSeqeval(evaluate.Metric):
    """Entity precision, recall, F1 of sequences of tags, per type and `overall_*`.

    `cache_dir` is a folder of the run: the tags pass through a file in it.
    """

    def __init__(self, scheme: Scheme, cache_dir: str | Path) -> None:
        super().__init__(config_name=scheme, cache_dir=str(cache_dir))

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.Sequence(datasets.Value("string"))
        return evaluate.MetricInfo(
            description="seqeval in strict mode",
            citation="Nakayama, seqeval (2018), https://github.com/chakki-works/seqeval",
            inputs_description="predictions, references: a list of tags per sequence",
            features=datasets.Features({"predictions": tags, "references": tags}),
        )

    def _compute(self, predictions: list[list[str]], references: list[list[str]]) -> dict[str, Any]:
        scheme = SCHEMES[self.config_name]
        report = classification_report(
            references, predictions, mode="strict", scheme=scheme, output_dict=True, zero_division=0
        )
        averages = {name: report.pop(name) for name in ("micro avg", "macro avg", "weighted avg")}
        overall = averages["micro avg"]
        return {
            **{label: _plain(scores) for label, scores in report.items()},
            "overall_precision": float(overall["precision"]),
            "overall_recall": float(overall["recall"]),
            "overall_f1": float(overall["f1-score"]),
            "overall_accuracy": float(accuracy_score(references, predictions)),
            "macro_f1": float(averages["macro avg"]["f1-score"]),
        }


def _plain(scores: dict[str, Any]) -> dict[str, float | int]:
    return {
        "precision": float(scores["precision"]),
        "recall": float(scores["recall"]),
        "f1": float(scores["f1-score"]),
        "number": int(scores["support"]),
    }
