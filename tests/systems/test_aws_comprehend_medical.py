"""DetectPHI through boto3, against a server that speaks its protocol: offsets, chunks of bytes, labels, errors."""

from pathlib import Path

import pytest
import yaml

from deidlab.labels import LabelSet
from deidlab.systems import aws_comprehend_medical as aws
from deidlab.types import ConfigError, DataError, Document, Span

ROOT = Path(__file__).parents[2]
LABELS = LabelSet("two", ("NAME", "DATE"), "BIO")
MAP = dict.fromkeys(aws.LABELS, "O") | {"NAME": "NAME", "DATE": "DATE"}
TEXT = "naïve 😀 Ann came on 3/4."


@pytest.fixture
def keys(monkeypatch):
    pytest.importorskip("boto3", reason='boto3 is not installed: pip install -e ".[aws]"')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def system(service, **settings):
    settings = {"send_phi": True, "region": "us-east-1", "endpoint_url": service.url, "label_map": MAP, **settings}
    return aws.load(LABELS, **settings)


def detected(*found, changed=False):
    """What DetectPHI answers when it finds these in what was sent."""

    def answer(asked):
        text = asked.body["Text"]
        entities = [
            {"Id": i, "BeginOffset": text.index(quote), "EndOffset": text.index(quote) + len(quote), "Score": 0.5,
             "Text": quote.upper() if changed else quote, "Category": "PROTECTED_HEALTH_INFORMATION", "Type": label,
             "Traits": []}
            for i, (quote, label) in enumerate(found) if quote in text
        ]  # fmt: skip
        return {"body": {"Entities": entities, "ModelVersion": "0"}}

    return answer


def test_offsets_are_code_points_and_the_request_is_the_operations(service, keys):
    service.answer = detected(("Ann", "NAME"), ("3/4", "DATE"), ("came", "PROFESSION"))
    ready = system(service)
    (found,) = ready.predict([Document("n1", TEXT)])
    assert found.spans == (Span(8, 11, "NAME"), Span(20, 23, "DATE")) and found.spans[0].score == 0.5
    (asked,) = service.asked
    assert asked.headers["x-amz-target"] == "ComprehendMedical_20181030.DetectPHI" and asked.body == {"Text": TEXT}
    assert ready.usage.to_dict()["characters"] == {str(len(TEXT)): 1}
    assert ready.losses.rows() == [{"reason": "mapped_to_O", "label": "PROFESSION", "count": 1}]


def test_the_limit_is_one_of_bytes(service, keys):
    service.answer = detected(("Ann", "NAME"))
    text = "\n\n".join(f"😀😀😀 {i}: Ann came." for i in range(30))
    (found,) = system(service, chunk_bytes=40).predict([Document("long", text)])
    assert all(len(asked.body["Text"].encode()) <= 40 for asked in service.asked)
    assert len(found.spans) == 30 and {text[s.start : s.end] for s in found.spans} == {"Ann"}


def test_nothing_is_sent_unless_the_config_says_so(service):
    for consent in (False, None, "true", 1):
        with pytest.raises(ConfigError, match=r"system=aws_comprehend_medical sends .*send_phi=true"):
            system(service, send_phi=consent)
    assert service.asked == []


def test_without_the_extra_the_error_says_what_to_install(service, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[aws\]"'):
        system(service)


def error(code, status):
    return {"body": {"__type": code, "message": "Zyxomma"}, "status": status, "headers": {"x-amzn-errortype": code}}


def test_throttling_is_waited_out_and_what_persists_is_an_error_of_its_note(service, keys):
    service.replies(error("ThrottlingException", 400), {"body": {"Entities": []}})
    (found,) = system(service, attempts=2).predict([Document("n1", TEXT)])
    assert found.spans == () and found.failed is None and len(service.asked) == 2
    service.replies(error("TextSizeLimitExceededException", 400))
    with pytest.raises(DataError, match=r"n1: .* answered with TextSizeLimitExceededException") as raised:
        list(system(service).predict([Document("n1", TEXT)]))
    assert "Zyxomma" not in str(raised.value)


def test_a_refusal_is_ours_to_mend(service, keys):
    service.replies(error("AccessDeniedException", 400))
    with pytest.raises(ConfigError, match=r"refused us \(AccessDeniedException\): check credentials and region"):
        list(system(service).predict([Document("n1", TEXT)]))


def test_a_server_that_does_not_answer_is_an_error(service, keys):
    service.replies({"body": {"Entities": []}, "after": 0.5})
    with pytest.raises(DataError, match=r"did not answer \(ReadTimeoutError\)"):
        list(system(service, timeout=0.1, attempts=1).predict([Document("n1", TEXT)]))


def test_a_service_that_changes_the_text_is_an_error(service, keys):
    service.answer = detected(("Ann", "NAME"), changed=True)
    with pytest.raises(DataError, match="NAME at 8-11 states another text"):
        list(system(service).predict([Document("n1", TEXT)]))
    service.replies({"body": {"Entities": [{"Type": "NAME"}]}})
    with pytest.raises(DataError, match="an entity without type or offsets"):
        list(system(service).predict([Document("n1", TEXT)]))


def test_a_region_and_a_limit_are_needed(service, keys, monkeypatch):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(ConfigError, match="needs a region"):
        system(service, region=None)
    with pytest.raises(ConfigError, match="between 1 and 19999"):
        system(service, chunk_bytes=20_000)


@pytest.mark.parametrize("name", ["binary", "i2b2_2014", "jsl7", "stanford"])
def test_the_shipped_maps_place_every_type(service, keys, name):
    def read(file):
        content = yaml.safe_load((ROOT / "conf" / file).read_text("utf-8"))
        return {key: value for key, value in content.items() if key != "_target_"}

    settings = {**read("system/aws_comprehend_medical.yaml"), "send_phi": True, "region": "us-east-1"}
    ready = aws.load(LabelSet(**read(f"labels/{name}.yaml")), **settings)
    assert set(ready.mapping) == set(aws.LABELS)
