"""The audit log: who did what, when, and from where."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from tests.api import UPLOADS, Api, Json
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from service_kit.maintenance.running import maintain
from uploads.models import ApiKey, AuditEntry, Upload

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n53.4,-2.2\n"
WITH_GATEWAY = {"X-Forwarded-For": "2001:db8::7", "X-Request-Id": "request-1", "X-Internal-Key": "pck_12345678"}


@pytest.fixture
def ann(settings: Any) -> Api:
    """Calls of a user's, as the gateway passes them on."""
    settings.AUTH = "required"
    api = Api(get_user_model().objects.create_user("ann").pk)
    api.client.defaults |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in WITH_GATEWAY.items()}
    return api


def told() -> list[tuple[str, str]]:
    """What was done, and to what, in order."""
    return list(AuditEntry.objects.order_by("id").values_list("action", "object"))


def test_what_is_done_to_an_upload_is_recorded(ann: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(53.4, -2.2)}
    upload = ann.upload(CSV)
    work_until_ended()
    cancelled = ann.upload(CSV)
    assert ann.post(f"{UPLOADS}{upload['id']}/retry/").status_code == 200
    assert ann.post(f"{UPLOADS}{cancelled['id']}/cancel/").status_code == 200
    assert ann.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    assert told() == [
        ("upload_accepted", upload["id"]),
        ("upload_accepted", cancelled["id"]),
        ("upload_retried", upload["id"]),
        ("upload_cancelled", cancelled["id"]),
        ("upload_deleted", upload["id"]),
    ]
    entry = AuditEntry.objects.latest("id")
    assert (entry.user.username, entry.via, entry.key) == ("ann", "api", "pck_12345678")
    assert (entry.address, entry.request_id) == ("2001:db8::7", "request-1")


def test_what_is_not_done_is_not_recorded(ann: Api) -> None:
    upload = ann.upload(CSV)
    for path in (f"{UPLOADS}{upload['id']}/cancel/", f"{UPLOADS}{upload['id']}/cancel/"):  # twice changes nothing
        assert ann.post(path).status_code == 200
    assert ann.post(f"{UPLOADS}{upload['id']}/retry/").status_code == 409
    assert ann.send_form("nothing\n").status_code == 422
    again = {"Idempotency_Key": "once"}
    first, second = (ann.post(UPLOADS, CSV.encode(), **again).json()["id"] for _ in range(2))
    assert first == second
    assert [action for action, _ in told()] == ["upload_accepted", "upload_cancelled", "upload_accepted"]


def test_an_upload_without_its_entry_is_not_accepted(ann: Api, monkeypatch: pytest.MonkeyPatch, data_dir: Any) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr("uploads.audit.record", fail)
    assert ann.send_form(CSV).status_code == 500
    assert ann.get(UPLOADS).json()["results"] == []


def test_the_admin_is_recorded_by_who_has_logged_in(admin: Client, api: Api) -> None:
    upload = api.upload(CSV)
    chosen = {"action": "delete", "_selected_action": [Upload.objects.get().pk]}
    admin.post("/admin/uploads/upload/", {**chosen, "confirmed": "1"})
    ann = get_user_model().objects.create_user("ann")
    admin.post("/admin/uploads/apikey/add/", {"user": ann.pk, "scopes": ["read"]})
    key = ApiKey.objects.get()
    admin.post("/admin/uploads/apikey/", {"action": "delete_selected", "_selected_action": [key.pk], "post": "yes"})
    assert told() == [
        ("login", "root"),
        ("upload_accepted", upload["id"]),
        ("upload_deleted", upload["id"]),
        ("key_made", f"{key.prefix} of ann (user {key.user_id})"),
        ("key_deleted", f"{key.prefix} of ann (user {key.user_id})"),
    ]
    assert list(AuditEntry.objects.order_by("id").values_list("user__username", "via")) == [
        ("root", "admin"),
        (None, "api"),  # AUTH=off: nobody has a name
        *[("root", "admin")] * 3,
    ]


def test_a_failed_login_is_recorded_without_what_was_typed() -> None:
    get_user_model().objects.create_user("ann", password="her-password")
    for name in ("ann", "her-password"):
        login = {"username": name, "password": "wrong-password"}
        Api().client.post("/admin/login/", login, headers={"X-Forwarded-For": "192.0.2.7"})
    assert list(AuditEntry.objects.order_by("id").values_list("action", "object", "user__username", "address")) == [
        ("login_failed", "ann", "ann", "192.0.2.7"),
        ("login_failed", "", None, "192.0.2.7"),
    ]
    assert "password" not in repr(list(AuditEntry.objects.values()))


def test_an_address_that_is_none_is_not_kept(api: Api) -> None:
    api.client.defaults["HTTP_X_FORWARDED_FOR"] = "unknown"
    api.upload(CSV)
    assert AuditEntry.objects.get().address is None


def test_a_command_is_recorded_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_key", "ann", "--create-user")
    assert [(action, name.partition(" (")[0]) for action, name in told()] == [
        ("key_made", f"{capsys.readouterr().out[:12]} of ann")
    ]
    assert AuditEntry.objects.get().via == "server"


def test_the_log_is_searched_and_filtered_and_not_changed(admin: Client, ann: Api) -> None:
    upload: Json = ann.upload(CSV)
    path = "/admin/uploads/auditentry/"
    html = admin.get(path, {"q": upload["id"], "action__exact": "upload_accepted"}).content.decode()
    assert "pck_12345678" in html
    assert "1 audit entry" in html
    assert "2 audit entries" in admin.get(path).content.decode()
    pk = AuditEntry.objects.latest("id").pk
    for change in ("add/", f"{pk}/delete/"):
        assert admin.post(f"{path}{change}", {"post": "yes"}).status_code == 403
    assert admin.post(f"{path}{pk}/change/", {"object": "x"}).status_code == 403


def test_entries_are_forgotten_when_their_time_is_over(ann: Api, settings: Any) -> None:
    settings.AUDIT_KEEP_DAYS = 30
    ann.upload(CSV)
    AuditEntry.objects.update(at=F("at") - timedelta(days=31))
    newer = ann.upload(CSV)
    maintain()
    assert told() == [("upload_accepted", newer["id"])]
