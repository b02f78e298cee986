"""A running service whose database is away, and one that is told to stop."""

import json
import time
import uuid
from collections.abc import Callable

import pytest
from tests.running import Service, answer_of, free_port, wait_for
from tests.sending import CSV

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("auth", ["off", "required"])
def test_every_call_says_so_when_the_database_is_away(start_service: Callable[..., Service], auth: str) -> None:
    nowhere = f"postgres://postgres@127.0.0.1:{free_port()}/none"
    service = start_service(until="/healthz", FILE_READER_DATABASE_URL=nowhere, AUTH=auth)
    upload = f"/api/v1/uploads/{uuid.uuid4()}/"
    user = "\nX-User-Id: 1" if auth == "required" else ""
    post = f"POST /api/v1/uploads/ HTTP/1.1\nContent-Type: text/csv\nContent-Length: {len(CSV)}{user}"
    calls = [(post, CSV), (f"{post}\nIdempotency-Key: monday", CSV)]
    calls += [
        (f"{call} HTTP/1.1{user}\nAuthorization: Bearer unknown", b"")
        for call in (
            "GET /api/v1/uploads/",
            f"GET {upload}",
            f"DELETE {upload}",
            f"POST {upload}cancel/",
            f"POST {upload}retry/",
            f"GET {upload}rows/",
            f"GET {upload}result.csv",
            "GET /api/v1/rows/",
            "GET /api/v1/postcodes/SW1A1AA/",
            "GET /internal/authenticate/",
        )
    ]
    for head, body in calls:
        status, headers, content = service.send(head, body)
        assert (status, json.loads(content)["type"]) == (503, "/problems/database-unavailable"), head
        assert int(headers["Retry-After"]) > 0
    assert service.stored_files() == []


POST = f"POST /api/v1/uploads/ HTTP/1.1\nContent-Type: text/csv\nContent-Length: {len(CSV)}"


def is_stopping(service: Service) -> bool:
    """Whether it says so at /readyz; False while nobody answers."""
    try:
        status, _, content = service.send("GET /readyz HTTP/1.1")
    except OSError:
        return False
    return (status, json.loads(content).get("missing")) == (503, {"process": "is about to stop"})


def test_a_service_that_is_told_to_stop_says_so_and_serves_until_its_socket_is_closed(
    start_service: Callable[..., Service],
) -> None:
    service = start_service(STOP_READY_SECONDS="3", FILE_READER_PROCESSES="2")
    service.tell_to_stop()
    told_at = time.monotonic()
    wait_for(lambda: is_stopping(service), seconds=2)
    with service.begin(POST, CSV[:-1]) as in_flight:
        while time.monotonic() < told_at + 2.5:
            assert is_stopping(service)
            assert service.send("GET /api/v1/uploads/ HTTP/1.1")[0] == 200
        wait_for(lambda: is_refused(service), seconds=5)
        assert time.monotonic() > told_at + 2.9
        in_flight.sendall(CSV[-1:])
        assert answer_of(in_flight)[0] == 202
    assert service.wait_until_stopped() == 0


def is_refused(service: Service) -> bool:
    try:
        service.send("GET /healthz HTTP/1.1")
    except OSError:
        return True
    return False


def test_a_process_that_is_replaced_meanwhile_knows_it_too_and_a_second_sigterm_does_not_wait(
    start_service: Callable[..., Service],
) -> None:
    service = start_service(STOP_READY_SECONDS="300")
    service.tell_to_stop()
    wait_for(lambda: is_stopping(service))
    service.kill_processes()
    wait_for(lambda: is_stopping(service))
    service.tell_to_stop()
    assert service.wait_until_stopped() == 0


def test_without_that_time_a_service_stops_at_once(start_service: Callable[..., Service]) -> None:
    service = start_service()
    told_at = time.monotonic()
    service.tell_to_stop()
    assert service.wait_until_stopped() == 0
    assert time.monotonic() < told_at + 3
