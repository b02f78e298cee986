"""Is the service ready? It says what is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tests.fake_postcodes_io import PALACE
from tests.index_files import plain

from lookups.index.build import build

Call = Callable[..., Any]


@pytest.mark.django_db
def test_the_service_is_ready_with_a_migrated_database(call: Call) -> None:
    response = call("GET", "/readyz", headers={"X-Internal-Token": ""})
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db(transaction=True)
def test_the_service_is_not_ready_before_the_migrations(call: Call) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("lookups", None)])
    try:
        response = call("GET", "/readyz")
    finally:
        executor.loader.build_graph()
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert response.status_code == 503
    count = len([name for app, name in executor.loader.disk_migrations if app == "lookups"])
    assert response.json() == {"status": "not ready", "missing": {"database": f"{count} migrations are not applied"}}


@pytest.mark.django_db
def test_the_service_is_not_ready_without_its_index_and_says_how_to_make_it(
    call: Call, service_provider: Callable[..., None], tmp_path: Path
) -> None:
    service_provider(PROVIDER="local,postcodes_io", LOCAL_INDEX=tmp_path)
    response = call("GET", "/readyz")
    assert response.status_code == 503
    assert "manage.py build_index FILE" in response.json()["missing"]["index"]
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", *PALACE)]), tmp_path)
    assert call("GET", "/readyz").json() == {"status": "ready"}


@pytest.mark.django_db
def test_an_index_that_nobody_uses_may_be_missing(
    call: Call, service_provider: Callable[..., None], tmp_path: Path
) -> None:
    service_provider(PROVIDER="sandbox", LOCAL_INDEX=tmp_path)
    assert call("GET", "/readyz").json() == {"status": "ready"}


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_to_is_missing(call: Call, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "nowhere"
    assert call("GET", "/readyz").json()["missing"] == {"data_dir": "DATA_DIR cannot be written to"}
