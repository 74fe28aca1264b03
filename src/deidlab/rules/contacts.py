"""Phones, faxes, mail and network addresses."""

from __future__ import annotations

import ipaddress

import regex

from deidlab.rules.pattern import Rule, rule

EXTENSION = r"(?:[ ,]{0,2}(?:x|ext\.?|extension|ext:)␣?\d{1,6}(?!\d))?"
NUMBER = r"(?:\(?\+?\d{1,4}\)?[ .-]{0,2})(?:\(?\d{1,9}\)?[ .-]{0,2}){1,5}(?<=\d)" + EXTENSION
PHONE_CUES = (
    r"(?:phone|telephone|tel[eé]fonos?|tel[eé]f|telfs?|tel|tfno|tfn|tlfn?o?|m[oó]vil|mobile|cell|"
    r"cellular|call|callback)"
)
AFTER_CUE = r"(?:␣(?:number|no|nº|is|at))?[.:#]{0,2}␣{0,3}"


def is_phone(match: regex.Match) -> bool:
    """Whether a number after a cue has as many digits as a phone number has, its extension left out."""
    label = "FAX" if "FAX" in match.re.groupindex else "PHONE"
    number = regex.split(r"[xe]", match[label], flags=regex.IGNORECASE)[0]
    return 7 <= sum(map(str.isdigit, number)) <= 14


def is_address(match: regex.Match) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(match["IPADDR"])
    except ValueError:
        return False
    return True


RULES: tuple[Rule, ...] = (
    rule(
        "e-mail",
        r"(?<![\w.+%-])(?P<EMAIL>\w[\w+%'’-]{0,63}+(?:\.[\w+%-]{1,64}+){0,6}@(?:[\w-]{1,63}+\.){1,5}\p{L}{2,24}+)(?!\w)",
    ),
    rule("URL", r"(?<!\p{L})(?P<URL>(?:https?://|ftp://|www\.)[^\s<>\"'()]{3,400}(?<![.,;:]))", cased=False),
    rule("IPv4", r"(?<![\w.])(?P<IPADDR>(?:\d{1,3}\.){3}\d{1,3})(?![\w]|\.\d)", is_address),
    rule("IPv6", r"(?<![\w:.])(?P<IPADDR>(?:[0-9A-Fa-f]{1,4}:{1,2}){3,7}[0-9A-Fa-f]{1,4})(?![\w:])", is_address),
    rule(
        "American fax",
        r"(?<!\p{L})(?:fax|facsimile|f)"
        + AFTER_CUE.replace("{0,2}", "{1,2}", 1)
        + r"(?P<FAX>(?:\+?1[-. ]?)?\(?[2-9]\d\d\)?[-. /]{0,2}\d{3}[-. ]?\d{4})(?!\d)",
        cased=False,
    ),
    rule(
        "American phone",
        # not a part of a number in groups, unless these are another phone's or a time
        r"(?<![\d\p{L}./+-])(?<![^\d-]\d{1,4} |^\d{1,4} )"
        r"(?P<PHONE>(?:\+?1[-. ]?)?(?:\([2-9]\d\d\)[-. /]{0,2}|[2-9]\d\d[-. /])"
        r"\d{3}(?:[-. ]|(?<=[-.)/]\d{3}))\d{4}" + EXTENSION + r")"
        r"(?![\d\p{L}]|-\d|[ ]\d{2,4}(?![\d:-]|␣?[ap]\.?m|␣?h))",
        near=r"\d{3}[-. ]?\d{4}",
        cased=False,
    ),
    rule("fax", r"(?<!\p{L})fax" + AFTER_CUE + r"(?P<FAX>" + NUMBER + r")(?![\d\p{L}])", is_phone, cased=False),
    rule(
        "phone after a cue",
        r"(?<!\p{L})" + PHONE_CUES + AFTER_CUE + r"(?P<PHONE>" + NUMBER + r")(?![\d\p{L}])",
        is_phone,
        cased=False,
    ),
    rule(
        "local phone",
        r"(?<!\p{L})(?:phone|ph|tel|call|cell|home|work|mobile|at|ext|contact)"
        r"[.:#]{0,2}␣{0,3}(?P<PHONE>[2-9]\d\d-\d{4})(?![\d-])",
        cased=False,
    ),
    rule(
        "pager or extension",
        r"(?<!\p{L})(?:pager|beeper|pgr|extension|ext)(?:␣(?:number|no))"
        r"?[.:#]{0,2}␣{0,2}#?(?P<PHONE>\d{1,3}-\d{4}|\d{4,6})(?![\d-])",
        cased=False,
    ),
)
