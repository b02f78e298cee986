"""The admin."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from uploads.admin import rows as rows_admin
from uploads.models import ApiKey, AuditEntry, Row, Upload

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\nx,y\n53.4,-2.2\n"


@pytest.fixture
def admin() -> Client:
    """A browser in which a superuser has logged in."""
    get_user_model().objects.create_superuser("root", password="a-long-password")
    client = Api().client
    response = client.post("/admin/login/?next=/admin/", {"username": "root", "password": "a-long-password"})
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    return client


@pytest.fixture
def upload(api: Api, consumer: FakePostcodeConsumer) -> dict[str, Any]:
    """An upload that is done, one row of which has failed."""
    consumer.failing = {(53.4, -2.2)}
    made = api.upload(CSV)
    work_until_ended()
    return made


def page(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def results(html: str) -> list[str]:
    """The text of every line of a list."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", line)).strip() for line in body.split("</tr>")[:-1]]


def do(client: Client, action: str, *uploads: dict[str, Any]) -> str:
    chosen = [Upload.objects.get(public_id=upload["id"]).pk for upload in uploads]
    data = {"action": action, "_selected_action": chosen, "confirmed": "1"}
    return client.post("/admin/uploads/upload/", data, follow=True).content.decode()


def test_without_logging_in_there_is_only_the_login() -> None:
    response = Api().client.get("/admin/uploads/upload/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/")


def test_the_styles_are_served(admin: Client) -> None:
    response = admin.get("/static/admin/css/base.css")
    assert response.status_code == 200
    assert b"--primary" in b"".join(response.streaming_content)


def test_the_start_page_names_everything(admin: Client) -> None:
    html = page(admin, "/admin/")
    assert "Operations" in html
    for path in ("uploads/upload/", "uploads/row/", "uploads/apikey/", "uploads/auditentry/", "auth/user/"):
        assert f'href="/admin/{path}"' in html


def test_the_filters_of_the_audit_log_are_named_by_what_they_are(admin: Client) -> None:
    html = page(admin, "/admin/uploads/auditentry/")
    assert [" ".join(title.split()) for title in re.findall(r"<summary>(.*?)</summary>", html, re.DOTALL)] == [
        "By what", "By way in", "By when", "By user",
    ]  # fmt: skip


def test_uploads_are_listed_with_their_progress_and_counts(admin: Client, upload: dict[str, Any]) -> None:
    (line,) = results(page(admin, "/admin/uploads/upload/"))
    assert re.match(r"places\.csv - ✓ Done 100\.0&nbsp;% 4 2 0 1 1 0 took \d+ s ", line)


def test_an_upload_can_be_looked_at(admin: Client, upload: dict[str, Any]) -> None:
    html = page(admin, f"/admin/uploads/upload/{Upload.objects.get().pk}/change/")
    assert "places.csv" in html
    assert 'name="_save"' not in html


def test_uploads_are_found_by_their_name_and_id(admin: Client, upload: dict[str, Any]) -> None:
    assert len(results(page(admin, "/admin/uploads/upload/", q="places"))) == 1
    assert results(page(admin, "/admin/uploads/upload/", q="elsewhere")) == []
    assert len(results(page(admin, "/admin/uploads/upload/", q=upload["id"]))) == 1


def test_uploads_are_filtered_by_their_state(admin: Client, upload: dict[str, Any]) -> None:
    assert len(results(page(admin, "/admin/uploads/upload/", state__exact="done"))) == 1
    assert results(page(admin, "/admin/uploads/upload/", state__exact="failed")) == []


def test_html_in_a_file_name_is_escaped(admin: Client, api: Api) -> None:
    api.send_form(CSV, "<img src=x onerror=alert(1)>.csv")
    for path in ("/admin/uploads/upload/", f"/admin/uploads/upload/{Upload.objects.get().pk}/change/"):
        html = page(admin, path)
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html


def test_html_in_a_row_is_escaped(admin: Client, api: Api, consumer: FakePostcodeConsumer) -> None:
    api.upload("lat,lon\n51.5,-0.1\n<script>alert(1)</script>,0\n")
    work_until_ended()
    html = page(admin, f"/admin/uploads/row/{Row.objects.latest('id').pk}/change/")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_failed_rows_are_retried(admin: Client, upload: dict[str, Any], consumer: FakePostcodeConsumer) -> None:
    assert "Put back to work: 1 upload with 1 failed row." in do(admin, "retry", upload)
    consumer.failing = set()
    work_until_ended()
    assert Api().show(upload)["rows"]["matched"] == 3


def test_an_upload_is_cancelled(admin: Client, api: Api) -> None:
    first, second = api.upload(CSV), api.upload(CSV)
    do(admin, "cancel", first, second)
    assert [api.show(upload)["state"] for upload in (first, second)] == ["cancelled"] * 2


def test_what_cannot_be_done_is_said(admin: Client, upload: dict[str, Any], api: Api) -> None:
    waiting = api.upload(CSV)
    html = do(admin, "cancel", upload, waiting)
    assert f"Skipped, because their state does not allow it: places.csv ({upload['id'][:8]})." in html
    assert api.show(waiting)["state"] == "cancelled"


def test_an_upload_is_deleted(admin: Client, upload: dict[str, Any]) -> None:
    do(admin, "delete", upload)
    assert "being removed" in page(admin, "/admin/uploads/upload/")
    assert "Skipped, because their state does not allow it" in do(admin, "retry", upload)
    work_until_ended()
    assert not Upload.objects.exists()
    assert results(page(admin, "/admin/uploads/upload/")) == []


def test_rows_are_listed(admin: Client, upload: dict[str, Any]) -> None:
    lines = results(page(admin, "/admin/uploads/row/"))
    assert len(lines) == 4
    assert "SW1A 1AA" in lines[0]
    assert "not_a_number" in lines[2]


@pytest.mark.parametrize(
    ("text", "found"),
    [("SW1A 1AA", 1), ("sw1a1aa", 1), ("SW1A", 1), (" sw1a ", 1), ("ZZ1", 0), ("ZZ1 1ZZ", 0), ("", 4)],
)
def test_rows_are_found_by_postcode_and_by_outcode(
    admin: Client, upload: dict[str, Any], text: str, found: int
) -> None:
    assert len(results(page(admin, "/admin/uploads/row/", q=text))) == found


@pytest.mark.parametrize(("status", "text", "found"), [("1", "", 2), ("4", "", 1), ("1", "SW1A", 1), ("3", "SW1A", 0)])
def test_rows_are_filtered_by_their_status(
    admin: Client, upload: dict[str, Any], status: str, text: str, found: int
) -> None:
    assert len(results(page(admin, "/admin/uploads/row/", status=status, q=text))) == found


def test_of_many_rows_that_are_found_the_first_are_shown(
    admin: Client, upload: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_admin, "FOUND_ROWS", 1)
    html = page(admin, "/admin/uploads/row/", status="1")
    assert len(results(html)) == 1
    assert "Only the first 1 of these rows are shown." in html


def test_rows_that_take_too_long_to_find_are_not_waited_for(
    admin: Client, upload: dict[str, Any], settings: Any
) -> None:
    settings.ROW_QUERY_SECONDS = 0.0
    html = page(admin, "/admin/uploads/row/", q="SW1A 1AA")
    assert results(html) == []
    assert "takes longer than 0 s and was given up" in html


def test_uploads_say_whether_their_rows_are_looked_up(admin: Client, upload: dict[str, Any]) -> None:
    assert "index to come" not in page(admin, "/admin/uploads/upload/")
    Upload.objects.update(indexed_at=None)
    assert "Done, index to come" in page(admin, "/admin/uploads/upload/")


def test_a_list_of_rows_asks_the_database_a_few_times_only(
    admin: Client, api: Api, consumer: FakePostcodeConsumer, django_assert_max_num_queries: Any
) -> None:
    api.upload("lat,lon\n" + "".join(f"51.{number:03d},-0.1\n" for number in range(60)))
    work_until_ended()
    with django_assert_max_num_queries(12):
        assert len(results(page(admin, "/admin/uploads/row/"))) == 50


@pytest.mark.parametrize("model", ["upload", "row"])
def test_what_the_engine_writes_cannot_be_edited(admin: Client, upload: dict[str, Any], model: str) -> None:
    pk = {"upload": Upload, "row": Row}[model].objects.first().pk
    path = f"/admin/uploads/{model}/"
    assert admin.get(f"{path}add/").status_code == 403
    assert admin.get(f"{path}{pk}/delete/").status_code == (200 if model == "upload" else 403)
    assert admin.post(f"{path}{pk}/change/", {"filename": "x", "status": "3"}).status_code == 403
    assert "delete_selected" not in page(admin, path)


def make_key(admin: Client) -> tuple[Any, str]:
    """The answer to a form that makes a key for ann, and that key."""
    ann = get_user_model().objects.create_user("ann")
    form = {"user": ann.pk, "name": "her laptop", "scopes": ["read"]}
    response = admin.post("/admin/uploads/apikey/add/", form)
    shown = re.search(r"<code>(\w+)</code>", response.content.decode())
    assert shown is not None, response.content
    return response, shown.group(1)


def test_a_key_is_shown_once_and_opens_the_door(admin: Client) -> None:
    _, key = make_key(admin)
    response = Api().client.get("/internal/authenticate/", headers={"Authorization": f"Bearer {key}"})
    made = ApiKey.objects.get()
    assert response.json() == {"user_id": made.user_id, "scopes": ["read"], "key": key[:12]}
    for path in ("/admin/", "/admin/uploads/apikey/", f"/admin/uploads/apikey/{made.pk}/change/"):
        html = page(admin, path)
        assert key not in html
        assert key[:12] in html or path == "/admin/"


def test_a_new_key_is_in_no_cookie_and_not_in_the_database(admin: Client) -> None:
    response, key = make_key(admin)
    cookies = {name: morsel.value for name, morsel in admin.cookies.items()}
    assert "messages" not in cookies  # it was signed, and everybody can read it
    assert key not in f"{cookies} {dict(response.headers)}"
    assert "no-store" in response.headers["Cache-Control"]
    kept = [session.get_decoded() for session in Session.objects.all()]
    kept += [list(rows.objects.values()) for rows in (ApiKey, AuditEntry, LogEntry)]
    assert key not in repr(kept)


def test_messages_of_the_admin_travel_in_no_cookie(admin: Client, upload: dict[str, Any]) -> None:
    assert "Put back to work: 1 upload with 1 failed row." in do(admin, "retry", upload)
    assert "messages" not in admin.cookies


def test_a_key_can_be_taken_back(admin: Client) -> None:
    _, key = make_key(admin)
    admin.post(f"/admin/uploads/apikey/{ApiKey.objects.get().pk}/delete/", {"post": "yes"})
    response = Api().client.get("/internal/authenticate/", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 401


def test_cookies_of_the_admin_are_hidden_from_scripts_and_other_sites(admin: Client) -> None:
    admin.get("/admin/")
    assert {"sessionid", "csrftoken"} <= set(admin.cookies)
    for cookie in admin.cookies.values():
        assert cookie["httponly"], cookie
        assert cookie["samesite"] in ("Lax", "Strict"), cookie


def test_rows_are_listed_of_one_upload_and_by_nothing_that_has_no_index(
    admin: Client, upload: dict[str, Any], api: Api
) -> None:
    api.upload("lat,lon\n51.501009,-0.141588\n")
    work_until_ended()
    first, second = Upload.objects.order_by("id")
    assert len(results(page(admin, "/admin/uploads/row/", upload=str(first.pk)))) == 4
    assert len(results(page(admin, "/admin/uploads/row/", upload=str(second.pk)))) == 1
    assert len(results(page(admin, "/admin/uploads/row/", upload=str(first.pk), q="SW1A 1AA"))) == 1
    assert results(page(admin, "/admin/uploads/row/", upload="nonsense")) == []
    assert admin.get("/admin/uploads/row/", {"latitude__gt": "51"}).status_code == 400
    assert results(page(admin, "/admin/uploads/row/", o="-4")) == results(page(admin, "/admin/uploads/row/"))
