"""The external API, or postcode_consumer, is away: the work waits, nothing is lost, nothing becomes "no match"."""

import time
from pathlib import Path

import psutil
from country import POSTCODES, csv_of
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import check_result, free_port, running_stack

#: Seconds after the end of an outage, whatever it lasted.
RESUMED_WITHIN = 30


def test_an_upload_waits_for_upstream_and_finishes_when_it_is_back(tmp_path: Path) -> None:
    content = csv_of(1_500)
    port = free_port()
    settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": f"http://127.0.0.1:{port}",
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "300",
        "WORKERS": "2",
    }
    with running_stack(tmp_path, **settings) as stack:
        upload = stack.upload(content)
        stack.wait(upload, lambda seen: seen["state"] == "geocoding", "the file is loaded")
        # Each worker has asked, was refused and has put its chunk back.
        stack.wait(upload, lambda _: stack.log.read_text().count("chunk put back") >= 3, "the outage is noticed")
        waiting = stack.look(upload)
        assert waiting["state"] == "geocoding"
        assert waiting["waiting"]["reason"] == "provider_unavailable"
        assert waiting["rows"] | {"read": 0, "pending": 0} == dict.fromkeys(waiting["rows"], 0)
        with running_postcodes_io(POSTCODES, port=port):
            stack.wait(upload, lambda seen: seen["rows"]["matched"] > 0, "the work resumes", seconds=RESUMED_WITHIN)
            done = stack.wait_until_done(upload)
            assert done["waiting"] is None
            check_result(content, stack.result(upload), done)


def test_fault_10_an_upload_waits_for_a_postcode_consumer_that_is_frozen(
    tmp_path: Path, upstream: RunningPostcodesIo
) -> None:
    content = csv_of(600)
    settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "300",
        "LEASE_SECONDS": "2",
    }
    with running_stack(tmp_path, WORKERS="2", **settings) as stack:
        consumer: list[psutil.Process] = stack.processes("consumer_config.wsgi")
        for process in consumer:
            process.suspend()
        upload = stack.upload(content)
        # Whoever waits for an answer lets go before its lease is over: nobody is too late.
        stack.wait(upload, lambda _: stack.log.read_text().count("chunk put back") >= 2, "the outage is noticed")
        assert stack.look(upload)["rows"]["pending"] == 600
        asked = time.monotonic()
        status = stack.call("GET", "/status/").json()
        assert time.monotonic() < asked + 1.5
        assert status["missing"] == {"postcode_consumer": "no answer within 0.8 s"}
        assert status["services"]["file_reader"]["uploads_waiting_for_answers"] == 1
        assert stack.call("GET", "/readyz").status_code == 200
        for process in consumer:
            process.resume()
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        assert "stale write refused" not in stack.log.read_text()
