"""Numbers that stand for a person: recognised by the words before them, by their form or by their check digits."""

from __future__ import annotations

import regex

from deidlab.rules.pattern import Rule, rule

# What may stand between a cue and its number: "No.", "#", ":", "is", a blank.
LINK = r"(?:␣?(?:numbers?|num|no|nr|nº|n°|nro|#|id))?(?:␣?\(MRN\))?(?:␣is)?[.:#=º°]{0,2}␣{0,3}[#(-]?"
CODE = r"(?=[\p{L}./-]{0,12}\d)[\p{L}\d](?:[\p{L}\d]|[./-](?=[\p{L}\d])){2,24}+"
SPACED = r"\d{2}(?:[ -]?\d){2,12}"  # Spanish numbers are written in groups: 28 28 57554
FIGURES = r"\d[\p{L}./-]{0,2}\d[\p{L} ./-]{0,2}\d"  # a landmark: three figures close together
END = r"(?![\p{L}\d]|␣?(?:mg|mcg|g|m[lL]|cc|units?)(?!\p{L}))"
DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # check letter: the number modulo 23


def has_digits(count: int):
    """A guard: what the first group that matched found holds at least `count` digits."""

    def enough(match: regex.Match) -> bool:
        return all(sum(map(str.isdigit, found)) >= count for found in match.groupdict().values() if found)

    return enough


def passes_luhn(match: regex.Match) -> bool:
    """Whether the last digit of a card number checks the others (ISO/IEC 7812-1)."""
    digits = [int(d) for d in match["ACCOUNT"] if d.isdigit()][::-1]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[1::2])
    return len(digits) >= 13 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_dni(match: regex.Match) -> bool:
    """Whether the letter of a Spanish identity number checks its digits."""
    found = match["IDNUM"].replace("-", "").upper()
    number = found[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return found[-1] == DNI_LETTERS[int(number) % 23]


def after(cues: str, label: str, code: str = CODE) -> str:
    """A pattern: a code of a type after one of some cue words."""
    return r"(?<![\p{L}\d])(?:" + cues + r")" + LINK + r"(?P<" + label + r">" + code + r")" + END


RULES: tuple[Rule, ...] = (
    rule("SSN", r"(?<![\d\p{L}./-])(?P<SSN>(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4})(?![\d\p{L}-])"),
    rule("SSN after a cue", after(r"SSN|SS|social security", "SSN", r"\d{3}[- ]?\d\d[- ]?\d{4}"), cased=False),
    rule(
        "NASS",
        after(r"NASS|NUSS|n[º°] de (?:afiliación|la seguridad social)", "SSN", SPACED),
        has_digits(6),
        cased=False,
    ),
    rule(
        "medical record",
        after(
            r"MRN|MR ?#|MR ?no\.?|med(?:ical)?\.? rec(?:ord)?s?\.?|health record|(?:chart|unit|hospital|record|"
            r"patient)"
            r"(?=␣?(?:#|no\b|num|id\b))|NHC|n\.?h\.?c\.?|historia(?: clínica)?(?=␣?n)|CIPA(?:: ?nhc-)?|nhc-",
            "MEDICALRECORD",
        ),
        has_digits(4),
        near=FIGURES,
        cased=False,
    ),
    rule(
        "health plan",
        after(
            r"(?:policy|member(?:ship)?|subscriber|beneficiary|medicare|medicaid|insurance|group|plan|HICN|MBI|"
            r"póliza)"
            r"(?=␣?(?:#|no\b|num|id\b|policy|:))(?:␣?policy)?",
            "HEALTHPLAN",
        ),
        has_digits(5),
        near=FIGURES,
        cased=False,
    ),
    rule("account", after(r"account|acct|a/c|IBAN|cuenta", "ACCOUNT"), has_digits(5), near=FIGURES, cased=False),
    rule("card", r"(?<![\d.-])(?P<ACCOUNT>[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4})(?![\d-])", passes_luhn),
    rule(
        "licence",
        after(
            r"(?:medical |state |driver'?s? |nursing )?(?:licen[cs]e)(?! plate)|lic|DEA|NPI|UPIN|"
            r"certificate(?= ?(?:#|no|num))",
            "LICENSE",
        ),
        has_digits(4),
        near=FIGURES,
        cased=False,
    ),
    rule(
        "colegiado",
        r"(?<!\p{L})(?:n[º°o.]{0,2} ?(?:de )?col(?:egiad[oa])?|colegiad[oa])(?: n[º°])?[.:º° ]{1,4}(?P<LICENSE>"
        + SPACED
        + r")(?![\d\p{L}])",
        cased=False,
    ),
    rule(
        "VIN",
        after(r"VIN|vehicle(?: identification)?|chassis", "VEHICLE", r"(?=[A-Z]{0,16}\d)[A-HJ-NPR-Z\d]{17}"),
        cased=False,
    ),
    rule(
        "plate",
        r"(?<!\p{L})(?:licen[cs]e plate|plates?|registration|matrícula)(?=[ :#])(?: (?:no\.?|number))?[ :#]{1,3}"
        r"(?P<VEHICLE>(?=[A-Z]{0,5}[ -]?\d)[A-Z\d]{1,5}(?:[ -][A-Z\d]{1,4}){0,2})(?![\p{L}\d])",
        has_digits(2),
    ),
    rule(
        "device",
        after(
            r"serial|(?-i:S/N|SN)(?=[:#])|device(?= ?(?:#|id|ident|no|num|serial))(?: identifier| serial)?|IMEI|"
            r"UDI|n[º°] de serie",
            "DEVICE",
        ),
        has_digits(4),
        near=FIGURES,
        cased=False,
    ),
    rule(
        "MAC address",
        r"(?<![\w:-])(?P<DEVICE>[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})(?![\w:-])",
        near=r"[:-][0-9A-Fa-f]{2}[:-]",
    ),
    rule(
        "other number",
        after(
            r"(?:accession|encounter|visit|specimen|order|claim|reference|case|study|invoice|employee|badge|passport|"
            r"requisition|confirmation|surgical|protocol|customer|interpreter|driver|episodio|pasaporte|"
            r"expediente|registro)"
            r"(?=␣?(?:#|no\b|num|id\b|nº|:))|CSN|FIN(?=[ :#])|DNI|NIE|NIF|CIP|NHS(?=[ :#])(?: number)?|episodio",
            "IDNUM",
            r"(?:" + CODE + r"|\d{3} \d{3} \d{4})",
        ),
        has_digits(4),
        near=FIGURES,
        cased=False,
    ),
    rule("DNI", r"(?<![\p{L}\d.,/-])(?P<IDNUM>(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z])(?![\p{L}\d])", is_dni),
)
