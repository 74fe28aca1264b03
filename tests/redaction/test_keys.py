"""The user's key and what is drawn by it."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.keys import Draws, check_key
from deidlab.types import ConfigError

WEAK = [None, b"", b"short", b"a" * 32, b"ab" * 16, b"0123456789abcdef", bytes(range(32)), b"passwordpassword1",
        b"secretsecretsecret", b"changeme12345678901234567890", b"1234567890123456"]  # fmt: skip


@pytest.mark.parametrize("key", WEAK)
def test_missing_and_weak_keys_are_refused_and_never_quoted(key):
    with pytest.raises(ConfigError, match="key") as caught:
        check_key(key)
    assert not key or key.decode("latin-1") not in str(caught.value)


def test_keys_made_as_the_message_says_are_good():
    for _ in range(200):
        assert check_key(secrets.token_hex(32).encode())
        assert check_key(secrets.token_bytes(16))


def test_a_key_does_not_print_itself():
    assert "kjh23" not in repr(Draws(b"kjh23kjsdfuiyw98", "patient 3")) and "patient 3" not in repr(
        Draws(b"k", "patient 3")
    )


@given(st.lists(st.text(max_size=6), max_size=3), st.lists(st.text(max_size=6), max_size=3))
@settings(deadline=None)
def test_other_purposes_draw_other_values(one, other):
    draws = Draws(b"some key or other", "p")
    assert (draws.digest(*one) == draws.digest(*other)) == (one == other)
