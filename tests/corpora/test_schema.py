"""Documents in Arrow: back unchanged, mapped from disk, and private."""

from datasets import DatasetDict

from deidlab.corpora.schema import FEATURES, from_row, open_arrow, to_row, write_arrow
from deidlab.types import Document, Span

NOTES = [
    Document("a", "Anna 😀\r\n\0", (Span(0, 4, "NAME"), Span(0, 2, "PART")), {"patient": "7", "culture": "es"}),
    Document("b", ""),
]


def test_rows_give_documents_back():
    assert [from_row(to_row(note)) for note in NOTES] == NOTES


def test_an_arrow_file_is_memory_mapped_private_and_the_same_each_time(tmp_path):
    file = tmp_path / "corpus" / "train.arrow"
    fingerprints = []
    for _ in range(2):
        write_arrow(iter(NOTES), file)
        dataset = open_arrow(file, "0123-train")
        assert (dataset.features, list(map(from_row, dataset))) == (FEATURES, NOTES)
        assert dataset.cache_files == [{"filename": str(file)}]
        fingerprints.append((dataset._fingerprint, dataset.select([1])._fingerprint, file.read_bytes()))
    assert fingerprints[0] == fingerprints[1]
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_could_enter_is_closed(tmp_path):
    (tmp_path / "corpus").mkdir(mode=0o755)
    write_arrow(iter(NOTES), tmp_path / "corpus" / "train.arrow")
    assert (tmp_path / "corpus").stat().st_mode & 0o777 == 0o700


def test_no_note_is_written_anywhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    write_arrow(iter(NOTES * 300), tmp_path / "corpus" / "train.arrow")
    corpus = DatasetDict({"train": open_arrow(tmp_path / "corpus" / "train.arrow", "f").select(range(0, 600, 2))})
    assert len(list(corpus["train"])) == 300
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["train.arrow"]
