"""What an attack found, as a section of a report and as a table over several runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from deidlab.views.elements import Cell, Estimate, P, Section, Table

PARROT_HEADER = ("attacker", "leaks found", "false accusations", "share of leaks", "accusations that are right")
ATTACKERS = {
    "parrot": "parrot: accuses what it leaves untagged",
    "parrot_in_part": "parrot: accuses what it leaves untagged in part",
    "chance": "as many accusations at random (expected)",
    "masks": "masks instead of surrogates: every leak shows",
}
SYNTHESES_HEADER = ("measure", "as they were", "mean over re-syntheses", "standard deviation", "least", "most")


CANARY_HEADER = ("form", "copies in training", "secrets", "mean exposure, bits", "greatest", "p")


def attack_section(content: Mapping[str, Any]) -> Section | None:
    found = content.get("attack") or {}
    match found.get("kind"):
        case "parrot":
            about = (
                f"Of {found['identifiers']:,} apparent identifiers in {found['attacked_notes']:,} notes, "
                f"{found['leaked']:,} leaked ({found['leaked_in_part']:,} in part); {found['masked']:,} more had no "
                f"surrogate and are masks. The attacker annotated {found['annotated_notes']:,} other notes."
            )
            return Section("Parrot attack", about, Table(PARROT_HEADER, parrot_lines(found)))
        case "resynthesis":
            about = (
                f"The same {found['notes']:,} notes, re-synthesised {found['repeats']:,} times with other surrogates."
            )
            return Section("Surrogate stability", about, Table(SYNTHESES_HEADER, synthesis_lines(found)))
        case "canary":
            most = math.log2(found["alternatives"] + 1)
            about = (
                f"Random secrets in the training notes, ranked among {found['alternatives']:,} that might have stood "
                f"there by how little each surprises the model. A secret that it never saw has {found['chance']:.2f} "
                f"bits on average; {most:.1f} is the most that can be seen. p: how often as many strangers do as well."
            )
            return Section("Canaries: what the weights remember", about, Table(CANARY_HEADER, canary_lines(found)))
    return None


def parrot_lines(found: Mapping[str, Any]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            ATTACKERS[line["attacker"]],
            count(line["found"]),
            count(line["false_accusations"]),
            share(line, "recall"),
            share(line, "precision"),
        )
        for line in found["attackers"]
    )


def synthesis_lines(found: Mapping[str, Any]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            line["metric"] + ("" if line["measure"] == "value" else f" {line['measure']}"),
            Estimate(line["original"]),
            Estimate(line["mean"], line["low"], line["high"]),
            *(Estimate(line[key]) for key in ("deviation", "least", "most")),
        )
        for line in found["measures"]
    )


def canary_lines(found: Mapping[str, Any]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            line["form"],
            "none" if line["copies"] == 0 else f"{line['copies']}",
            line["secrets"],
            Estimate(line["mean"], digits=2),
            Estimate(line["greatest"], digits=2),
            P(line["p_value"]),
        )
        for line in found["lines"]
    )


def count(number: float) -> Cell:
    """A count, or an expected one to its tenth."""
    return number if isinstance(number, int) else Estimate(number, digits=1)


def share(line: Mapping[str, Any], measure: str) -> Estimate:
    return Estimate(line[measure], line.get(f"{measure}_low"), line.get(f"{measure}_high"), percent=True, digits=1)


TABLES = {
    "parrot": (PARROT_HEADER, parrot_lines),
    "resynthesis": (SYNTHESES_HEADER, synthesis_lines),
    "canary": (CANARY_HEADER, canary_lines),
}
