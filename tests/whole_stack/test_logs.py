"""One upload through everything: its request id is in the lines of every process, and nothing private is in any."""

import json
from pathlib import Path
from typing import Any

from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import Stack, running_stack, wait_for

REQUEST_ID = "the-request-of-this-test"


def lines_of(stack: Stack) -> list[dict[str, Any]]:
    """The lines so far; each one is an object with the members that all have."""
    found = [json.loads(line) for line in stack.log.read_text().splitlines()]
    assert all({"time", "level", "service", "request_id", "event"} <= set(line) for line in found)
    return found


def test_a_request_id_is_in_every_process_and_nothing_private_in_any(
    tmp_path: Path, upstream: RunningPostcodesIo
) -> None:
    content, name = csv_of(300), "where-our-patients-live.csv"
    upstream_settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
    }
    with running_stack(tmp_path, LOG_FORMAT="json", **upstream_settings) as stack:
        answer = stack.call(
            "POST",
            "/api/v1/uploads/",
            files={"file": (name, content)},
            headers={"X-Request-Id": REQUEST_ID, "Authorization": "Bearer key-that-is-nobodys"},
        )
        assert answer.status_code == 202, answer.text
        stack.wait_until_done(answer.json())
        _, latitude, longitude = content.decode().splitlines()[1].split(",")[:3]
        query = {"latitude": latitude, "longitude": longitude}
        assert stack.call("GET", "/api/v1/reverse-geocode/", params=query).status_code == 200
        assert stack.call("GET", "/api/v1/postcodes/SW1A1AA/").status_code in (200, 404)

        def events() -> set[tuple[str, str]]:
            return {(line["service"], line["event"]) for line in lines_of(stack) if line["request_id"] == REQUEST_ID}

        wait_for(lambda: ("file_reader", "upload indexed") in events(), "the row index is written")
        assert events() >= {
            ("gateway", "request"),
            ("file_reader", "upload accepted"),
            ("file_reader", "upload loaded"),
            ("file_reader", "uploads ended"),
            ("postcode_consumer", "lookup answered"),
        }
        (request,) = (line for line in lines_of(stack) if line["event"] == "request" and line["status"] == 202)
        assert (request["method"], request["path"], request["address"]) == ("POST", "/api/v1/uploads/", "127.0.0.1")
    text = stack.log.read_text()
    coordinates = {part for row in content.decode().splitlines()[1:] for part in row.split(",")[1:3] if len(part) > 5}
    assert coordinates
    assert {part for part in coordinates if part in text} == set()
    for private in (name, "key-that-is-nobodys", "SW1A1AA", stack.environment.get("INTERNAL_TOKEN", "no-token")):
        assert private not in text
