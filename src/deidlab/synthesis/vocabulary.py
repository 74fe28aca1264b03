"""The fine types of the synthetic corpus; `conf/labels/*.yaml` map them under `maps.synthetic`.

Two conventions of what a span is. `whole` (i2b2): a name is one span, a date and its time are two.
`parts` (Nemotron-PII): first and last name apart, date and time together as `date_time`.
Titles (Dr., Mrs.), units of age (-year-old, yo) and prefixes of identifiers (MRN, #) lie outside the spans.
"""

from __future__ import annotations

from typing import Literal

Convention = Literal["whole", "parts"]
CONVENTIONS = ("whole", "parts")

PERSONS = ("patient", "relative", "clinician", "person")
NAMES = tuple(f"{p}_name" for p in PERSONS)
PART_NAMES = tuple(f"{p}_{part}_name" for p in PERSONS for part in ("first", "last"))

FINE_TYPES = (
    *NAMES, *PART_NAMES, "username", "profession", "hospital", "department", "room", "organization",
    "street_address", "city", "state", "postcode", "county", "country", "age", "age_over_89",
    "date", "year", "date_of_birth", "date_time", "time", "phone_number", "fax_number", "email", "url", "ip_address",
    "ssn", "national_id", "medical_record_number", "health_plan_number", "account_number", "customer_id", "employee_id",
    "unique_id", "license_number", "vehicle_id", "device_id", "biometric_id",
)  # fmt: skip
