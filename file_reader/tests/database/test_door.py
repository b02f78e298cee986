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
    assert list(response.json()["missing"]) == ["uploads_dir"]


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
