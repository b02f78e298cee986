"""The database drops its connections in the middle of the work, as it does when it restarts."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import check_result, running_stack

#: Far more than the test takes: whoever waits for a lease to run out is too late.
LEASE_SECONDS = 600


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
def test_the_work_goes_on_at_once_when_the_database_answers_again(
    tmp_path: Path, upstream: RunningPostcodesIo, databases: dict[str, str]
) -> None:
    content = csv_of(4_000)
    settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "200",
        "LEASE_SECONDS": str(LEASE_SECONDS),
    }
    upstream.fail(latency_ms=40)  # so that there is always something in flight
    with running_stack(tmp_path, WORKERS="2", **settings, **databases) as stack:
        upload = stack.upload(content)
        for share in (0.2, 0.4, 0.6):
            stack.wait(upload, lambda seen, share=share: seen["progress"] >= share, f"{share:.0%} are done")
            assert drop_connections(databases["FILE_READER_DATABASE_URL"]) > 0
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        assert "database trouble" in stack.log.read_text()
