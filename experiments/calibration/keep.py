"""Keep the tables and pictures of a calibration and of a comparison of uncertainties for the README.

    python experiments/calibration/keep.py CALIBRATION UNCERTAINTY

These are the folders that scripts/calibrate.py and scripts/uncertainty.py wrote.
"""

import json
import shutil
import sys
from pathlib import Path

from deidlab import experiments, runs
from deidlab.types import ConfigError
from deidlab.views import calibration, uncertainty
from deidlab.views.elements import Section, plain, slug

FOLDER = Path(__file__).parent
KINDS = {"calibration": calibration.sections, "uncertainty": uncertainty.sections}


def keep(folder: Path) -> None:
    """Write each table of a page as `SECTION.json`, and its pictures beside them."""
    kind = next((kind for kind in KINDS if (folder / f"{kind}.json").is_file()), None)
    if kind is None:
        raise ConfigError(f"{folder} holds neither calibration.json nor uncertainty.json")
    content = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
    for section in KINDS[kind](content):
        if section.table:
            runs.write_json(FOLDER / f"{slug(section.title)}.json", table(section, content))
    for picture in sorted((folder / "figures").glob("*.svg")):
        shutil.copy(picture, FOLDER / picture.name)


def table(section: Section, content: dict) -> dict:
    rows = [[plain(cell) for cell in row] for row in section.table.body]
    return {"columns": list(section.table.header), "rows": rows, "provenance": content["provenance"]}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    with runs.mendable_errors():
        for argument in sys.argv[1:]:
            keep(Path(argument))
    experiments.renew(FOLDER / "README.md")
