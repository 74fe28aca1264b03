"""XML of notes, parsed without entity expansion or external entities, and escaped so that it comes back unchanged."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import ErrorString

import defusedxml
from defusedxml import ElementTree

from deidlab.corpora.files import decoded
from deidlab.types import DataError, Losses

# What XML 1.0 has no way to write, not even as a character reference (section 2.2, production Char).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["'](?P<name>[A-Za-z0-9._-]+)""")


def parsed(raw: bytes, place: str, losses: Losses, encoding: str = "utf-8") -> Element | None:
    """The root element, or None after a fault (malformed, not the encoding it declares, entities declared).

    `encoding` is that of a file which declares none, or UTF-8 wrongly.
    """
    declared = _ENCODING.match(raw)
    in_utf8 = (declared is None or declared["name"].lower() == b"utf-8") and not raw.startswith(_UTF16_MARKS)
    # Expat would only say "invalid token"; a re-encoded file deserves the byte.
    if in_utf8:
        if (text := decoded(raw, place, losses, encoding)) is None:
            return None
        raw = text.encode()
    try:
        return ElementTree.fromstring(raw)
    except ParseError as error:
        # Only expat's own words: the message of the exception may quote the file.
        line, column = error.position
        reason = ErrorString(error.code) or "malformed"
        losses.fault("malformed_xml", "-", f"{place}: line {line}, column {column}: {reason}; mend the XML")
    except defusedxml.DefusedXmlException:
        losses.fault("xml_entities", "-", f"{place}: declares entities, which are refused; write plain characters")
    except (ValueError, LookupError):
        losses.fault("malformed_xml", "-", f"{place}: declares an encoding that is not supported; save it as UTF-8")
    return None


def declaration(raw: bytes) -> bytes:
    """An XML declaration with the encoding that the file declares, for a piece of it that is parsed alone."""
    declared = _ENCODING.match(raw)
    return b'<?xml version="1.0" encoding="%s"?>' % (declared["name"] if declared else b"utf-8")


def check_carried(text: str, place: str) -> None:
    """Raise `DataError` at the first character that XML 1.0 cannot carry."""
    if found := _FORBIDDEN.search(text):
        raise DataError(
            f"{place}: U+{ord(found[0]):04X} at character {found.start()} cannot be written in XML; "
            "write JSONL or brat instead"
        )


def cdata(text: str) -> str:
    """The text as CDATA sections that parse back to it: `]]>` is cut in two, and a carriage return stands outside.

    Inside CDATA a parser would turn a carriage return into a line feed.
    """
    inner = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<![CDATA[{inner}]]>"
