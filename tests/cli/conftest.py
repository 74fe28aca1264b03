"""The real command line over a small model that has really learnt to find the identifiers of obvious notes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trained_run(tiny_backbones, tiny_labels, obvious_notes, tmp_path_factory) -> Path:
    """A run's folder; training takes seconds."""
    from deidlab.checkpoints import Checkpoint
    from deidlab.decoding import Decoder
    from deidlab.models import Backbone
    from deidlab.training import train
    from deidlab.types import Losses

    folder = tmp_path_factory.mktemp("trained") / "run"
    folder.mkdir()
    backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16)
    source = backbone.locate()
    untrained = Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))
    train(untrained, obvious_notes(60), (), folder=folder / "checkpoint", losses=Losses(), epochs=12,
          learning_rate=5e-3, batch_tokens=256, device="cpu", precision="fp32")  # fmt: skip
    return folder


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def deidlab(monkeypatch, capfd) -> Callable[..., Said]:
    """Run `deidlab ARGUMENTS`."""

    def go(*arguments: object) -> Said:
        from deidlab.cli.main import main

        monkeypatch.setattr(sys, "argv", ["deidlab", *map(str, arguments)])
        capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        return Said(status, *capfd.readouterr())

    return go
