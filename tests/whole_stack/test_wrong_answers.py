"""The external API answers, but wrongly: it never reaches the result. The numbers are those of docs/faults.md."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from country import POSTCODES, csv_of, some_of
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import ROOT, Stack, check_result, running_stack

ROWS = 600


@pytest.fixture(scope="module")
def upstream() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io(POSTCODES, answer_fields="small") as running:
        yield running


@pytest.fixture(scope="module")
def stack(upstream: RunningPostcodesIo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url, "POSTCODES_IO_CALLS_PER_SECOND": "0"}
    with running_stack(tmp_path_factory.mktemp("stack"), CHUNK_ROWS="200", **settings) as running:
        yield running


def test_fault_11_a_location_on_which_upstream_breaks_fails_alone(stack: Stack, upstream: RunningPostcodesIo) -> None:
    content = csv_of(ROWS)
    record = list(csv.DictReader(io.StringIO(content.decode())))[300]
    location = record["lat"], record["lon"]
    upstream.fail(poison=[tuple(map(float, location))])
    upload = stack.upload(content)
    stack.wait_until_done(upload)
    rows = list(csv.DictReader(io.StringIO(stack.result(upload).decode())))
    failed = [row for row in rows if row["result_status"] not in ("match", "no_match")]
    assert {(row["result_status"], row["result_reason"]) for row in failed} == {("failed", "upstream_rejected")}
    assert [row["id"] for row in failed] == [row["id"] for row in rows if (row["lat"], row["lon"]) == location]
    assert len(rows) == ROWS


def test_fault_15_16_wrong_answers_are_asked_again_and_never_stored(stack: Stack, upstream: RunningPostcodesIo) -> None:
    for seed, kind in enumerate(("garbage", "endless", "short", "reordered", "half_closed", "reset"), 2):
        content = csv_of(ROWS, seed=seed)
        faulted = upstream.stats["faulted"]
        upstream.fail(kind=kind, times=2)
        upload = stack.upload(content)
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        assert upstream.stats["faulted"] == faulted + 2, kind


def test_fault_11_to_16_when_a_fifth_of_all_calls_goes_wrong_all_rows_are_right(
    stack: Stack, upstream: RunningPostcodesIo
) -> None:
    content = csv_of(ROWS, seed=20)
    poison = some_of(content, 1)
    faulted = upstream.stats["faulted"]
    upstream.fail(kind="mixed", share=0.2, retry_after=1, poison=sorted(poison), seed=22)
    upload = stack.upload(content)
    done = stack.wait_until_done(upload, seconds=240)
    check_result(content, stack.result(upload), done, poison=poison)
    assert upstream.stats["faulted"] - faulted > 5


def test_fault_10_nothing_on_the_way_to_upstream_rests_longer_than_the_work_may_take_to_resume() -> None:
    """A probe that hangs when upstream returns, the breaker's silence after it, and a worker's pause after that."""
    probe, _ = _seconds("postcode_consumer", "consumer_config", "POSTCODES_IO_CALL_SECONDS", "LOOKUP_DEADLINE_SECONDS")
    silence = _constant(
        "postcode_consumer/lookups/politeness/limiter.py", r"FIRST_SILENCE, LONGEST_SILENCE = [\d.]+, ([\d.]+)"
    )
    pause = _constant("file_reader/uploads/work/pauses.py", r"MAX_OUTAGE_PAUSE = ([\d.]+)")
    assert probe + silence + pause <= 30


def _constant(path: str, pattern: str) -> float:
    found = re.search(pattern, (ROOT / path).read_text())
    assert found
    return float(found[1])


def test_fault_13_each_deadline_ends_before_the_one_around_it() -> None:
    """One call upstream < a lookup with all its calls < a chunk with all its lookups < the chunk's lease."""
    call, lookup = _seconds(
        "postcode_consumer", "consumer_config", "POSTCODES_IO_CALL_SECONDS", "LOOKUP_DEADLINE_SECONDS"
    )
    chunk, lease = _seconds("file_reader", "reader_config", "CHUNK_DEADLINE.total_seconds()", "LEASE.total_seconds()")
    assert call < lookup < chunk < lease


def _seconds(folder: str, package: str, *names: str) -> list[float]:
    program = f"from {package}.settings import *; print({', '.join(names)})"
    environment = {"SECRET_KEY": "x", "INTERNAL_TOKEN": "x", "DATA_DIR": "/tmp"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / folder, env=environment, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]
