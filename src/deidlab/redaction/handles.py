"""Surrogates for what people are reached by: user names, mail and web addresses, which may spell out a name."""

from __future__ import annotations

import re

from deidlab.redaction.codes import bare, exchanged_code
from deidlab.redaction.name_lists import folded
from deidlab.redaction.name_surrogates import People
from deidlab.redaction.places import generic

_RUN = re.compile(r"[^\W_]+")


def exchanged_handle(text: str, people: People) -> str | None:
    """A user name or an address of the same pattern, with the note's names in it exchanged as they are elsewhere.

    Mail hosts that anybody may have and the endings of domains stay; every other run of letters and digits changes.
    """
    local, at, host = text.rpartition("@")
    if not at:
        local, host = ("", text) if _is_web(text) else (text, "")
    new = _RUN.sub(lambda run: _exchanged_run(run[0], people), local) + at
    new += _RUN.sub(lambda run: run[0] if _stays(run[0], bool(at)) else _exchanged_run(run[0], people), host)
    return new if bare(new) != bare(text) else None


def _is_web(text: str) -> bool:
    return "/" in text or text.lower().startswith(("www.", "http")) or text.count(".") > 1


def _stays(word: str, mail: bool) -> bool:
    return word.lower() in generic()["web_words"] or (mail and word.lower() in generic()["mail_hosts"])


def _exchanged_run(run: str, people: People) -> str:
    """A run of letters and digits: names of the note by their surrogates, an initial before one by its letter."""
    plain = folded(run)
    if len(plain) != len(run):
        return exchanged_code(run, people.draws, what="handle") or run
    pieces, at, rest = [], 0, 0
    names, lengths = people.in_handles
    while at < len(plain):
        key = next((plain[at : at + n] for n in lengths if plain[at : at + n] in names), "")
        if not key:
            at += 1
            continue
        lead = plain[rest:at]
        if len(lead) == 1 and lead.isalpha():
            pieces.append(people.letter("given", lead))
        else:
            pieces.append(_scrambled(lead, people))
        pieces.append(names[key])
        at = rest = at + len(key)
    tail = plain[rest:]
    follows = len(tail) == 1 and tail.isalpha() and rest > 0
    pieces.append(people.letter("given", tail) if follows else _scrambled(tail, people))
    new = "".join(pieces)
    return new.upper() if run.isupper() else new.capitalize() if run[0].isupper() else new


def _scrambled(text: str, people: People) -> str:
    return (exchanged_code(text, people.draws, what="handle") or text) if text else ""
