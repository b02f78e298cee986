"""The Redis of the tests: started for them where there is a program for it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis, RedisError
from tests.running import free_port


@contextmanager
def running_redis(*, own: bool = False) -> Iterator[str]:
    """The URL of a Redis or Valkey. It ends with the block when it is to be our `own`.

    That of TEST_REDIS_URL is the second choice: other suites that run at this time wipe it.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if not program:
        if own or not (url := os.environ.get("TEST_REDIS_URL")):
            pytest.skip("there is no redis-server and no TEST_REDIS_URL")
        yield url
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_until_it_answers(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_it_answers(url: str) -> None:
    end = time.monotonic() + 30
    with Redis.from_url(url) as redis:
        while True:
            try:
                redis.ping()
            except RedisError:
                assert time.monotonic() < end, "Redis does not answer"
                time.sleep(0.02)
            else:
                return
