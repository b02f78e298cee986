"""What this service says of itself for the page that everybody may see."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.asking import ask, break_it
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.index_files import plain

from lookups.index.build import build
from lookups.providers.postcodes_io.search import PostcodesIo

Call = Callable[..., Any]
pytestmark = pytest.mark.django_db(transaction=True)


def told(call: Call) -> dict[str, Any]:
    answer = call("GET", "/internal/status/")
    assert answer.status_code == 200
    return dict(answer.json())


def test_it_is_for_the_gateway_only(call: Call) -> None:
    assert call("GET", "/internal/status/", headers={"X-Internal-Token": ""}).status_code == 401


def test_without_an_external_api_nothing_is_said_of_one(call: Call, settings: Any) -> None:
    settings.PROVIDER = "sandbox"
    said = told(call)
    assert said["figures"]["provider"] == "sandbox"
    assert said["figures"]["disk_free_bytes"] > 0
    assert not {"breaker", "external_api_paused_seconds", "index_postcodes"} & {*said["figures"]}
    assert said["troubles"] == []


@pytest.mark.usefixtures("long_silence")
def test_the_breaker_and_a_pause_are_told(
    call: Call, settings: Any, postcodes_io: Callable[..., PostcodesIo], upstream: FakePostcodesIo
) -> None:
    settings.PROVIDER = "postcodes_io"
    settings.POSTCODES_IO_CALLS_PER_SECOND = 1_000
    provider = postcodes_io(calls_per_second=1_000)
    ask(provider, PALACE)
    assert (told(call)["figures"]["breaker"], told(call)["troubles"]) == ("closed", [])
    break_it(provider, upstream)
    said = told(call)
    assert said["figures"]["breaker"] == "open"
    assert said["troubles"] == ["The external API does not work, and is asked again every few seconds."]
    call("POST", "/internal/upstream/close-breaker/")
    call("POST", "/internal/upstream/pause/")
    said = told(call)
    assert said["figures"]["breaker"] == "closed"
    assert 500 < said["figures"]["external_api_paused_seconds"] <= 600
    [trouble] = said["troubles"]
    assert "is left alone for a while" in trouble


def test_the_edition_of_the_index_is_told(call: Call, service_provider: Callable[..., None], tmp_path: Path) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=tmp_path)
    assert "index_postcodes" not in told(call)["figures"]
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", *PALACE)]), tmp_path)
    figures = told(call)["figures"]
    assert figures["index_postcodes"] == 1
    age = datetime.now(UTC) - datetime.fromisoformat(figures["index_built_at"])
    assert -1 <= age.total_seconds() < 60
    assert str(tmp_path) not in str(figures)
