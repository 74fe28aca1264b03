"""Names of people, where a title, a degree or the name of a field announces them.

A title and a degree are no part of the name. Eponyms (Parkinson, Foley) have neither and stay.
"""

from __future__ import annotations

from deidlab.rules.pattern import Rule, rule
from deidlab.rules.words import WORDS

DEGREES = (
    r"(?:M\.?D\.?|D\.?O\.?|Ph\.?D\.?|M\.?B\.?B\.?S\.?|R\.?N\.?|L\.?P\.?N\.?|N\.?P\.?|P\.?A\.?-?C|PA|CNM|CRNA|"
    r"APRN|ARNP|FNP|"
    r"DDS|DMD|DPM|PharmD|Psy\.?D|LCSW|LICSW|MSW|OTR/L|OTR|DPT|PT|RD|CCC-SLP|FACS|FACP|FACC|FRCS)"
)
STOP = r"(?!(?i:\L<stop>)(?!['’\p{L}]))"
WORD = STOP + r"\p{Lu}(?:\p{L}{0,3}['’-])?\p{L}{0,3}\p{Ll}\p{L}{0,24}+(?:-\p{L}{2,24}+|['’]\p{Lu}\p{L}{1,24}+){0,3}+"
CAPITALS = STOP + r"\p{Lu}(?:['’-]?\p{Lu}){1,24}+(?![\p{L}\d])"
INITIAL = r"\p{Lu}\.(?:-?\p{Lu}\.){0,2}"
LINKED = r"␣{1,2}(?:\L<particles>␣{1,2}){0,2}"
MIXED = r"(?:" + WORD + r"|M[ªa](?=␣\p{Lu})|" + INITIAL + r"(?=␣{0,2}\p{Lu}))"
FULL = MIXED + r"(?:" + LINKED + MIXED + r"|(?<=\.)" + MIXED + r"|␣\p{Lu}(?=␣\p{Lu}\p{Ll})){0,4}"
AFTER_TITLE = r"(?:\L<particles>␣{1,2}){0,2}" + FULL  # Dr. de la Cruz
SHOUTED = r"(?:" + INITIAL + r"␣?){0,2}" + CAPITALS
LAST_FIRST = (
    r"(?:"
    + CAPITALS
    + r"|"
    + WORD
    + r"(?:[ -]"
    + WORD
    + r")?),␣{0,2}(?:"
    + CAPITALS
    + r"|"
    + WORD
    + r")(?:␣\p{Lu}(?!\p{L})\.?)?"
)
PHYSICIAN_TITLE = r"(?:Drs?|Dras?|Prof|Doctora?|Professor|DR|DRA)(?:[.:]|(?=␣))"
TITLE = r"(?:(?:" + PHYSICIAN_TITLE + r"|Mrs?\.?|Ms\.?|Miss|Don|Dña\.?|D\.)␣{0,2}){0,2}"
LISTS = {"stop": WORDS["not_names"], "particles": WORDS["particles"]}
BEFORE = r"(?<![\p{L}\d'’-])"

RULES: tuple[Rule, ...] = (
    rule(
        "doctor",
        BEFORE + PHYSICIAN_TITLE + r"␣{0,2}(?P<DOCTOR>" + AFTER_TITLE + r"|" + SHOUTED + r")"
        r"(?:(?:,| and| y|,? &|,? and)␣(?:Drs?\.?␣)?(?P<DOCTOR>" + FULL + r")(?![\p{L}\d]))?",
        **LISTS,
    ),
    rule(
        "doctors",
        BEFORE + r"(?:Drs|DRS|Dres|Doctors)\.?␣{1,2}(?P<DOCTOR>" + AFTER_TITLE + r")"
        r"(?:(?:,?␣(?:and|y|&)|,)␣(?P<DOCTOR>" + AFTER_TITLE + r")(?![\p{L}\d])){1,5}",
        **LISTS,
    ),
    rule(
        "Mr and Mrs",
        BEFORE + r"(?:Mrs|Mr|Ms|Miss|Mx|Sra|Sr|Srta|Dña|Rev|Señora?)(?:\.|(?=␣))␣{0,2}"
        r"(?P<PATIENT>" + AFTER_TITLE + r"|(?<=\.␣{0,2})" + SHOUTED + r")",
        **LISTS,
    ),
    rule("MR. AND MRS.", BEFORE + r"(?:MRS|MR|MS)\.␣{0,2}(?P<PATIENT>" + SHOUTED + r")", **LISTS),
    rule(
        "degree",
        BEFORE + r"(?P<DOCTOR>" + FULL + r"|(?:" + SHOUTED + r")(?:␣" + CAPITALS + r")?)(?<=[ .]\p{L}{2,30}|(?=,))"
        r",?␣{1,2}" + DEGREES + r"(?![\p{L}\d]|␣\d{5})",
        near=r"(?<=[ \t\u00a0])" + DEGREES + r"(?![\p{L}\d])",
        **LISTS,
    ),
    rule(
        "signature",
        r"(?<!\p{L})(?i:\L<cues>):?(?<=[:y]|por)␣{0,3}"
        + TITLE
        + r"(?P<DOCTOR>"
        + FULL
        + r"|(?<=:[ \t]{0,3})"
        + SHOUTED
        + r"(?:␣"
        + CAPITALS
        + r")?)",
        near=r":|(?i:(?:d by|o por)\b)",
        cues=WORDS["cues"],
        **LISTS,
    ),
    rule(
        "name field",
        r"^\ufeff?[ \t]{0,60}+(?i:patient(?: name)?|pt(?: name)?|name|nombre(?: y apellidos)?(?: del paciente)?|"
        r"apellidos|paciente)"
        r"[ \t]{0,4}:[ \t]{0,60}+"
        + TITLE
        + r"(?P<PATIENT>(?:"
        + LAST_FIRST
        + r"|"
        + FULL
        + r"|"
        + SHOUTED
        + r"(?:␣"
        + CAPITALS
        + r")?))",
        **LISTS,
    ),
)
