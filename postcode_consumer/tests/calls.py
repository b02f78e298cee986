"""Calls of the service, and the problems that it answers with."""

from typing import Any

PATH = "/api/v1/reverse-geocode/"


def assert_problem(response: Any, slug: str, status: int = 400) -> Any:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
