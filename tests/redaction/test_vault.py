"""The encrypted way back."""

import os
import stat

import pytest

from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.redaction.vault import Sealed, Vault, read_sealed, write_sealed
from deidlab.types import ConfigError, DataError, Document, Span

pytest.importorskip("cryptography", reason="the vault needs the extra `vault`")

KEY, OTHER = b"correct horse battery", b"quite another key here"
NOTE = Document(
    "n1", "Mr. Zimmerwald, b. 3/4/1950 \ud800 é", (Span(4, 14, "PATIENT"), Span(19, 27, "DATE")), {"patient": "p"}
)


@pytest.mark.parametrize("style", ["mask", "remove", "surrogate", "tag"])
def test_there_and_back(style):
    policy = Policy(rules={"NAME": "redact", "DATE": "redact"})
    redacted = Redactor(policy, style, KEY).redact(NOTE, NOTE.spans)
    assert Vault(KEY).restore(Vault(KEY).seal(NOTE, redacted), redacted.text) == NOTE.text


def sealed() -> tuple[Sealed, str]:
    redacted = Redactor(Policy.load("hipaa_safe_harbor")).redact(NOTE, NOTE.spans)
    return Vault(KEY).seal(NOTE, redacted), redacted.text


def test_another_key_opens_nothing_and_says_nothing():
    record, text = sealed()
    with pytest.raises(DataError, match="n1: not opened by this key") as caught:
        Vault(OTHER).restore(record, text)
    assert "Zimmerwald" not in str(caught.value) + repr(record) + repr(Vault(KEY)) and "horse" not in repr(Vault(KEY))


def test_a_record_belongs_to_its_note_and_text():
    record, text = sealed()
    for wrong in ((record, text + " "), (Sealed("n2", record.token), text)):
        with pytest.raises(DataError, match="belongs to another note"):
            Vault(KEY).restore(*wrong)
    with pytest.raises(DataError, match="not opened"):
        Vault(KEY).restore(Sealed("n1", record.token[:-4] + "AAA="), text)


def test_the_file_is_for_its_owner_alone_and_holds_no_text(tmp_path):
    file = tmp_path / "vault.jsonl"
    record, text = sealed()
    before = os.umask(0)
    try:
        write_sealed(file, [record])
        write_sealed(file, [record], append=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"Zimmerwald" not in file.read_bytes()
    assert [Vault(KEY).restore(r, text) for r in read_sealed(file)] == [NOTE.text] * 2


def test_no_file_is_overwritten_nor_one_used_that_others_read(tmp_path):
    file = tmp_path / "vault.jsonl"
    file.touch()
    with pytest.raises(ConfigError, match="exists already"):
        write_sealed(file, [])
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        write_sealed(file, [], append=True)


def test_a_line_that_is_no_record_is_named(tmp_path):
    file = tmp_path / "vault.jsonl"
    file.write_text('{"id": "a", "token": "x"}\n{"id": 3}\n')
    with pytest.raises(DataError, match="line 2: expected a vault record"):
        list(read_sealed(file))


def test_weak_keys_make_no_vault():
    with pytest.raises(ConfigError, match="16 or more"):
        Vault(b"short")
