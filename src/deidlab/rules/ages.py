"""Ages of people. In English the number alone, as the i2b2 guidelines mark it; in Spanish with its unit (MEDDOCAN)."""

from __future__ import annotations

from deidlab.rules.pattern import Rule, rule
from deidlab.rules.words import WORDS

WRITTEN = [
    *WORDS["units"],
    *WORDS["teens"],
    *WORDS["tens"],
    *(f"{ten}{join}{unit}" for ten in WORDS["tens"] for unit in WORDS["units"] for join in "- "),
]
YEARS = r"(?<![\p{L}\d.,/-])(?P<AGE>1[0-2]\d|[1-9]?\d)"
ADJECTIVES = r"(?:(?:old|aged|healthy|elderly)␣)?"
PERSON = r"(?:varón|mujer|hombre|niñ[oa]|paciente|lactante|adolescente|joven|señora?|enferm[oa]|neonato|anciano|a)"
EDAD = (
    r"(?P<AGE>(?:\d{1,3}|\L<numeros>)(?: y \L<numeros>)?␣{1,2}(?:años|año|meses|mes|d[ií]as|semanas)"
    r"(?: y (?:medio|(?:\d{1,2}|\L<numeros>) (?:meses|mes|d[ií]as)))?)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "years old",
        YEARS + r"(?:␣{0,2}|-)(?:years?|yrs?|y|months?|mos?|weeks?|wks?|days?)\.?(?:␣|-|/){0,2}"
        r"(?:of␣age|o(?:ld)?(?!\p{L})|\.?o\.)",
        near=r"\d{1,3}[ \t-]{0,2}(?i:[ymwd])",
        cased=False,
    ),
    rule("y/o", YEARS + r"(?:␣|-)?(?:y/?o|yro|yr/o)(?![\p{Ll}])", cased=False),
    rule(
        "written age",
        r"(?<!\p{L})(?P<AGE>\L<written>)(?:␣|-)(?:years?|months?|weeks?|days?)(?:␣|-)(?:old|of age)",
        near=r"(?i:[ -]old|of age)",
        cased=False,
        written=WRITTEN,
    ),
    rule(
        # "54F s/p ..." and "72M c/o ...", not a temperature.
        "age and sex",
        r"(?<![\p{L}\d.,/:-])(?<!temp )(?<!T )(?P<AGE>[1-9]\d?)␣?-?(?:M|F|[Mm]ale|[Ff]emale)(?=␣(?:w/|with|c/o|"
        r"s/p|p/w|presents|presenting|here|who|admitted|hx|h/o|PMH|G\d|in for|comes|is|was)(?!\p{L}))",
    ),
    rule(
        "aged",
        r"(?<!\p{L})(?:aged?(?: of|/sex|/gender)?|age is)␣{0,3}[:=]?␣{0,3}"
        r"(?P<AGE>(?:1[0-2]\d|[1-9]?\d)(?:\.\d(?=␣?(?:years|yrs|y)))?)"
        # "ages 2 to 5" is a range of others; "aged 5 cm" is none
        + r"(?![\d\p{L}%]|[.,/-]\d|␣?(?:cm|mm|mg|años|meses|días|weeks gestation))",
        cased=False,
    ),
    rule(
        "decade",
        r"(?<!\p{L})(?:his|her|their)(?: early| late| mid)?[ -](?P<AGE>[1-9]0['’]?s|\L<decades>)(?!\p{L})",
        cased=False,
        decades=WORDS["decades"],
    ),
    rule(
        "person is",
        r"(?<!\p{L})(?:[Hh]e|[Ss]he|[Pp]t|[Pp]atient|[Mm]other|[Ff]ather|[Mm]om|[Dd]ad|[Ww]ife|[Hh]usband)"
        r"␣(?:is|was|turned|just turned)␣(?:now )?(?P<AGE>1[01]\d|[1-9]\d)(?=[.,;]?(?:\s|$))"
        r"(?!␣(?:%|cm|kg|lbs?|pounds|inches|minutes|weeks|days|months|hours|percent|bpm|mg|feet|pack|wk|by|on|to))",
    ),
    rule(
        "turned",
        r"(?<!\p{L})turned␣(?P<AGE>[5-9]\d|1[01]\d)(?=[.,;]?(?:\s|$))(?!␣(?:%|degrees|times|cm|feet|percent|minutes))",
        cased=False,
    ),
    rule("edad", r"(?<!\p{L})edad␣{0,2}:?␣{0,3}" + EDAD, cased=False, numeros=WORDS["numeros"]),
    rule(
        "edad en cifras",
        r"(?<!\p{L})[Ee]dad:␣{0,3}(?P<AGE>\d{1,3}(?: [aA](?= ))?)(?=[.,]|␣{0,3}(?:Sexo|\r?$))",
    ),
    rule(
        "persona de N años",
        r"(?<!\p{L})"
        + PERSON
        + r"(?:␣\p{L}{1,20}){0,2},?␣de␣"
        + EDAD
        + r"(?!\p{L})(?! (?:de (?:evoluci|duraci|hist)|antes|después|previ))",
        near=r"(?i:años?|mes(?:es)?|d[ií]as|semanas)(?!\p{L})",
        cased=False,
        numeros=WORDS["numeros"],
    ),
    rule(
        "N años de edad",
        r"(?<![\p{L}\d.,/-])" + EDAD + r" de (?:edad|vida)(?!\p{L})",
        near=r"de (?:edad|vida)",
        cased=False,
        numeros=WORDS["numeros"],
    ),
)
