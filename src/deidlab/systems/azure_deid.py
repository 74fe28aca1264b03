"""Microsoft's two services for identifiers in text as systems: Health de-identification, and PII of Azure Language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deidlab.labels import LabelSet
from deidlab.systems.consent import require_consent
from deidlab.systems.endpoint import Endpoint, secret
from deidlab.systems.metering import Usage
from deidlab.systems.remote import RemoteSystem, chosen_map, stated
from deidlab.types import ConfigError, DataError, Losses, Span

# The values of PhiCategory in Microsoft's client libraries (read 2026-11); PII's are many and change: see `other`.
DEID_LABELS = (
    "Unknown", "Account", "Age", "BioID", "City", "CountryOrRegion", "Date", "Device", "Doctor", "Email", "Fax",
    "HealthPlan", "Hospital", "IDNum", "IPAddress", "License", "LocationOther", "MedicalRecord", "Organization",
    "Patient", "Phone", "Profession", "SocialSecurity", "State", "Street", "Url", "Username", "Vehicle", "Zip",
)  # fmt: skip
DEID_VERSION, LANGUAGE_VERSION = "2024-11-15", "2023-04-01"
# What is sent at once. Microsoft's reference of 2024-11-15 takes 48,000 characters without saying of which unit: 12,000
# code points are at most 48,000 in all of them. For Azure Language 5,120 text elements is our assumption, which its
# documentation that we could read does not confirm; code points are never fewer. A service that refuses says so.
MOST_CHARACTERS = {"deid": 12_000, "language": 5_120}


@dataclass
class Tag:
    """The operation Tag of Azure Health Data Services' de-identification service; offsets come in three units."""

    endpoint: Endpoint
    usage: Usage

    def __call__(self, text: str) -> tuple[list[Span], Losses]:
        body = {"operation": "Tag", "inputText": text}
        answer = self.endpoint.post("/deid", body, {"api-version": DEID_VERSION})
        self.usage.add(len(text))
        found = []
        for entity in listed(answer, "taggerResult", "entities"):
            try:
                start = int(entity["offset"]["codePoint"])
                end = start + int(entity["length"]["codePoint"])
                found.append(stated(text, start, end, entity.get("text"), str(entity["category"]), score_of(entity)))
            except (KeyError, TypeError, ValueError) as error:
                raise strange(error) from None
        return found, Losses("count")


@dataclass
class Pii:
    """PII recognition of Azure Language, asked for code points and for no log of what it is sent."""

    endpoint: Endpoint
    usage: Usage
    language: str = "en"
    domain: str = "phi"

    def __call__(self, text: str) -> tuple[list[Span], Losses]:
        body = {
            "kind": "PiiEntityRecognition",
            "parameters": {"domain": self.domain, "stringIndexType": "UnicodeCodePoint", "loggingOptOut": True},
            "analysisInput": {"documents": [{"id": "1", "language": self.language, "text": text}]},
        }
        answer = self.endpoint.post("/language/:analyze-text", body, {"api-version": LANGUAGE_VERSION})
        self.usage.add(len(text))
        documents = listed(answer, "results", "documents")
        if len(documents) != 1:  # what it could not process stands under `errors`
            raise DataError("the service did not process the text")
        found = []
        for entity in listed(documents[0], "entities"):
            try:
                start = int(entity["offset"])
                end = start + int(entity["length"])
                found.append(stated(text, start, end, entity.get("text"), str(entity["category"]), score_of(entity)))
            except (KeyError, TypeError, ValueError) as error:
                raise strange(error) from None
        return found, Losses("count")


def listed(answer: Any, *path: str) -> list[Any]:
    """The list at a path of an answer; raises `DataError` when it is not there: nothing said is not "none found"."""
    for key in path:
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(answer, list):
        raise DataError(f"the service answered without {'.'.join(path)}")
    return answer


def score_of(entity: Mapping[str, Any]) -> Any:
    return entity.get("confidenceScore")


def strange(error: Exception) -> DataError:
    """A `DataError` stays what it is; any other says that an entity is not what it should be."""
    if isinstance(error, DataError):
        return error
    return DataError("the service answered with an entity without category or offsets")


def load(
    base_url: str | None,
    labels: LabelSet,
    service: str = "deid",
    send_phi: bool = False,
    key_variable: str | None = None,
    language: str | None = None,
    other: str | None = None,
    label_maps: Mapping[str, Mapping[str, str]] | None = None,
    label_map: Mapping[str, str] | None = None,
    chunk_characters: int | None = None,
    concurrency: int = 4,
    per_minute: float | None = None,
    timeout: float = 60.0,
    attempts: int = 5,
    pause: float = 1.0,
    on_error: str = "raise",
) -> RemoteSystem:
    """One of the two services (`service`: deid or language) at the URL of your resource.

    `key_variable` names the environment variable with the access token (deid) or the key (language). `other` is what a
    category without a place in the map becomes (null: counted and dropped). Raises `ConfigError` before anything is
    sent unless `send_phi` is true.
    """
    require_consent(send_phi, "azure_deid", base_url or "Microsoft Azure")
    if not base_url:
        raise ConfigError("system=azure_deid needs system.base_url=https://... of your resource")
    if service not in MOST_CHARACTERS:
        raise ConfigError(f"system.service is {service!r}; expected deid or language")
    most = MOST_CHARACTERS[service]
    limit = most if chunk_characters is None else chunk_characters
    if not 1 <= limit <= most:
        raise ConfigError(f"system.chunk_characters={limit}; service {service} takes between 1 and {most}")
    if other is not None and other not in (*labels.types, "O"):
        raise ConfigError(f"system.other={other} is no type of {labels.name} ({', '.join(labels.types)})")
    key = secret(key_variable, "azure_deid")
    usage = Usage()
    ask: Tag | Pii
    if service == "deid":
        if language:
            raise ConfigError(f"system.language={language}: version {DEID_VERSION} of service deid takes no language")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        ask = Tag(Endpoint(base_url, headers, timeout, attempts, pause, per_minute=per_minute), usage)
        mapping = chosen_map(labels, DEID_LABELS, "azure_deid", label_maps, label_map)
    else:
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        ask = Pii(Endpoint(base_url, headers, timeout, attempts, pause, per_minute=per_minute), usage, language or "en")
        known = {**(label_maps or {}).get(f"{labels.name}_language", {}), **(label_map or {})}
        mapping = chosen_map(labels, tuple(known), "azure_language", None, known)
    return RemoteSystem(
        f"azure_{service}", labels, ask, mapping, limit, concurrency=concurrency, other=other,
        losses=Losses(on_error), usage=usage,  # type: ignore[arg-type]
    )  # fmt: skip
