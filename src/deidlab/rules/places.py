"""Addresses, postcodes, hospitals and countries."""

from __future__ import annotations

import regex

from deidlab.rules.pattern import Rule, rule
from deidlab.rules.words import WORDS

PROPER = r"\p{Lu}[\p{L}'’&-]{1,24}+"
CAPITALISED = r"(?:\p{Lu}[\p{L}'’&-]{1,24}+|St\.)"
WORDY_CODES = frozenset(("IN", "OR", "OK", "ME", "HI", "ID"))
GENERIC = frozenset(WORDS["generic"])
DE = r"(?:␣(?:de|del|la|el|los|las|y|e|i)){0,3}"


def has_a_name(match: regex.Match) -> bool:
    """Whether an institution has a name of its own beside generic words."""
    return any(word.strip(".,") not in GENERIC for word in match["HOSPITAL"].split()[:-1])


def spelled_ends(words: list[str]) -> list[str]:
    """Words as they are and in capitals; CT is a scan."""
    return [*words, *(word.upper() for word in words if word != "Ct")]


def is_a_place(match: regex.Match) -> bool:
    """Whether a State's code stands for it: IN 10000 and OK 25000 are words and figures unless a city stands before."""
    return match["CITY"] is not None or match["STATE"] not in WORDY_CODES


RULES: tuple[Rule, ...] = (
    rule(
        "street",
        r"(?<![\d\p{L}.,/-])(?P<STREET>\d{1,6}(?:-\d{1,4}|[A-D])?␣{1,2}(?:[NSEW]{1,2}\.?␣{1,2})?"
        r"(?:(?:\p{Lu}[\p{L}'’-]{1,24}+|\d{1,3}(?:st|nd|rd|th))\.?␣{1,2}){1,4}?(?:\L<streets>)(?![\p{L}\d])\.?"
        r"(?:,?␣{1,2}(?:Apt|Apartment|Suite|Ste|Unit|#)\.?␣{0,2}#?[\p{L}\d-]{1,6})?)(?<!␣)",
        streets=spelled_ends(WORDS["streets"]),
    ),
    rule("post box", r"(?<!\p{L})(?P<STREET>P\.?␣?O\.?␣?Box␣#?\d{1,7})", cased=False),
    rule(
        "city, state and ZIP",
        r"(?<!\p{L})(?:(?P<CITY>" + CAPITALISED + r"(?:␣" + CAPITALISED + r"){0,2}),?␣{1,2})?"
        r"(?P<STATE>\L<codes>|\L<states>),?␣{1,3}(?P<ZIP>\d{5}(?:-\d{4})?)(?![\d\p{L}])",
        is_a_place,
        near=r"\d{5}",
        codes=WORDS["state_codes"],
        states=WORDS["states"],
    ),
    rule(
        "city and state",
        r"(?<!\p{L})(?P<CITY>" + CAPITALISED + r"(?:␣" + CAPITALISED + r"){0,2}),␣(?P<STATE>\L<states>)(?!\p{L})",
        states=WORDS["states"],
    ),
    rule(
        "ZIP after a cue",
        r"(?<!\p{L})(?:ZIP(?: ?code)?|postal code|postcode)[: ]{1,3}(?P<ZIP>\d{5}(?:-\d{4})?)(?!\d)",
        cased=False,
    ),
    rule(
        "British postcode",
        r"(?<![\p{L}\d])(?P<ZIP>[A-Z]{1,2}\d[A-Z\d]? \d(?!CM|MM|MG|ML|ST|ND|RD|TH)[ABD-HJLNP-UW-Z]{2})(?![\p{L}\d])",
        lambda match: len(match["ZIP"]) > 6 or match["ZIP"][0] not in "TLCSMN",  # T4 2MX and L4 5NB are no places
    ),
    rule(
        "hospital",
        r"(?<![\p{L}\d'’-])(?P<HOSPITAL>"
        + CAPITALISED
        + r"(?:␣(?:"
        + CAPITALISED
        + r"|of|and|for|&|the)){0,5}?␣(?:Hospitals?(?!␣(?:(?:de|del)(?!\p{L})|(?!\L<after>(?!\p{L}))"
        r"\p{Lu}\p{Ll}))|Medical Cent(?:er|re)|Health Cent(?:er|re)|Health System|Healthcare|Infirmary|Hospice|"
        r"Nursing Home|"
        r"Rehabilitation Cent(?:er|re)|Clinic|VAMC)(?:␣(?:of|for)(?:␣the)?(?:␣" + CAPITALISED + r"){1,3})?)(?!\p{L})",
        has_a_name,
        after=WORDS["after_hospital"],
    ),
    rule(
        "hospital en español",
        r"(?<!\p{L})(?P<HOSPITAL>(?:Hospital|Complejo Hospitalario|Complexo Hospitalario|Policlínica|"
        r"Clínica(?! [ye] )|Fundación Hospital)"
        r"(?:" + DE + r"␣(?!(?i:\L<streetwords>)(?!\p{L}))(?:\p{Lu}[\p{L}'’-]{1,24}+|12|"
        r"\"\p{Lu}\p{L}{1,20}(?: \p{Lu}\p{L}{1,20})?\")){1,6}+)(?!,?␣(?:s/n|\d))",
        streetwords=WORDS["before_street"],
    ),
    rule(
        "centro de salud",
        r"(?<!\p{L})(?P<HOSPITAL>(?:Centro de Salud|Centro Médico|C\.S\.)(?:" + DE + "␣" + PROPER + r"){1,4}+)",
    ),
    rule(
        "calle",
        r"(?<![\p{L}\d])(?P<STREET>(?:C/\.?|(?:Calle|Avenida|Avda|Avd|Av|Plaza|Pza|Pl|Paseo|Pº|Ctra|Carretera|"
        r"Rúa|Ronda|Urb|Travesía|Camino|Carrer|Glorieta)"
        r"(?:\.|,|\b)(?!\.\.))␣{0,2}(?:(?:de|del|la|el|los|las|d'|y|i|a|da|do|San|Santa|Nº|nº|N°|"
        + r"\p{Lu}[\p{L}.'’ºª-]{0,24}+)␣{1,2}|\p{Lu}[\p{L}.'’ºª-]{0,24}+,?␣?)"
        r"{1,7}+,?␣{0,2}(?:[nN][º°úo.]{0,2}(?:mero)?␣{0,2})?(?:\d{1,4}(?:[-/]\d{1,4})?|s/n)"
        r"(?!\d)(?:,␣?(?:\d{1,2}[ºª°]?(?!\d)␣?[A-Z]?(?!\p{L})|[A-Z](?!\p{L})|\p{L}{3,4}\.?(?=,)|"
        r"[Bb]ajo(?: [A-Z](?!\p{L}))?)){0,3}(?:␣?-␣?\d{1,2}[ºª°o](?:␣?[A-Z](?!\p{L}))?)?)",
    ),
    rule(
        "domicilio",
        r"^[ \t]{0,60}+(?:Domicilio|Dirección)[ \t]{0,4}:[ \t]{0,60}+"
        r"(?P<STREET>[^\r\n]{2,100}?[^\r\n. \t])[. \t]{0,60}\r?$",
    ),
    rule(
        "localidad",
        r"^[ \t]{0,60}+(?:Localidad(?:/ ?Provincia)?|Provincia|Población|Municipio)"
        r"[ \t]{0,4}:[ \t]{0,60}+(?P<CITY>\p{Lu}[^\r\n,.]{0,60}?[^\r\n,. \t])"
        r"(?:, ?(?P<CITY>\p{Lu}[^\r\n,.]{0,60}?[^\r\n,. \t]))?[. \t]{0,60}\r?$",
    ),
    rule("CP", r"(?<!\p{L})(?:CP|C\.P\.|Código Postal)[ \t]{0,2}:?[ \t]{0,3}(?P<ZIP>(?:E-)?\d{5})(?!\d)"),
    rule(
        "código y ciudad",
        r"(?<![\d\p{L}.,/#-])(?P<ZIP>(?:E-)?(?:0[1-9]|[1-4]\d|5[0-2])\d{3})(?:,?␣|␣-␣)"
        r"(?P<CITY>\p{Lu}\p{Ll}{2,20}(?:(?:␣(?:de|del|la|el|los|las)){0,2}␣(?!(?:Tel|Telf|Tfno|Tlf|Fax|España|"
        r"Spain|Email|Correo)(?!\p{L}))\p{Lu}\p{Ll}{2,20}){0,3})"
        r"(?=[,.;(\r\n-]|␣[(-]|␣(?:España|Tel|Fax|E-?mail|Correo))"
        r"(?:,?␣?\((?P<CITY>\p{Lu}\p{Ll}{2,20}(?: \p{Lu}\p{Ll}{2,20})?)\))?",
        near=r"\d{5}",
        guard=lambda match: not set(match.captures("CITY")) & {"España"},
    ),
)

COUNTRIES: tuple[Rule, ...] = (
    rule("country", r"(?=\p{Lu})(?<![\p{L}-])(?P<COUNTRY>\L<countries>)(?![\p{L}-])", countries=WORDS["countries"]),
)
