"""Identifiers other than names: what each form says of a role of the cast, with its label."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deidlab.synthesis.cast import Cast, fill_pattern
from deidlab.synthesis.facts import RELATIONS

Piece = tuple[str, str | None]
Form = Callable[[Cast, str], list[Piece]]


def _kept(what: str, label: str, make: Callable[[Cast, str], str]) -> Form:
    return lambda cast, role: [(cast.keep(role, what, lambda: make(cast, role)), label)]


def _listed(what: str, label: str, name: str) -> Form:
    """A value from a list of the role's culture."""
    return _kept(what, label, lambda cast, role: cast.listed(role, name))


def _thing(what: str, label: str, name: str) -> Form:
    """A value from a list that does not depend on culture."""
    return _kept(what, label, lambda cast, role: cast.thing(name))


def _relation(cast: Cast, role: str) -> list[Piece]:
    female, male, *_ = RELATIONS[cast.facts.relations[role]]
    return [(female if cast.gender_of(role) == "female" else male, None)]


def _address(parts: str) -> Form:
    """Street, city, s-t-ate, z-ip and what joins them, one letter each."""

    def form(cast: Cast, role: str) -> list[Piece]:
        city, state, code = cast.city(role)
        known = {
            "s": (cast.keep(role, "street", lambda: cast.listed(role, "street_forms")), "street_address"),
            "c": (city, "city"),
            "t": (state, "state"),
            "z": (code, "postcode"),
            " ": (" ", None),
            ",": (", ", None),
            "/": ("\n", None),
        }
        return [known[part] for part in parts]

    return form


def _letters(text: str) -> str:
    return "".join(ch for ch in text.lower() if ch.isalnum())


def _user(cast: Cast, role: str) -> str:
    person = cast.person(role)
    number = str(10 + int(cast.rng.random() * 90)) if cast.rng.random() < 0.5 else ""
    return _letters(person.given[:1] + person.family)[:8] + number


def _email(cast: Cast, role: str) -> str:
    person = cast.person(role)
    first, last = _letters(person.given) or "x", _letters(person.family) or "x"
    number = int(cast.rng.random() * 99)
    user = cast.rng.choice((f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{number}", f"{last}{first[0]}"))
    return f"{user}@{cast.thing('email_hosts')}"


def _url(cast: Cast, role: str) -> str:
    hospital = cast.keep(role, "name", lambda: cast.listed(role, "hospitals"))
    name = "".join(ch for ch in hospital.lower() if ch.isalnum() and ch.isascii()) or "clinic"
    forms = (
        f"www.{name}.example",
        f"https://{name}.example/portal",
        f"{name}.example.org",
        f"http://my.{name}.example",
    )
    return cast.rng.choice(forms)


def _national(cast: Cast, role: str) -> list[Piece]:
    prefix, pattern, label = cast.keep(
        role, "national", lambda: "|".join(cast.rng.choice(cast.place(role)["national_id"]))
    ).split("|")
    if cast.neutral:
        prefix, label = "National ID", "national_id"
    return [(f"{prefix}: ", None), (cast.keep(role, "national value", lambda: fill_pattern(pattern, cast.rng)), label)]


def _digits(low: int, high: int) -> Callable[[Cast, str], str]:
    return lambda cast, role: str(low + int(cast.rng.random() * (high - low)))


def _from_places(name: str) -> Callable[[Cast, str], str]:
    return lambda cast, role: cast.rng.choice(cast.place(role)[name])


_HOSPITAL = _listed("name", "hospital", "hospitals")

FORMS: Mapping[str, Form] = {
    "noun": _relation,
    "phone": _listed("phone", "phone_number", "phones"),
    "pager": _kept("pager", "phone_number", _digits(20000, 99999)),
    "ext": _kept("ext", "phone_number", _digits(1000, 9999)),
    "fax": _listed("fax", "fax_number", "phones"),
    "email": _kept("email", "email", _email),
    "user": _kept("user", "username", _user),
    "url": _kept("url", "url", _url),
    "ip": _thing("ip", "ip_address", "ip_address"),
    "mrn": _thing("mrn", "medical_record_number", "mrn"),
    "acct": _thing("acct", "account_number", "account_number"),
    "plan": _listed("plan", "health_plan_number", "health_plans"),
    "license": _thing("license", "license_number", "license_number"),
    "national": _national,
    "job": _thing("job", "profession", "professions"),
    "employer": _thing("employer", "organization", "organizations"),
    "name": _HOSPITAL,
    "NAME": lambda cast, role: [(text.upper(), label) for text, label in _HOSPITAL(cast, role)],
    "dept": _thing("dept", "department", "departments"),
    "room": _thing("room", "room", "room"),
    "street": _address("s"),
    "city": _address("c"),
    "zip": _address("z"),
    "citystate": _address("c,t"),
    "address": _address("s,c,t z"),
    "lines": _address("s/c,t z"),
    "state": _kept("bare state", "state", _from_places("states")),
    "county": _kept("county", "county", _from_places("counties")),
    "country": _kept("country", "country", _from_places("country")),
    # of the note itself, as {id.accession}
    "accession": _thing("accession", "unique_id", "unique_id"),
    "accession2": _thing("accession2", "unique_id", "unique_id"),
    "unique": _thing("unique", "unique_id", "unique_id"),
    "device": _thing("device", "device_id", "device_id"),
    "vehicle": _thing("vehicle", "vehicle_id", "vehicle_id"),
    "bio": _thing("bio", "biometric_id", "biometric_id"),
    "customer": _thing("customer", "customer_id", "customer_id"),
    "employee": _thing("employee", "employee_id", "employee_id"),
}
