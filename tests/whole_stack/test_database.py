"""The database drops its connections, or is away for a while, in the middle of the work."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from country import csv_of
from postcodes_io import RunningPostcodesIo
from private_postgres import private_postgres
from stack import Stack, check_result, running_stack, wait_for

#: Far more than the test takes: whoever waits for a lease to run out is too late.
LEASE_SECONDS = 600
TROUBLE = "database trouble"


def settings(upstream: RunningPostcodesIo) -> dict[str, str]:
    return {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "200",
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "WORKERS": "2",
    }


def drop_connections(url: str) -> int:
    """Ends every connection to that database; returns how many there were."""
    connection = psycopg2.connect(os.environ["TEST_POSTGRES_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s",
            [urlsplit(url).path.lstrip("/")],
        )
        dropped = cursor.fetchone()[0]
    connection.close()
    return int(dropped)


@pytest.mark.parametrize("databases", ["PostgreSQL"], indirect=True)
def test_fault_07_connections_that_are_dropped_do_not_stop_the_work(
    tmp_path: Path, upstream: RunningPostcodesIo, databases: dict[str, str]
) -> None:
    content = csv_of(4_000)
    upstream.fail(latency_ms=40)  # so that there is always something in flight
    with running_stack(tmp_path, **settings(upstream), **databases) as stack:
        upload = stack.upload(content)
        for share in (0.2, 0.4, 0.6):
            stack.wait(upload, lambda seen, share=share: seen["progress"] >= share, f"{share:.0%} are done")
            assert drop_connections(databases["FILE_READER_DATABASE_URL"]) > 0
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        assert TROUBLE in stack.log.read_text()


def test_fault_07_a_database_that_is_stopped_at_once_and_comes_back_costs_nothing_but_time(
    tmp_path: Path, upstream: RunningPostcodesIo
) -> None:
    content = csv_of(4_000)
    upstream.fail(latency_ms=40)
    with private_postgres() as server, running_stack(tmp_path, **settings(upstream), **server.databases) as stack:
        upload = stack.upload(content)
        for share in (0.2, 0.5):
            stack.wait(upload, lambda seen, share=share: seen["progress"] >= share, f"{share:.0%} are done")
            server.stop()
            troubles = stack.log.read_text().count(TROUBLE)
            assert_calls_are_answered_with_a_problem(stack, upload, content)
            # Both workers have noticed, and one of them has tried again in vain.
            wait_for(lambda before=troubles: stack.log.read_text().count(TROUBLE) >= before + 3, "they notice")
            server.start()
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        uploads = stack.call("GET", "/api/v1/uploads/").json()["results"]
        assert [each["id"] for each in uploads] == [upload["id"]]


def assert_calls_are_answered_with_a_problem(stack: Stack, upload: dict[str, Any], content: bytes) -> None:
    look = lambda: stack.call("GET", upload["links"]["self"], timeout=10)  # noqa: E731
    wait_for(lambda: look().status_code >= 500, "what was said a moment ago is said no more")
    answers = [
        look(),
        stack.call("GET", "/api/v1/uploads/", timeout=10),
        stack.call("POST", "/api/v1/uploads/", files={"file": ("file.csv", content)}, timeout=10),
    ]
    for answer in answers:
        assert 500 <= answer.status_code < 600, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
    # Another gateway could do no more: this one stays in, and says what is missing elsewhere.
    assert stack.call("GET", "/readyz", timeout=10).status_code == 200
    missing = stack.call("GET", "/status/", timeout=10).json()["missing"]
    assert set(missing) == {"file_reader", "postcode_consumer"}
    assert "database" in missing["file_reader"]
