"""The internal token, request ids, and the answers about health."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from tests.api import UPLOADS, Api, Caller, problem_of
from tests.fake_postcode_consumer import contract

from service_kit.logs import RequestIdFilter

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("token", [None, "", "wrong", "token-of-the-test", "token-of-the-tests ", "tökén"])
@pytest.mark.parametrize("path", [UPLOADS, "/api/v1/rows/", "/admin/", "/internal/authenticate/", "/nothing/"])
def test_a_call_without_the_internal_token_is_refused(path: str, token: str | None) -> None:
    headers = {} if token is None else {"X-Internal-Token": token}
    problem = problem_of(Caller(headers=headers).get(path), 401, "internal-token-required")
    assert {**problem, "detail": "<any>"} == contract("reverse_geocode/no_token")["response"]["body"]


@pytest.mark.parametrize(("own", "of_gateway"), [("off", "required"), ("required", "off")])
def test_a_gateway_with_another_auth_is_refused_and_told_why(
    own: str, of_gateway: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTH = own
    caller = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN, "X-Internal-Auth": of_gateway})
    why = f"he gateway has AUTH={of_gateway}, this service {own}"
    for path in (UPLOADS, "/admin/", "/internal/authenticate/"):
        assert why in problem_of(caller.get(path), 503, "auth-disagrees")["detail"]
    response = caller.get("/readyz")
    assert (response.status_code, response.json()["missing"]) == (503, {"auth": f"t{why}"})
    assert caller.get("/healthz").status_code == 200
    assert f"AUTH differs: t{why}" in caplog.text


def test_a_gateway_with_another_token_hears_that_this_service_is_not_ready_for_it() -> None:
    response = Caller(headers={"X-Internal-Token": "wrong"}).get("/readyz")
    assert (response.status_code, [*response.json()["missing"]]) == (503, ["internal_token"])
    assert Caller().get("/readyz").status_code == 200


@pytest.mark.parametrize("auth", ["off", "required"])
def test_a_gateway_with_the_same_auth_is_served(auth: str, settings: Any) -> None:
    settings.AUTH = auth
    headers = {"X-Internal-Token": settings.INTERNAL_TOKEN, "X-Internal-Auth": auth}
    assert Caller(headers=headers).get("/readyz").status_code == 200
    assert Caller(headers=headers).get(UPLOADS).status_code == (200 if auth == "off" else 401)


def test_with_auth_off_a_call_of_a_user_is_refused(settings: Any) -> None:
    headers = {"X-Internal-Token": settings.INTERNAL_TOKEN, "X-User-Id": "1"}
    assert "AUTH=off" in problem_of(Caller(headers=headers).get(UPLOADS), 503, "auth-disagrees")["detail"]


@pytest.mark.parametrize("path", [UPLOADS, "/api/v1/uploads", "/admin/", "/admin/login/", "/static/x.css", "/nothing"])
@pytest.mark.parametrize("host", ["under_score", "a b", "<script>", "a/b", "x:y"])
def test_a_host_that_is_none_is_a_problem_and_no_traceback(
    path: str, host: str, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    response = api.client.get(path, headers={"Host": host})
    if response.status_code not in (200, 401, 404):
        problem_of(response, 400, "invalid-request")
    assert "Traceback" not in caplog.text
    assert b"Traceback" not in b"".join(response)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_token(path: str) -> None:
    assert Caller().get(path).status_code == 200


def test_the_service_is_alive_and_ready() -> None:
    assert Caller().get("/healthz").json() == {"status": "ok"}
    assert Caller().get("/readyz").json() == {"status": "ready"}


def test_a_migration_that_is_not_applied_is_missing() -> None:
    MigrationRecorder.Migration.objects.filter(app="uploads").latest("name").delete()
    response = Caller().get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "missing": {"database": "1 migrations are not applied"}}


def test_a_folder_that_is_not_there_is_missing(settings: Any, data_dir: Path) -> None:
    settings.DATA_DIR = data_dir / "nowhere"
    settings.UPLOADS_DIR = data_dir / "nowhere" / "uploads"
    response = Caller().get("/readyz")
    assert response.status_code == 503
    assert response.json()["missing"] == {"uploads_dir": "DATA_DIR cannot be written to"}  # and not where it is


def test_a_request_id_is_taken_over(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    response = api.post(UPLOADS, b"lat,lon\n", X_Request_Id="Monday_1.a-b")
    assert response.headers["X-Request-Id"] == "Monday_1.a-b"


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a\tb", "é", "<script>"])
def test_a_request_id_that_is_not_valid_is_replaced(api: Api, sent: str) -> None:
    made = api.client.get(UPLOADS, headers={"X-Request-Id": sent}).headers["X-Request-Id"]
    assert made != sent
    assert len(made) == 32


def test_refusals_have_a_request_id_too() -> None:
    assert Caller().get(UPLOADS).headers["X-Request-Id"]


def test_the_log_says_to_which_request_a_line_belongs(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.INFO):
        api.post(UPLOADS, b"lat,lon\n", X_Request_Id="monday")
    accepted = [record for record in caplog.records if "upload accepted" in record.getMessage()]
    assert [vars(record)["request_id"] for record in accepted] == ["monday"]
    assert "token-of-the-tests" not in caplog.text
