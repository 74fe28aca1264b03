"""The passport of a model: what it is, what it was judged on, how it should be run, and who answers for that.

`passport.json` and `passport.md` beside a run. A person signs off what a machine has filled in; the passport names the
weights by a digest, so that `check` tells whether it is about these. It is a record, no cryptographic signature: who
needs that signs the file. Figures and names of types only: no note text, no path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deidlab.institution import MODEL
from deidlab.runs import write_json
from deidlab.types import ConfigError
from deidlab.views import markdown as md
from deidlab.views.calibration import promise
from deidlab.views.elements import Estimate, Section, Table
from deidlab.views.rows import overall

FILE, PAGE = "passport.json", "passport.md"
METRICS = {"strict": ("precision", "recall", "f1"), "char_leak": ("value",), "document_clean": ("value",)}
# What is true of every model of this kind; a signer adds what is true of this one.
LIMITS = (
    "No model finds everything: the character leak stays readable. Check a sample of your own notes first.",
    "Other institutions, note types, languages and cultures of names than those judged on do worse.",
    "Removing identifiers alone is no legal anonymisation.",
    "Weights that learnt from protected notes are protected too.",
)


def issue(
    run: Path,
    signer: str,
    use: str,
    limits: Sequence[str] = (),
    adaptation: Path | None = None,
    role: str = "",
    day: date | None = None,
) -> dict[str, Any]:
    """Write the passport of a run and return it; `adaptation` is the folder of a `scripts/institution.py`.

    Raises `ConfigError` when the run has no report or checkpoint, or nobody signs or says what it is for.
    """
    if not signer.strip() or not use.strip():
        raise ConfigError("a passport needs who signs it (--sign) and what the model is for (--use)")
    if adaptation and (adaptation / MODEL).resolve() != run.resolve():
        raise ConfigError(f"--adaptation {adaptation} speaks of the model {adaptation / MODEL}, and not of {run}")
    report, settings = stated(run / "report.json"), stated(run / "checkpoint" / "deidlab.json")
    origin = report["provenance"]
    content: dict[str, Any] = {
        "schema": 1,
        "model": {
            "weights": weights_digest(run / "checkpoint"),
            "labels": settings["labels"]["name"],
            "types": settings["labels"]["types"],
            "encoding": settings["encoding"],
            "base": Path(str(origin.get("model"))).name,
            "deidlab": origin.get("deidlab"),
            "commit": origin.get("commit"),
        },
        "data": {
            "fingerprint": origin.get("data_fingerprint"),
            "documents": origin.get("documents"),
            "replay": origin.get("replay"),
            "settings": origin.get("config_digest"),
        },
        "metrics": metrics(report["rows"]),
        "intervals": report.get("intervals"),
        "threshold": threshold(settings),
        "adaptation": adapted(adaptation) if adaptation else None,
        "intended_use": use.strip(),
        "limits": [*LIMITS, *limits],
        "signed": {"by": signer.strip(), "role": role.strip(), "on": (day or date.today()).isoformat()},
    }
    content["digest"] = digest(content)
    write_json(run / FILE, content)
    (run / PAGE).write_text(rendered(run, content), encoding="utf-8")
    return content


def rendered(run: Path, content: Mapping[str, Any]) -> str:
    """The passport as a page."""
    return md.render(f"Passport of {run.resolve().name}", sections(content))


def check(run: Path) -> dict[str, Any]:
    """The passport of a run, if it is about its weights and was not changed; raises `ConfigError` if not."""
    content = stated(run / FILE)
    if digest(content) != content.get("digest"):
        raise ConfigError(f"{run / FILE} was changed after it was signed: issue it anew")
    page = run / PAGE
    if page.is_file() and page.read_text(encoding="utf-8") != rendered(run, content):
        raise ConfigError(f"{page} says something else than {FILE}: issue the passport anew")
    if content["model"]["weights"] != weights_digest(run / "checkpoint"):
        raise ConfigError(
            f"{run / FILE} is about other weights or another threshold than those in {run}: judge these and issue a "
            "passport of their own"
        )
    return content


def stated(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ConfigError(f"{file} is not there: give the output folder of a run of train.py that ended")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{file} is no JSON object: it was not written by deidlab, or was cut short")
    return content


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of everything but itself."""
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def weights_digest(checkpoint: Path) -> str:
    """SHA-256 of the weights and of what using them takes: every byte, the model card left out.

    Of adapters, the weights of a local model that they were trained beside too; one of a hub is named in their config.
    """
    if not checkpoint.is_dir():
        raise ConfigError(f"{checkpoint} is not there: give the output folder of a run of train.py that ended")
    told = hashlib.sha256()
    for file in sorted(path for path in checkpoint.iterdir() if path.suffix in (".safetensors", ".json")):
        with file.open("rb") as stream:
            told.update(f"{file.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    if (checkpoint / "adapter_config.json").is_file():
        base = stated(checkpoint / "adapter_config.json")["base_model_name_or_path"]
        if Path(base).is_dir():  # a model of a hub is named, with its revision, in the file itself
            told.update(weights_digest(Path(base)).encode())
    return told.hexdigest()


def metrics(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The overall figures with their intervals."""
    found = {row["metric"]: row for row in overall([dict(row) for row in rows])}
    return [
        {
            "metric": metric, "measure": measure, "value": found[metric][measure],
            "low": found[metric].get(f"{measure}_low"), "high": found[metric].get(f"{measure}_high"),
            "support": found[metric]["support"],
        }
        for metric, measures in METRICS.items() if metric in found for measure in measures
    ]  # fmt: skip


def threshold(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How the checkpoint decodes, without the curve of promises that it holds."""
    plain = {key: value for key, value in settings["decoding"].items() if isinstance(value, (int, float, str))}
    return {**plain, "calibrated": bool(settings["decoding"].get("calibration"))}


def adapted(folder: Path) -> dict[str, Any]:
    """What the report of an adaptation says, its tables left to it."""
    content = stated(folder / "institution.json")
    promised = (content.get("calibration") or {}).get("prices", ())
    return {
        "good_enough": content["leak"],
        "judged_on": content["judged_on"],
        "forgotten": content["forgotten"],
        "promises": [line for line in promised if "why" not in line],
        "cost": content["cost"],
    }


def sections(content: Mapping[str, Any]) -> list[Section]:
    model, signed, data = content["model"], content["signed"], content["data"]
    role = f", {signed['role']}" if signed["role"] else ""
    found = [
        Section("Signed off", f"By {signed['by']}{role}, on {signed['on']}. Digest {content['digest']}."),
        Section("Intended use", content["intended_use"]),
        Section("Limits", "\n".join(f"- {limit}" for limit in content["limits"])),
        Section(
            "The model",
            f"{model['base']}, label set {model['labels']} ({len(model['types'])} types: {', '.join(model['types'])}), "
            f"weights {model['weights']}, deidlab {model['deidlab']}, commit {model['commit']}.",
        ),
        Section("The notes", "", Table(("what", "which"), tuple((k, said(v)) for k, v in data.items() if v))),
        Section(
            "How good it is", "On the test notes of the run.",
            Table(("metric", "measure", "value", "support"),
                  tuple((m["metric"], m["measure"], Estimate(m["value"], m["low"], m["high"]), m["support"])
                        for m in content["metrics"])),
        ),
        Section("How it is run", said(content["threshold"])),
    ]  # fmt: skip
    if told := content["adaptation"]:
        leak = told["good_enough"]
        found.append(
            Section(
                "At the institution",
                f"Leak at most {leak['target']:g}: {leak['answer']}, judged on {told['judged_on']}.",
                promises(told["promises"]),
            )
        )
    return found


def promises(lines: Sequence[Mapping[str, Any]]) -> Table | None:
    body = tuple(map(promise, lines))
    return Table(("promise for new patients", "sure", "threshold"), body) if body else None


def said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return str(value)
