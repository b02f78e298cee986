"""A running service whose database is away."""

import json
import uuid
from collections.abc import Callable

import pytest
from tests.running import Service, free_port
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
