"""kill -9 in the middle of the work: the result is that of a quiet run, byte for byte."""

from pathlib import Path

import psutil
import pytest
from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import Stack, check_result, running_stack, wait_for

ROWS = 6_000


def settings(upstream: RunningPostcodesIo) -> dict[str, str]:
    return {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "300",
        "LEASE_SECONDS": "3",
    }


def kill(stack: Stack, what: str) -> None:
    victims = wait_for(lambda: stack.processes(what), f"there is a {what}")
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=10)


@pytest.mark.parametrize("victim", ["manage.py worker", "consumer_config.wsgi"])
def test_a_killed_process_costs_nothing_but_time(
    victim: str, tmp_path: Path, upstream: RunningPostcodesIo, databases: dict[str, str]
) -> None:
    content = csv_of(ROWS)
    upstream.fail(latency_ms=40)  # so that there is always something in flight
    with running_stack(tmp_path / "killed", WORKERS="2", **settings(upstream), **databases) as stack:
        upload = stack.upload(content)
        for share in (0.2, 0.5):
            stack.wait(upload, lambda seen, share=share: seen["progress"] >= share, f"{share:.0%} are done")
            kill(stack, victim)
        done = stack.wait_until_done(upload)
        killed = stack.result(upload)
        check_result(content, killed, done)
    upstream.fail(latency_ms=0)
    with running_stack(tmp_path / "quiet", **settings(upstream)) as stack:
        upload = stack.upload(content)
        stack.wait_until_done(upload)
        assert stack.result(upload) == killed
