"""No note text leaves by a side door: every note holds markers that nothing else on the disk may hold.

The chain a hospital would run, through the doors it would use, in a home and a temporary folder of its own: train with
a tracker, evaluate, de-identify with failures of every kind. Then every byte left behind is searched, file names too.
Only the corpus and the de-identified notes themselves (of which a model may miss a part) are not.
"""

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deidlab.corpora import jsonl
from deidlab.types import Document, Span

ROOT = Path(__file__).parents[1]
KEY = "7d1f0b3a9c5e48268e0d2c4b6a987f31"


@dataclass
class Site:
    """A home, a temporary folder and notes, the markers in these, and all that commands have printed."""

    root: Path
    markers: set[str] = field(default_factory=set)
    printed: list[str] = field(default_factory=list)
    draw: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def notes(self) -> Path:
        return self.root / "notes"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    def marker(self) -> str:
        """A word that no tokenizer, no word list and no other note knows."""
        word = "Zq" + "".join(self.draw.choice("bdfghjklmnpqrstvwxz") for _ in range(8))
        self.markers.add(word)
        return word

    def marked(self, note: Document) -> Document:
        """The note with a marker in an identifier, and another that is none."""
        name, word = self.marker(), self.marker()
        text = f"{note.text} {word} Mr {name}"
        span = Span(len(text) - len(name), len(text), note.spans[0].label)
        return Document(note.id, text, (*note.spans, span), note.meta)

    def run(self, *command: object, status: int = 0) -> None:
        home, temporary = self.root / "home", self.root / "tmp"
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
        ended = subprocess.run(
            [sys.executable, *map(str, command)],
            env={**kept, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT / "src"),
                 "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            cwd=self.root, capture_output=True, text=True, errors="surrogateescape", timeout=1200,
        )  # fmt: skip
        self.printed += [ended.stdout, ended.stderr]
        assert ended.returncode == status, self.found(ended.stderr.encode("utf-8", "replace")) or ended.stderr[-3000:]

    def found(self, content: bytes) -> list[str]:
        content = content.lower()
        return [marker for marker in self.markers if marker.lower().encode() in content]


@pytest.fixture(scope="module")
def site(tmp_path_factory, tiny_backbones, obvious_notes) -> Site:
    """A site where everything has happened."""
    site = Site(tmp_path_factory.mktemp("site"))
    for folder in ("home", "tmp", "outputs"):
        (site.root / folder).mkdir()
    for seed, (split, number) in enumerate({"train": 40, "validation": 6, "test": 8}.items()):
        notes = [site.marked(note) for note in obvious_notes(number, seed, split)]
        jsonl.write(notes, site.notes / "good" / f"{split}.jsonl")
    bad = jsonl.to_line(site.marked(obvious_notes(1)[0])).replace('"end": ', '"end": 9')
    (site.notes / "bad").mkdir()
    (site.notes / "bad" / "train.jsonl").write_text(bad)

    model = [f"model.pretrained={tiny_backbones['bert']}", "model.package=null", "model.max_length=48",
             "model.stride=8", "training.learning_rate=0.01", "training.batch_tokens=128"]  # fmt: skip
    train = [ROOT / "train.py", "data=jsonl", "labels=i2b2_2014", *model]
    site.run(*train, f"data.path={site.notes / 'good'}", "training.epochs=4", "tracking=wandb", "output_dir=run")
    site.run(*train, f"data.path={site.notes / 'bad'}", "output_dir=failed", status=2)
    evaluate = [ROOT / "scripts" / "evaluate.py", "data=jsonl", "labels=i2b2_2014"]
    site.run(*evaluate, f"data.path={site.notes / 'good'}", "system.path=run", "output_dir=evaluated")
    site.run(*evaluate, f"data.path={site.notes / 'good'}", "system=consistent",
             "system.system.systems.model.path=run", "output_dir=consistent")  # fmt: skip

    mixed_notes(site, obvious_notes)
    (site.root / "key").write_text(KEY)
    command = ["-m", "deidlab", "deidentify"]
    files = ["--offsets", site.root / "offsets", "--failed", site.root / "failed.jsonl"]
    mixed = site.notes / "mixed.jsonl"
    site.run(*command, mixed, "-m", "run", "-o", site.outputs / "masked.jsonl", *files, status=1)
    # The i2b2 policy shifts dates, which fails for notes whose patient is not known.
    site.run(*command, mixed, "-m", "run", "-o", site.outputs / "shifted.jsonl", "--policy", "i2b2", "--style",
             "surrogate", "--key-file", "key", "-j", "2", status=1)  # fmt: skip
    site.run(*command, site.notes / "folder", "-m", "run", "-o", site.outputs / "folder", status=1)
    site.run(*command, site.notes / "good" / "test.jsonl", "-m", "run", "-o", site.notes / "good" / "test.jsonl",
             status=2)  # fmt: skip
    return site


def mixed_notes(site: Site, obvious_notes) -> None:
    """Notes to de-identify, good ones among ones that fail in many ways."""
    good = [site.marked(note).text for note in obvious_notes(12, 8)]
    lines = [json.dumps({"text": text}).encode() for text in good]
    marker = site.marker
    lines[3:3] = [
        json.dumps({"text": f"Mr {marker()} \0"}).encode(),
        json.dumps({"text": f"Mr {marker()} \ud800"}).encode(),
        f"Mr {marker()}".encode(),
        f'{{"text": "Mr {marker()}'.encode(),
        f'{{"text": "Mr {marker()}", "text": "{marker()}"}}'.encode(),
        json.dumps({"text": f"Mr {marker()} Mu\xf1oz"}, ensure_ascii=False).encode("cp1252"),
        json.dumps({"text": [f"Mr {marker()}"]}).encode(),
    ]
    (site.notes / "mixed.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    folder = site.notes / "folder"
    folder.mkdir()
    for number, text in enumerate(good):
        (folder / f"{number}.txt").write_text(text)
    (folder / "binary.txt").write_bytes(f"%PDF Mr {marker()}".encode() + b"\0\xff")
    (folder / "utf16.txt").write_bytes(f"\ufeffMr {marker()}".encode("utf-16-le"))


def test_the_failures_happened_and_were_listed(site):
    failed = [json.loads(line) for line in (site.root / "failed.jsonl").read_text().splitlines()]
    assert len(failed) == 7 and all(row["reason"] for row in failed)
    assert len((site.outputs / "masked.jsonl").read_text().splitlines()) == 12
    assert len(list((site.outputs / "folder").glob("*.txt"))) == 12
    assert "no answer" not in "".join(row["reason"] for row in failed)


def test_the_search_finds_a_marker_where_there_is_one(site):
    assert site.found((site.notes / "mixed.jsonl").read_bytes())
    assert len(site.markers) > 100


def test_no_marker_was_printed(site):
    assert not site.found("".join(site.printed).encode("utf-8", "replace"))


def test_no_marker_is_in_any_file_left_behind(site):
    searched = []
    for path in site.root.rglob("*"):
        assert not site.found(os.fsencode(path.name)), "a marker in a file name"
        if path.is_dir() or path.is_relative_to(site.notes):
            continue
        if path.is_relative_to(site.outputs) and path.name not in ("failed.jsonl", "job.json"):
            continue
        searched.append(str(path.relative_to(site.root)))
        markers = site.found(path.read_bytes())
        assert not markers, f"{len(markers)} markers in {searched[-1]}"
    for expected in ("run/checkpoint/model.safetensors", "run/report.html", "run/config.yaml", "run/predictions.jsonl",
                     "evaluated/report.json", "consistent/report.json", "offsets", "failed.jsonl",
                     "outputs/folder/failed.jsonl", "outputs/folder/job.json"):  # fmt: skip
        assert expected in searched, expected
    assert any(name.endswith(".wandb") for name in searched)


def test_nothing_is_left_of_a_job_or_a_cache(site):
    assert not list(site.root.rglob("*.part*")) and not list(site.root.rglob("*.rough*"))
    assert not list(site.root.rglob("cache")), "the private cache of a run"
