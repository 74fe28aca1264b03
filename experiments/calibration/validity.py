"""Do promises of recall hold, and under shift? Notes are scored once, and 200 divisions calibrate and judge.

    python experiments/calibration/validity.py NAME RUN [--split test] [--notes 250] [--calibrate 150] [SETTING ...]
        [--shift NAME SETTING [SETTING ...]] ...

RUN is a run that was not trained on the notes: `--split` of its own corpus, changed by SETTINGs such as
data.sizes.test=800. Each `--shift` names other notes by settings over these: the threshold that all the notes of the
first kind promise is judged on them. Figures are kept under NAME in `validity.json`, tables made anew from it;
`--quick` keeps nothing.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from deidlab import calibrating, experiments, runs
from deidlab.conformal.losses import RISKS, THRESHOLDS, by_patient, note_leak
from deidlab.conformal.validity import Promise, divided
from deidlab.systems import checkpoint
from deidlab.types import Document

FOLDER = Path(__file__).parent
PROMISES = (Promise(0.05), Promise(0.02), Promise(0.01), Promise(0.05, 0.95), Promise(0.02, 0.95), Promise(0.01, 0.95))
THINNED = 3  # every third threshold: bounds of 200 divisions take time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("run", type=Path)
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--split", default="test")
    parser.add_argument("--notes", type=int, help="only the first so many")
    parser.add_argument("--calibrate", type=int, default=150, help="patients that calibrate, of each division")
    parser.add_argument("--shift", nargs="+", action="append", default=[], metavar=("NAME", "SETTING"))
    parser.add_argument("--quick", action="store_true", help="ten divisions, nothing is kept")
    args = parser.parse_args()
    with runs.mendable_errors():
        judged = judge(args)
    if args.quick:
        print(json.dumps(judged, indent=2))
        return
    file = FOLDER / "validity.json"
    content = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    runs.write_json(file, content | {args.name: judged})
    tables(json.loads(file.read_text("utf-8")))
    experiments.renew(FOLDER / "README.md")


def judge(args: argparse.Namespace) -> dict:
    ran = OmegaConf.create(calibrating.settings_of(args.run))
    labels = runs.instantiate(ran.labels)
    system = checkpoint.load(args.run)
    decoder = calibrating.plain(system.checkpoint.decoder, None)

    def leaks(settings: list[str]) -> list:
        documents = list(read(OmegaConf.merge(ran, OmegaConf.from_dotlist(settings)), labels, args.split))[: args.notes]
        pairs = zip(documents, system.scores(documents), strict=True)
        return [note_leak(d, s, decoder(s), d.meta.get("patient") or d.id, THRESHOLDS[::THINNED]) for d, s in pairs]

    own = leaks(args.settings)
    losses = by_patient(own)
    repeats = 10 if args.quick else 200
    lines = [
        {
            "risk": risk,
            "alpha": p.alpha,
            "confidence": p.confidence,
            **divided(losses[risk], p, args.calibrate, repeats),
        }
        for risk in RISKS
        for p in PROMISES
    ]
    shifted = []
    for name, *settings in [["the same kind"], *args.shift]:
        there = by_patient(leaks([*args.settings, *settings]) if settings else own)
        for risk in RISKS:
            for promise in PROMISES[:3]:
                if (place := promise.place(losses[risk])) is not None:
                    of_patient = there[risk][:, place]
                    shifted.append({"notes": name, "patients": len(of_patient), "risk": risk, "alpha": promise.alpha,
                                    "seen": float(of_patient.mean()), "error": standard_error(of_patient)})  # fmt: skip
    first = {risk: float(values[:, 0].mean()) for risk, values in losses.items()}
    return {
        "run": args.run.name,
        "settings": args.settings,
        "notes": len(own),
        "patients": len(losses[RISKS[0]]),
        "calibrate": args.calibrate,
        "without_target": first,
        "divisions": lines,
        "shifts": shifted,
    }


def read(config: OmegaConf, labels: object, split: str) -> Iterator[Document]:
    with tempfile.TemporaryDirectory() as cache:
        yield from runs.instantiate(config.data, cache_dir=Path(cache)).typed(labels)(split)


def standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def tables(content: dict) -> None:
    """`divisions.json` and `shifts.json`, which the README shows."""
    divisions, shifts = [], []
    for name, judged in content.items():
        for line in judged["divisions"]:
            sure = "on average" if line["confidence"] is None else f"{line['confidence']:.0%}"
            made = f"{line['promised']} of {line['repeats']}"
            if not line["promised"]:
                made += f" (needs {line['needed']} patients)"
            seen = [f"{line['risk_seen']:.4f}", f"{line['held']:.0%}"] if line["promised"] else ["-", "-"]
            divisions.append([name, judged["calibrate"], line["risk"], line["alpha"], sure, made, *seen])
        for line in judged["shifts"]:
            seen = f"{line['seen']:.4f} ± {line['error']:.4f}"
            kept = "yes" if line["seen"] <= line["alpha"] else "no"
            shifts.append([name, line["notes"], line["patients"], line["risk"], line["alpha"], seen, kept])
    head = ["notes", "calibrated on", "risk", "at most", "promise", "made in", "mean risk of the others", "held in"]
    runs.write_json(FOLDER / "divisions.json", {"columns": head, "rows": divisions})
    head = ["calibrated on", "judged on", "patients", "risk", "at most", "seen", "held"]
    runs.write_json(FOLDER / "shifts.json", {"columns": head, "rows": shifts})


if __name__ == "__main__":
    main()
