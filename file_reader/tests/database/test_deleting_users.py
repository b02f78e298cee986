"""A user is deleted with everything that is theirs."""

import threading
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.keys import new_key
from tests.working import work_until_ended

from uploads import audit
from uploads.models import ApiKey, AuditAction, AuditEntry, Chunk, IndexBlock, Row, Upload
from uploads.work.commands import delete_user
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n53.4,-2.2\n"
USERS = "/admin/auth/user/"


@pytest.fixture
def ann(settings: Any) -> Any:
    settings.AUTH = "required"
    return get_user_model().objects.create_user("ann")


def test_a_user_with_uploads_is_deleted_with_them(
    admin: Client, ann: Any, data_dir: Any, consumer: FakePostcodeConsumer
) -> None:
    ben = Api(get_user_model().objects.create_user("ben").pk)
    key, path = new_key(ann), f"{USERS}{ann.pk}/delete/"
    finished, received = Api(ann.pk).upload(CSV), None
    kept = ben.upload(CSV)
    work_until_ended()
    received = Api(ann.pk).upload(CSV)

    asked = admin.get(path).content.decode()
    assert "Uploads, with all rows and files: 2" in asked
    assert "API keys: 1" in asked
    with CaptureQueriesContext(connection) as asked_of_the_database:
        assert admin.post(path, {"post": "yes"}).status_code == 302
    # Not a word about rows, of which there may be millions.
    assert not [query["sql"] for query in asked_of_the_database if "uploads_row" in query["sql"]]
    assert not get_user_model().objects.filter(username="ann").exists()

    for upload in (finished, received):
        assert "being removed" in admin.get("/admin/uploads/upload/", {"q": upload["id"]}).content.decode()
        problem_of(ben.get(f"{UPLOADS}{upload['id']}/"), 404, "not-found")
    problem_of(Api(ann.pk).get(UPLOADS), 401, "unknown-key")
    assert Api().client.get("/internal/authenticate/", headers={"Authorization": f"Bearer {key}"}).status_code == 401

    while Worker().run_once():
        pass
    (left,) = Upload.objects.all()
    assert str(left.public_id) == kept["id"]
    for model in (Row, Chunk, IndexBlock):
        assert set(model.objects.values_list("upload", flat=True)) == {left.pk}
    assert [path.stem for path in (data_dir / "uploads" / "files").iterdir()] == [left.public_id.hex]
    assert not ApiKey.objects.exists()
    assert ben.show(kept)["rows"]["matched"] == 2


def test_several_users_are_deleted_at_once(admin: Client, ann: Any) -> None:
    ben = get_user_model().objects.create_user("ben")
    for user in (ann, ben):
        Api(user.pk).upload(CSV)
    form = {"action": "delete_selected", "_selected_action": [ann.pk, ben.pk], "post": "yes"}
    assert admin.post(USERS, form).status_code == 302
    assert list(get_user_model().objects.values_list("username", flat=True)) == ["root"]
    assert not Upload.objects.visible_to(None).exists()


def test_with_auth_off_nobody_sees_what_was_deleted_with_its_owner(admin: Client, ann: Any, settings: Any) -> None:
    upload = Api(ann.pk).upload(CSV)
    admin.post(f"{USERS}{ann.pk}/delete/", {"post": "yes"})
    settings.AUTH = "off"
    assert Api().get(UPLOADS).json()["results"] == []
    problem_of(Api().get(f"{UPLOADS}{upload['id']}/"), 404, "not-found")


def test_the_log_still_says_what_a_deleted_user_did(admin: Client, ann: Any) -> None:
    upload = Api(ann.pk).upload(CSV)
    admin.post(f"{USERS}{ann.pk}/delete/", {"post": "yes"})
    told = list(AuditEntry.objects.order_by("id").values_list("action", "object", "user_id"))
    root = get_user_model().objects.get().pk
    assert told[1:] == [
        ("upload_accepted", upload["id"], ann.pk),
        ("upload_deleted", upload["id"], root),
        ("user_deleted", f"ann (user {ann.pk})", root),
    ]
    assert f"user {ann.pk}, who was deleted" in admin.get("/admin/uploads/auditentry/").content.decode()


def test_a_user_is_not_deleted_in_a_way_that_would_leave_rows_behind(ann: Any) -> None:
    Api(ann.pk).upload(CSV)
    with pytest.raises(ProtectedError):
        ann.delete()


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_arrives_while_its_owner_is_deleted_is_seen_by_nobody(
    ann: Any, data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete() -> None:
        delete_user(get_user_model().objects.get(username="ann"))
        connection.close()

    deleting = threading.Thread(target=delete)

    def record_late(*arguments: Any, **options: Any) -> None:
        if arguments[0] == AuditAction.UPLOAD_ACCEPTED:  # between the INSERT and its commit
            deleting.start()
            deleting.join(1)  # on SQLite it has to wait for the commit
        record(*arguments, **options)

    record = audit.record
    monkeypatch.setattr(audit, "record", record_late)
    Api(ann.pk).send_form(CSV)
    deleting.join(30)
    assert not get_user_model().objects.exists()
    assert not Upload.objects.visible_to(None).exists()
    while Worker().run_once():
        pass
    assert not Upload.objects.exists()
    assert list((data_dir / "uploads" / "files").iterdir()) == []
