"""Options of commands that read annotated notes of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from deidlab.cli.options import option

if TYPE_CHECKING:
    from deidlab.corpora.reading import Reading

PANEL = "How notes are read"

Form = Annotated[
    str,
    option(
        "auto, brat, i2b2, i2b2_2006, conll, jsonl (also doccano, label_studio, prodigy), cas (INCEpTION), nemotron.",
        PANEL,
        "--from",
    ),
]
Encoding = Annotated[str, option("Of the files, where they do not say; never guessed.", PANEL)]
Annotators = Annotated[str, option("Where annotators of one note differ: error, first, union.", PANEL)]
PatientPattern = Annotated[str | None, option("Regular expression; its first group in an id is the patient.", PANEL)]
LayerName = Annotated[str | None, option("Of a CAS: the layer whose annotations are spans.", PANEL, "--layer")]
Feature = Annotated[str | None, option("Of a CAS: the feature that holds the label.", PANEL)]


def how(
    form: str, encoding: str, annotators: str, patient_pattern: str | None, layer: str | None, feature: str | None
) -> Reading:
    """The options as what readers take; raises `ConfigError` for one that cannot be."""
    from deidlab.corpora.reading import Reading

    return Reading(form, encoding, annotators, patient_pattern, layer, feature)  # type: ignore[arg-type]
