"""The door of the service: tokens, request ids, addresses and methods that do not exist, faults of its own."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from tests.calls import PATH, assert_problem

Call = Callable[..., Any]


@pytest.mark.parametrize("token", ["", "wrong", "token-of-the-testsx", "ключ"])
def test_a_call_without_the_right_token_is_refused(call: Call, token: str) -> None:
    for path in (PATH, "/nowhere"):
        assert_problem(call("GET", path, headers={"X-Internal-Token": token}), "internal-token-required", 401)


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("off", {"X-Internal-Auth": "required"}),
        ("required", {"X-Internal-Auth": "off"}),
        ("off", {"X-User-Id": "1"}),
    ],
)
def test_a_gateway_with_another_auth_is_refused(call: Call, settings: Any, auth: str, headers: dict[str, str]) -> None:
    settings.AUTH = auth
    assert_problem(call("GET", PATH, headers=headers), "auth-disagrees", 503)
    assert_problem(call("GET", "/nowhere"), "not-found", 404)  # of a worker, which says nothing of AUTH


def test_a_host_that_is_none_is_a_problem_and_no_traceback(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    for path in (PATH, "/admin/lookups/login/", "/admin/lookups"):
        assert_problem(call("GET", path, headers={"Host": "a_b"}), "invalid-request")
    assert "Traceback" not in caplog.text


def test_an_unknown_address_is_not_found(call: Call) -> None:
    assert_problem(call("GET", "/api/v1/nowhere/"), "not-found", 404)


def test_an_address_of_the_api_is_served_without_its_last_slash(call: Call) -> None:
    for path in (PATH, "/api/v1/postcodes/SW1A1AA/"):
        for method in ("GET", "POST", "OPTIONS"):
            with_slash, without = call(method, path), call(method, path.rstrip("/"))
            assert (without.status_code, without.content) == (with_slash.status_code, with_slash.content)


def test_a_wrong_method_is_told_which_ones_are_right(call: Call) -> None:
    response = call("DELETE", PATH)
    assert_problem(response, "method-not-allowed", 405)
    assert "GET" in response.headers["Allow"]


def test_a_request_id_is_taken_over(call: Call) -> None:
    assert call("GET", "/healthz", headers={"X-Request-Id": "abc-1.2_3"}).headers["X-Request-Id"] == "abc-1.2_3"


@pytest.mark.parametrize("sent", ["", "with space", "x" * 129, "a\u00e9", "id;rm"])
def test_a_request_id_that_could_harm_a_log_is_replaced(call: Call, sent: str) -> None:
    given = call("GET", "/healthz", headers={"X-Request-Id": sent}).headers["X-Request-Id"]
    assert given != sent
    assert len(given) == 32


def test_a_fault_of_the_service_is_a_problem_too(
    call: Call, service_provider: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    service_provider(LOOKUP_DEADLINE_SECONDS="not a number")
    with caplog.at_level(logging.ERROR):
        response = call("GET", PATH + "?latitude=51&longitude=0")
    body = assert_problem(response, "internal-error", 500)
    assert "not a number" not in str(body)
    assert "Traceback" in caplog.text


def test_the_service_is_alive(call: Call) -> None:
    response = call("GET", "/healthz", headers={"X-Internal-Token": ""})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
