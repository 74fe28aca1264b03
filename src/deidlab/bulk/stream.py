"""Standard input to standard output: a note, or lines of JSON, nothing kept on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deidlab.bulk.engines import Engine
from deidlab.bulk.job import Summary, settled, shards
from deidlab.bulk.json_lines import JsonLines
from deidlab.bulk.notes import Note, Reading, decoded, encoded
from deidlab.bulk.text_files import patient_of
from deidlab.deidentifier import Deidentified, Failure
from deidlab.types import ConfigError, DataError, Document

AT_ONCE = 32  # lines: few enough that a slow producer sees answers


@dataclass(frozen=True)
class TextStream:
    """A stream that is one note."""

    reading: Reading

    def stream(self, stream: BinaryIO) -> Iterator[Note]:
        raw = stream.read(self.reading.max_bytes + 1)
        try:
            if len(raw) > self.reading.max_bytes:
                raise DataError(f"stdin: more than --max-note-mb allows ({self.reading.max_bytes:,} bytes)")
            text = decoded(raw, self.reading.encoding, "stdin")
        except DataError as error:
            yield Note("stdin", None, str(error))
        else:
            yield Note("stdin", Document("stdin", text, meta=patient_of("stdin", self.reading.patient_pattern)))

    def render(self, note: Note, result: Deidentified) -> bytes:
        return encoded(result.text, self.reading.encoding, note.id)


def opened(reading: Reading, name: str, spans: bool = False) -> TextStream | JsonLines:
    """What stands in standard input; raises `ConfigError` for what is read from files only."""
    match name:
        case "auto" | "txt":
            return TextStream(reading)
        case "jsonl":
            return JsonLines(Path(), reading, spans)
    raise ConfigError(f"--format {name} is not read from standard input (txt and jsonl are): give a file")


def run(
    source: TextStream | JsonLines, engine: Engine, incoming: BinaryIO, outgoing: BinaryIO, tell: Callable[[str], None]
) -> Summary:
    """Write each note that succeeds, in order; `tell` hears of each that fails (id and reason)."""
    summary = Summary()
    for shard, results in engine(shards(source.stream(incoming), AT_ONCE)):
        for rendered, result in settled(source, shard, results):
            summary.notes += 1
            if isinstance(result, Failure):
                summary.failed += 1
                tell(f"{result.id}: {result.reason}")
            else:
                outgoing.write(rendered)
                summary.replaced.update(result.replaced)
                summary.masked_instead.update(why for _, why in result.fallbacks)
        outgoing.flush()
    return summary
