"""What the pages of file_reader are told: where answers come from."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.index_files import plain

from lookups import providers

PATH = "/internal/data/"


@pytest.mark.parametrize("provider", ["local", "local,postcodes_io"])
def test_an_index_says_what_it_is_from_and_when_it_was_built(
    settings: Any, tmp_path: Path, build: Callable[..., str], call: Callable[..., Any], provider: str
) -> None:
    settings.PROVIDER, settings.LOCAL_INDEX = provider, tmp_path / "index"
    providers.close()
    assert call("GET", PATH).json() == {"provider": provider, "index": None}
    build(plain(tmp_path / "ONSPD_NOV_2026.csv", [("SW1A 1AA", 51.5, -0.14), ("SW1A 1AB", 51.5, -0.14)]))
    today = datetime.now(UTC).date().isoformat()
    assert call("GET", PATH).json() == {
        "provider": provider,
        "index": {"source": "ONSPD_NOV_2026.csv", "postcodes": 2, "built_on": today},
    }
    providers.close()


def test_without_an_index_there_is_the_name_of_the_provider(settings: Any, call: Callable[..., Any]) -> None:
    settings.PROVIDER = "sandbox"
    assert call("GET", PATH).json() == {"provider": "sandbox", "index": None}
