"""Turn notes whose identifiers are marked {N:name} {A:age} {D:date} {O:anything else} into documents.

python experiments/synthetic_generalisation/probe.py probe.txt probe.jsonl
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from deidlab.corpora.jsonl import write
from deidlab.types import Document, Span

LABELS = {"N": "PATIENT", "A": "AGE", "D": "DATE", "O": "LOCATION-OTHER"}
MARK = re.compile(r"\{([NADO]):([^{}]*)\}")


def documents(file: Path) -> Iterator[Document]:
    """The notes of the file: each begins with a line `=== id`."""
    for block in re.split(r"(?m)^=== ", file.read_text(encoding="utf-8"))[1:]:
        name, _, marked = block.partition("\n")
        text, spans, at = "", [], 0
        for match in MARK.finditer(marked):
            text += marked[at : match.start()]
            spans.append(Span(len(text), len(text) + len(match[2]), LABELS[match[1]]))
            text, at = text + match[2], match.end()
        yield Document(name.strip(), text + marked[at:].rstrip("\n"), tuple(spans), {"note_type": file.stem})


if __name__ == "__main__":
    write(documents(Path(__file__).with_name(sys.argv[1])), Path(sys.argv[2]))
