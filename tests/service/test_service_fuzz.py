"""Whatever the OpenAPI allows, and much it does not, is answered without a 5xx and as described."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

QUICK = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_a_fuzz_run_of_the_description_finds_no_server_error(served):
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis: pip install -e '.[fuzz]'")
    from schemathesis.generation import GenerationMode

    statuses: dict[str, set[int]] = {"POST": set(), "GET": set()}
    with served() as client:
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        address = str(client.base_url)

        def fuzz(operation, mode) -> None:
            @QUICK
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case):
                answer = case.call(base_url=address)
                assert answer.status_code < 500
                statuses[operation.method.upper()].add(answer.status_code)

            ask()

        for found in schema.get_all_operations():
            operation = found.ok()
            fuzz(operation, GenerationMode.POSITIVE)
            if operation.method.upper() == "POST":
                fuzz(operation, GenerationMode.NEGATIVE)
    assert statuses["GET"] == {200}
    assert {200, 422} <= statuses["POST"] <= {200, 400, 413, 415, 422}
