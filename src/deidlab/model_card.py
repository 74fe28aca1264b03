"""The model card of a run: `checkpoint/README.md`, with the metadata that a model hub reads, made from its figures.

Says what the model finds, how well, what it learnt from and what it must not be trusted with. It quotes no note and
names no path, so that a checkpoint can be passed on as it lies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from deidlab.views import markdown as md
from deidlab.views.elements import Section, Table
from deidlab.views.rows import overall
from deidlab.views.sections import overall_section, typed_sections

CARD = "README.md"
# Of what a corpus may be passed on, by its vocabulary, as its data card says; any other corpus is the user's own.
LICENCES = {
    "i2b2_2006": "data use agreement with the holder; not to be passed on",
    "i2b2_2014": "data use agreement with the holder; not to be passed on",
    "meddocan": "CC-BY-4.0",
    "nemotron": "CC-BY-4.0",
    "synthetic": "that of deidlab; names of Faker's providers are MIT",
}
OWN = "not known to deidlab: that of the notes, whose holder decides whether weights learnt from them may be passed on"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def write(run: Path, vocabulary: str) -> None:
    """Write the card of a run that has ended into its checkpoint; the same run gives the same bytes.

    `vocabulary` names the corpus (`Corpus.vocabulary`). Everything else is read from `report.json` and the
    checkpoint's `deidlab.json`.
    """
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    settings = json.loads((run / "checkpoint" / "deidlab.json").read_text(encoding="utf-8"))
    (run / "checkpoint" / CARD).write_text(render(report, settings, vocabulary), encoding="utf-8")


def render(report: Mapping[str, Any], settings: Mapping[str, Any], vocabulary: str) -> str:
    """The card as Markdown under its YAML; `report` and `settings` as `report.json` and `deidlab.json` hold them."""
    title = f"{base_model(report['provenance']).rpartition('/')[2]}, fine-tuned on {vocabulary} to find identifiers"
    shown = [
        use(settings),
        findings(settings["labels"]),
        overall_section(report),
        *(section for section in typed_sections(report["rows"]) if section.title.startswith("Strict, per type")),
        learnt_from(report["provenance"], vocabulary),
        limits(vocabulary),
        licence(report["provenance"], vocabulary),
    ]
    return f"---\n{metadata(report, title, vocabulary)}\n---\n\n{md.render(title, shown)}"


def metadata(report: Mapping[str, Any], title: str, vocabulary: str) -> str:
    """YAML that a hub shows beside the card: base model, task, and strict figures as evaluation results."""
    strict = next(row for row in overall(report["rows"]) if row["metric"] == "strict")
    results = [
        EvalResult(
            task_type="token-classification",
            dataset_type=vocabulary,
            dataset_name=vocabulary,
            dataset_split="test",
            metric_type=measure,
            metric_name=f"strict {measure}",
            metric_value=round(strict[measure], 4),
        )
        for measure in ("precision", "recall", "f1")
        if strict[measure] is not None
    ]
    return ModelCardData(
        base_model=hub_id(report["provenance"]),
        library_name="transformers",
        pipeline_tag="token-classification",
        license="other",
        license_name="of-base-model-and-data",
        tags=["de-identification", "clinical", "phi", "deidlab"],
        model_name=title if results else None,
        eval_results=results or None,
    ).to_yaml()


def hub_id(provenance: Mapping[str, Any]) -> str | None:
    """The base model where its name is one of a hub, None where it is a folder, which is nobody's business."""
    name = str(provenance.get("model", ""))
    return name if HUB_ID.fullmatch(name) and not Path(name).exists() else None


def base_model(provenance: Mapping[str, Any]) -> str:
    return hub_id(provenance) or "a local model"


def use(settings: Mapping[str, Any]) -> Section:
    encoding = settings["encoding"]
    told = ""
    if encoding.get("word_shapes"):
        told = (
            " This model was also told the casing and the line ends of words, as token types, which a plain pipeline "
            "does not tell it: there it finds less."
        )
    return Section(
        "Use",
        "With `deidlab` notes of any length are read whole, words are never cut, and "
        "tags that may not follow each other do not:\n\n"
        "```python\nimport deidlab\n\n"
        'deidentifier = deidlab.load("FOLDER")  # of this file\n'
        'print(deidentifier.deidentify("Seen on 03/04/2012.").text)\n```\n\n'
        "Plain transformers load it too, without these three, which the figures below count on:\n\n"
        "```python\nfrom transformers import pipeline\n\n"
        'tagger = pipeline("token-classification", "FOLDER", aggregation_strategy="first")\n```\n\n'
        f"It learnt from windows of {encoding['max_length']} subwords and from the first subword of each word; a "
        f"longer note must be cut, or it is truncated.{told}",
    )


def findings(labels: Mapping[str, Any]) -> Section:
    kinds = labels.get("coarse", {}).get("category", {})
    body = tuple((name, kinds.get(name, "")) for name in labels["types"])
    about = f"The {len(body)} types of label set {labels['name']}, tagged as {labels['scheme']}."
    return Section("What it finds", about, Table(("type", "category"), body))


def learnt_from(provenance: Mapping[str, Any], vocabulary: str) -> Section:
    sizes = provenance.get("documents", {})
    body = (
        ("corpus", vocabulary),
        *((f"notes, {split}", str(number)) for split, number in sizes.items()),
        ("fingerprint of the corpus", str(provenance.get("data_fingerprint", ""))),
        ("base model", f"{base_model(provenance)}, revision {provenance.get('revision')}"),
        ("seed", str(provenance.get("seed", ""))),
        ("settings, digest", str(provenance.get("config_digest", ""))),
        ("deidlab", f"{provenance.get('deidlab')}, commit {provenance.get('commit')}"),
    )
    about = "The weights were chosen on the validation notes; the figures above are from the test notes, which neither "
    return Section("What it learnt from", about + "trained nor chose them.", Table(("what", "which"), body))


def limits(vocabulary: str) -> Section:
    made_up = " These notes are synthetic: real ones are harder." if vocabulary == "synthetic" else ""
    return Section(
        "Intended use, and limits",
        "To find identifiers in clinical notes before they are shared for research, by an institution that checks a "
        "sample of its own notes first. Not for any decision about a patient.\n\n"
        "- No model finds everything: the character leak above is what stayed readable on these test notes.\n"
        "- Other institutions, note types, languages and cultures of names than those learnt from do worse, often much "
        f"worse.{made_up}\n"
        "- Removing identifiers alone is no legal anonymisation: rare histories identify too.\n"
        "- Weights may remember what they were trained on; weights that learnt from protected notes are protected too.",
    )


def licence(provenance: Mapping[str, Any], vocabulary: str) -> Section:
    body = (
        ("base model", str(provenance.get("licence", "unknown"))),
        ("training data", LICENCES.get(vocabulary, OWN)),
    )
    return Section("Licence", "Both bind whoever passes these weights on.", Table(("of the", "licence"), body))
