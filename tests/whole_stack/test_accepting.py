"""Uploads on their way through gateway and file_reader: the same one many times, and processes that end meanwhile."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import requests
from country import csv_of
from stack import Stack, running_stack, wait_for

UPLOADS = "/api/v1/uploads/"
CLIENTS = 20
CSV = csv_of(20_000)
#: So large that file_reader has its beginning before the gateway has its end, and so much of it is that beginning.
LONG = csv_of(100_000)
BEGINNING = 2_500_000
LARGE = b"lat,lon\n" + b"51.5,-0.1\n" * 5_000_000


def post(stack: Stack, content: Any, key: str) -> requests.Response:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key}
    return stack.call("POST", UPLOADS, data=content, headers=headers)


def post_form(stack: Stack, content: Any, key: str) -> requests.Response:
    return stack.call("POST", UPLOADS, files={"file": ("a.csv", content)}, headers={"Idempotency-Key": key})


def begin(stack: Stack, key: str) -> socket.socket:
    """Begins to upload, and returns the connection when the beginning is sent and the file is arriving."""
    lines = [
        f"POST {UPLOADS} HTTP/1.1",
        "Host: localhost",
        "Content-Type: text/csv",
        f"Content-Length: {len(LONG)}",
        f"Idempotency-Key: {key}",
        "Connection: close",
    ]
    before = len(files(stack, "incoming"))
    line = socket.create_connection(("127.0.0.1", int(stack.environment["GATEWAY_PORT"])), timeout=60)
    line.sendall("\r\n".join([*lines, "", ""]).encode() + LONG[:BEGINNING])
    wait_for(lambda: len(files(stack, "incoming")) > before, "the file arrives")
    return line


def end(line: socket.socket) -> str:
    """Sends the rest; returns the id of the upload, which must be accepted."""
    line.sendall(LONG[BEGINNING:])
    head, _, body = b"".join(iter(lambda: line.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.split()[1] == b"202", body
    return str(json.loads(body)["id"])


def files(stack: Stack, folder: str) -> list[Path]:
    return list((Path(stack.environment["DATA_DIR"]) / "uploads" / folder).glob("*"))


def uploads(stack: Stack) -> list[dict[str, Any]]:
    return list(stack.call("GET", UPLOADS).json()["results"])


def gateway(stack: Stack) -> psutil.Process:
    (process,) = wait_for(lambda: stack.processes("-m gateway"), "the gateway runs")
    return process


def wait_until_ready(stack: Stack) -> None:
    def is_ready() -> bool:
        try:
            return stack.call("GET", "/readyz").status_code == 200
        except requests.ConnectionError:
            return False

    wait_for(is_ready, "the gateway is there again")


def test_fault_18_twenty_clients_with_one_key_make_one_upload(tmp_path: Path, databases: dict[str, str]) -> None:
    def send_until_accepted(stack: Stack) -> str:
        deadline = time.monotonic() + 120
        while (answer := post(stack, CSV, "monday")).status_code == 409:
            assert answer.json()["type"] == "/problems/upload-in-flight"
            assert time.monotonic() < deadline
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with running_stack(tmp_path, **databases) as stack, ThreadPoolExecutor(CLIENTS) as clients:
        ids = set(clients.map(send_until_accepted, [stack] * CLIENTS))
        assert [upload["id"] for upload in uploads(stack)] == list(ids)
        assert [path.stem for path in files(stack, "files")] == [ids.pop().replace("-", "")]
        assert files(stack, "incoming") == []


def test_an_answer_before_the_end_of_a_large_body_reaches_the_client(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(LARGE), 1 << 16):
            yield LARGE[start : start + (1 << 16)]

    sends: list[Callable[[], requests.Response]] = [
        lambda: post(stack, LARGE, "monday"),
        lambda: post(stack, pieces(), "monday"),
        lambda: post_form(stack, LARGE, "monday"),
    ]
    with running_stack(tmp_path, WORKERS="0") as stack:
        with begin(stack, "monday") as first:
            for send in sends * 3:
                answer = send()
                assert answer.status_code == 409, answer.text
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert answer.json()["type"] == "/problems/upload-in-flight"
            accepted = end(first)
        assert [upload["id"] for upload in uploads(stack)] == [accepted]


def test_a_body_that_turns_out_too_large_is_told_while_it_is_still_sent(tmp_path: Path) -> None:
    with running_stack(tmp_path, MAX_UPLOAD_BYTES="1000000", WORKERS="0") as stack:
        for send in (post, post_form):
            for content in (LARGE[:1_900_000], LARGE):
                answer = send(stack, content, "monday")
                assert answer.status_code == 413
                assert answer.json()["type"] in ("/problems/upload-too-large", "/problems/body-too-large")
        assert files(stack, "incoming") == uploads(stack) == []


def test_fault_19_a_gateway_killed_in_the_middle_of_an_upload_leaves_nothing(
    tmp_path: Path, databases: dict[str, str]
) -> None:
    with running_stack(tmp_path, **databases) as stack:
        with begin(stack, "monday"):
            gateway(stack).kill()
            wait_for(lambda: not files(stack, "incoming"), "the file is removed")
        wait_until_ready(stack)
        assert uploads(stack) == []
        assert files(stack, "files") == []
        assert post(stack, CSV, "monday").status_code == 202
        assert len(uploads(stack)) == 1


def test_fault_19_a_gateway_that_is_restarted_finishes_uploads_that_go_on_and_drops_those_that_do_not(
    tmp_path: Path,
) -> None:
    with running_stack(tmp_path) as stack:
        with begin(stack, "monday") as goes_on, begin(stack, "tuesday"):
            process = gateway(stack)
            process.terminate()
            wait_for(lambda: refuses(stack), "the gateway stops")
            accepted = end(goes_on)
            process.wait(timeout=60)
            wait_for(lambda: not files(stack, "incoming"), "the other file is removed")
        wait_until_ready(stack)
        assert [upload["id"] for upload in uploads(stack)] == [accepted]
        assert len(files(stack, "files")) == 1


def refuses(stack: Stack) -> bool:
    try:
        return not stack.call("GET", "/healthz").ok
    except requests.ConnectionError:
        return True
