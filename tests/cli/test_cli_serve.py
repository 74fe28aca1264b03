"""`deidlab serve` from the shell: what it refuses to begin with, and that nothing of a note is ever printed."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

MARKER = "Zqxvbnmklw"
TOKEN = "0123456789abcdef0123"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "say which model: --model RUN"),
        (["--rules-only", "--host", "0.0.0.0"], "is reached from other machines: set a token"),
        (["--rules-only", "--host", "notes.example.org"], "is reached from other machines: set a token"),
        (["--rules-only", "--token-env", "NO_SUCH_TOKEN"], "there is no such environment variable"),
        (["--rules-only", "--token-env", "WEAK_TOKEN"], "the token has 6 bytes"),
        (["--rules-only", "--style", "surrogate"], "need a secret of your own"),
        (["--rules-only", "--port", "99999"], "choose another"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(arguments, why, deidlab, monkeypatch):
    pytest.importorskip("fastapi", reason='pip install -e ".[serve]"')
    monkeypatch.setenv("WEAK_TOKEN", "secret")
    said = deidlab("serve", "--port", "0", *arguments)
    assert said.status == 2 and why in said.err and said.out == "", said.err


def announced(address: str, length: int) -> int:
    """The answer to a body that is announced and not yet sent."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)
    connection.putrequest("POST", "/analyze")
    for name, value in [("Authorization", f"Bearer {TOKEN}"), ("Content-Type", "application/json"),
                        ("Content-Length", str(length))]:  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_served_canary_is_printed_nowhere(tmp_path):
    pytest.importorskip("fastapi", reason='pip install -e ".[serve]"')
    command = [sys.executable, "-m", "deidlab", "serve", "--rules-only", "--port", "0", "--token-env", "TOKEN"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "TOKEN": TOKEN}, cwd=tmp_path)  # fmt: skip
    try:
        printed = process.stderr.readline()
        address = printed.split()[-1]
        assert address.startswith("http://127.0.0.1:"), printed

        def ask(path: str, body: bytes, token: str = TOKEN, kind: str = "application/json") -> tuple[int, bytes]:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
            try:
                with urllib.request.urlopen(urllib.request.Request(address + path, body, headers), timeout=120) as got:
                    return got.status, got.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        good = json.dumps({"notes": [{"text": f"Seen by Dr. {MARKER} on 03/04/2012"}]}).encode()
        status, answer = ask("/deidentify", good)
        assert status == 200 and MARKER.encode() not in answer and b"2012" in answer
        for path, body, kind, expected in [
            (f"/{MARKER}?q={MARKER}", good, "application/json", 404),
            ("/analyze", good[:-2], "application/json", 422),
            ("/analyze", good, "text/plain", 415),
            ("/analyze", good.replace(b"text", MARKER.encode()), "application/json", 422),
        ]:
            status, answer = ask(path, body, kind=kind)
            assert status == expected and MARKER.encode() not in answer
        assert ask("/deidentify", good, token="wrong")[0] == 401
        assert announced(address, 5_000_000) == 413
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    printed += out + err
    assert "POST /deidentify 200" in printed and "POST /deidentify 401" in printed
    for secret in (MARKER, MARKER.lower(), TOKEN):
        assert secret not in printed
    assert not list(tmp_path.iterdir())
