"""Amazon Comprehend Medical's DetectPHI as a system, through boto3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deidlab.labels import LabelSet
from deidlab.systems.chunking import utf8_bytes
from deidlab.systems.consent import require_consent
from deidlab.systems.metering import Usage
from deidlab.systems.remote import RemoteSystem, chosen_map, stated
from deidlab.types import ConfigError, DataError, Losses, Span

# Entity types of DetectPHI, by the developer guide of Amazon Comprehend Medical.
LABELS = ("NAME", "AGE", "DATE", "ADDRESS", "PROFESSION", "PHONE_OR_FAX", "EMAIL", "ID", "URL")
# A request takes fewer than 20,000 bytes of UTF-8, by the reference of the API.
MOST_BYTES = 19_999
# What is wrong with us and not with a note, as botocore names it.
OURS = ("AccessDenied", "UnrecognizedClient", "InvalidSignature", "IncompleteSignature", "ExpiredToken", "OptIn")


@dataclass
class DetectPHI:
    """One request; offsets are Unicode code points, as Python's are."""

    client: Any = field(repr=False)
    usage: Usage

    def __call__(self, text: str) -> tuple[list[Span], Losses]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            answer = self.client.detect_phi(Text=text)
        except NoCredentialsError:
            raise ConfigError("system=aws_comprehend_medical found no credentials: see boto3's guide") from None
        except ClientError as error:  # its message may quote the request
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if code.startswith(OURS):
                raise ConfigError(f"Comprehend Medical refused us ({code}): check credentials and region") from None
            raise DataError(f"Comprehend Medical answered with {code}") from None
        except BotoCoreError as error:
            raise DataError(f"Comprehend Medical did not answer ({type(error).__name__})") from None
        self.usage.add(len(text))
        entities = answer.get("Entities")
        if entities is None:
            raise DataError("Comprehend Medical answered without entities")
        return [span_of(text, entity) for entity in entities], Losses("count")


def span_of(text: str, entity: Mapping[str, Any]) -> Span:
    try:
        start, end, label = int(entity["BeginOffset"]), int(entity["EndOffset"]), str(entity["Type"])
    except (KeyError, TypeError, ValueError):
        raise DataError("Comprehend Medical answered with an entity without type or offsets") from None
    return stated(text, start, end, entity.get("Text"), label, entity.get("Score"))


def load(
    labels: LabelSet,
    send_phi: bool = False,
    region: str | None = None,
    endpoint_url: str | None = None,
    label_maps: Mapping[str, Mapping[str, str]] | None = None,
    label_map: Mapping[str, str] | None = None,
    chunk_bytes: int = MOST_BYTES,
    concurrency: int = 4,
    timeout: float = 60.0,
    attempts: int = 5,
    on_error: str = "raise",
) -> RemoteSystem:
    """DetectPHI of a region, with boto3's own way to find credentials.

    Raises `ConfigError` before anything is sent unless `send_phi` is true, without boto3, and without a region.
    """
    require_consent(send_phi, "aws_comprehend_medical", endpoint_url or "Amazon Web Services")
    if not 1 <= chunk_bytes <= MOST_BYTES:
        raise ConfigError(f"system.chunk_bytes={chunk_bytes}; expected between 1 and {MOST_BYTES}")
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import NoRegionError
    except ImportError:
        raise ConfigError('system=aws_comprehend_medical needs boto3: pip install -e ".[aws]"') from None
    settings = Config(
        retries={"max_attempts": attempts, "mode": "standard"},
        connect_timeout=timeout,
        read_timeout=timeout,
        max_pool_connections=max(concurrency, 1),
    )
    try:
        client = boto3.client("comprehendmedical", region_name=region, endpoint_url=endpoint_url, config=settings)
    except NoRegionError:
        raise ConfigError("system=aws_comprehend_medical needs a region: system.region=us-east-1, say") from None
    usage = Usage()
    mapping = chosen_map(labels, LABELS, "aws_comprehend_medical", label_maps, label_map)
    return RemoteSystem(
        "aws_comprehend_medical", labels, DetectPHI(client, usage), mapping, chunk_bytes, utf8_bytes, concurrency,
        losses=Losses(on_error), usage=usage,  # type: ignore[arg-type]
    )  # fmt: skip
