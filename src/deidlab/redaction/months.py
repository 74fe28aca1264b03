"""Names of months and weekdays in English and Spanish, as notes write them."""

from __future__ import annotations

from typing import NamedTuple

_FULL = {
    "en": "january february march april may june july august september october november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_SHORT = {
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
}
_VARIANTS = {"sept": ("", "short", 9), "set": ("es", "short", 9), "setiembre": ("es", "full", 9)}
_WEEKDAYS = {
    ("en", "full"): "monday tuesday wednesday thursday friday saturday sunday",
    ("es", "full"): "lunes martes miércoles jueves viernes sábado domingo",
    ("en", "short"): "mon tue wed thu fri sat sun",
    ("es", "short"): "lun mar mié jue vie sáb dom",
}
_WEEKDAY_VARIANTS = {"tues": ("en", "short", 1), "weds": ("en", "short", 2), "thur": ("en", "short", 3),
                     "thurs": ("en", "short", 3),
                     "miercoles": ("es", "full", 2), "sabado": ("es", "full", 5)}  # fmt: skip


class Named(NamedTuple):
    """A name read: its language ("" where two share it), `full` or `short`, and its number."""

    language: str
    form: str
    number: int


def _table(forms: dict, variants: dict, first: int) -> dict[str, Named]:
    table: dict[str, Named] = {}
    for (language, form), names in forms.items():
        for number, name in enumerate(names.split(), first):
            shared = name in table
            if not (shared and form == "short" and table[name].form == "full"):
                table[name] = Named("" if shared and table[name].language != language else language, form, number)
    return {**table, **{name: Named(*value) for name, value in variants.items()}}


MONTHS = _table(
    {**{(k, "full"): v for k, v in _FULL.items()}, **{(k, "short"): v for k, v in _SHORT.items()}}, _VARIANTS, 1
)
# `mar` is March far more often than it is martes.
WEEKDAYS = {k: v for k, v in _table(_WEEKDAYS, _WEEKDAY_VARIANTS, 0).items() if k not in MONTHS}


def month_like(model: str, month: int, language: str) -> str:
    """The name of a month in the language, form and casing of another; `language` decides where `model` does not."""
    read = MONTHS[model.casefold()]
    spoken = read.language or language
    names = _FULL if read.form == "full" else _SHORT
    return _cased(model, names[spoken].split()[month - 1])


def weekday_like(model: str, weekday: int) -> str:
    """The name of a weekday (0 is Monday) in the language, form and casing of another."""
    read = WEEKDAYS[model.casefold()]
    return _cased(model, _WEEKDAYS[read.language, read.form].split()[weekday])


def _cased(model: str, name: str) -> str:
    return name.upper() if model.isupper() else name.capitalize() if model[0].isupper() else name
