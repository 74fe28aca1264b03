"""What an attack found, as a section of a report and as a table over runs."""

import json

from deidlab.experiments import render
from deidlab.views.attacks import attack_section

PARROT = {
    "kind": "parrot",
    "annotated_notes": 100,
    "attacked_notes": 150,
    "identifiers": 2800,
    "leaked": 4,
    "leaked_in_part": 1,
    "masked": 7,
    "attackers": [
        {
            "attacker": "parrot", "accusations": 5, "found": 3, "false_accusations": 2,
            "recall": 0.75, "recall_low": 0.5, "recall_high": 1.0, "precision": 0.6,
        },
        {
            "attacker": "chance", "accusations": 5, "found": 0.1, "false_accusations": 4.9,
            "recall": 0.025, "precision": None,
        },
    ],
}  # fmt: skip
STABLE = {
    "kind": "resynthesis",
    "notes": 40,
    "repeats": 10,
    "measures": [
        {
            "metric": "strict", "measure": "f1", "original": 0.95, "mean": 0.9, "low": 0.89, "high": 0.91,
            "deviation": 0.01, "least": 0.88, "most": 0.92,
        },
    ],
}  # fmt: skip


def test_sections_say_what_was_attacked_and_what_came_of_it():
    section = attack_section({"attack": PARROT})
    assert section.about == (
        "Of 2,800 apparent identifiers in 150 notes, 4 leaked (1 in part); 7 more had no surrogate and are masks. The "
        "attacker annotated 100 other notes."
    )
    parrot, chance = section.table.body
    assert parrot[1:3] == (3, 2) and (str(parrot[3]), parrot[3].interval) == ("75.0%", "50.0% to 100.0%")
    assert (str(chance[1]), str(chance[4])) == ("0.1", "-")
    (line,) = attack_section({"attack": STABLE}).table.body
    assert line[0] == "strict f1" and [str(cell) for cell in line[1:3]] == ["0.9500", "0.9000"]
    assert attack_section({}) is None


def test_tables_of_experiments_have_the_attacks_of_a_kind(tmp_path):
    runs = {"ours": {"attack": PARROT}, "other": {"attack": STABLE}, "plain": {}}
    (tmp_path / "results.json").write_text(json.dumps({"runs": runs}))
    page = tmp_path / "README.md"
    page.write_text("<!-- table results.json: attack parrot -->\n<!-- end -->\n")
    lines = render(page).splitlines()
    assert "| ours | parrot: accuses what it leaves untagged | 3 | 2 | 75.0% (50.0% to 100.0%) | 60.0% |" in lines
    assert not any("other" in line or "plain" in line for line in lines)
