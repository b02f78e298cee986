"""Replays the wire contract that the callers of this service are tested against."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.running import SERVICE, free_port

CONTRACTS = SERVICE.parent / "contracts"
EXAMPLES = sorted(path for room in ("reverse_geocode", "postcodes") for path in (CONTRACTS / room).glob("*.json"))


def assert_promised(promised: Any, given: Any) -> None:
    """Every member that is promised is given; "<any>" stands for any text."""
    if promised == "<any>":
        assert isinstance(given, str)
    elif isinstance(promised, dict):
        assert isinstance(given, dict)
        for name, value in promised.items():
            assert name in given
            assert_promised(value, given[name])
    elif isinstance(promised, list):
        assert len(promised) == len(given)
        for one, other in zip(promised, given, strict=True):
            assert_promised(one, other)
    else:
        assert promised == given


def body_of(message: dict[str, Any]) -> Any:
    return bytes.fromhex(message["body_hex"]) if "body_hex" in message else message.get("body")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_service_answers_as_the_contract_promises(
    path: Path, call: Callable[..., Any], service_provider: Callable[..., None]
) -> None:
    if path.stem == "upstream_unavailable":
        service_provider(
            PROVIDER="postcodes_io",
            POSTCODES_IO_URL=f"http://127.0.0.1:{free_port()}",
            POSTCODES_IO_CALLS_PER_SECOND=0,
            POSTCODES_IO_FIRST_BACKOFF_SECONDS=0.01,
        )
    example = json.loads(path.read_text())
    request, promised = example["request"], example["response"]

    response = call(request["method"], request["path"], body_of(request), request.get("headers"))

    assert response.status_code == promised["status"]
    for name, value in promised.get("headers", {}).items():
        assert_promised(value, response.headers[name])
    if "body_hex" in promised:
        assert response.content == body_of(promised)
    else:
        assert_promised(promised["body"], response.json())


def test_there_are_examples_to_replay() -> None:
    assert len(EXAMPLES) >= 12
