"""Webhooks: what is owed at the end of an upload, how it is signed, sent, sent again, and given up."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from standardwebhooks import Webhook, WebhookVerificationError
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.receiver import Receiver
from tests.working import work_until_ended

from uploads.models import AuditEntry, Delivery
from uploads.work.delivering import WAITS, deliver_due

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n"
SECRET = "/api/v1/webhook-secret/"
GOOD = "https://hooks.example.org/"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver on this machine, which the operator allows."""
    receiver = Receiver()
    settings.WEBHOOK_ALLOWED_HOSTS = frozenset({receiver.host})
    yield receiver
    receiver.stop()


@pytest.fixture
def ended(api: Api, consumer: FakePostcodeConsumer, receiver: Receiver) -> Json:
    """An upload that is done; its webhook is owed a delivery."""
    upload = api.upload(CSV, webhook_url=receiver.url)
    work_until_ended()
    return upload


def deliveries(api: Api, upload: Json) -> list[Json]:
    answer = api.get(f"{UPLOADS}{upload['id']}/deliveries/")
    assert answer.status_code == 200
    return answer.json()["results"]


def is_due() -> None:
    """As if the wait was over."""
    Delivery.objects.exclude(due_at=None).update(due_at=Now())


# --- what is sent --------------------------------------------------------------------------------------------------
def test_what_arrives_is_the_upload_as_its_get_shows_it_signed_as_the_published_library_checks_it(
    api: Api, receiver: Receiver, ended: Json
) -> None:
    assert deliver_due() == 1
    ((headers, body),) = receiver.calls
    shown = Webhook(api.get(SECRET).json()["secret"]).verify(body, headers)
    assert shown["state"] == "done"
    assert shown["webhook_url"] == receiver.url
    of_its_index = {"indexed_at": None, "reasons": None}
    assert {**shown, **of_its_index} == {**api.show(ended), **of_its_index}
    assert shown["links"]["self"] == f"http://testserver{UPLOADS}{ended['id']}/"
    assert headers["content-type"] == "application/json"
    assert b"51.5" not in body
    with pytest.raises(WebhookVerificationError):
        Webhook(api.get(SECRET).json()["secret"]).verify(body.replace(b"done", b"gone"), headers)


def test_its_deliveries_are_listed_with_the_last_answers(api: Api, receiver: Receiver, ended: Json) -> None:
    receiver.statuses = [500]
    for _ in range(2):
        deliver_due()
        is_due()
    (delivery,) = deliveries(api, ended)
    assert receiver.ids == [delivery["id"]] * 2
    assert receiver.calls[0][1] == receiver.calls[1][1]
    assert (delivery["event"], delivery["state"], delivery["attempts"]) == ("done", "delivered", 2)
    assert [answer["status"] for answer in delivery["answers"]] == [500, 204]
    assert deliver_due() == 0


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_other_ends_are_told_too(api: Api, consumer: FakePostcodeConsumer, receiver: Receiver, state: str) -> None:
    broken = CSV + '51.6,-0.2\n"' + "x" * 2_000_000
    upload = api.upload(CSV if state == "cancelled" else broken, webhook_url=receiver.url)
    if state == "cancelled":
        for _ in range(2):  # the second changes nothing
            assert api.post(f"{UPLOADS}{upload['id']}/cancel/").status_code == 200
    work_until_ended()
    assert deliver_due() == 1
    assert json.loads(receiver.calls[0][1])["state"] == api.show(upload)["state"] == state


def test_an_upload_that_was_retried_ends_again_and_that_is_another_delivery(
    api: Api, consumer: FakePostcodeConsumer, receiver: Receiver
) -> None:
    consumer.failing = {(53.4, -2.2)}
    upload = api.upload(f"{CSV}53.4,-2.2\n", webhook_url=receiver.url)
    work_until_ended()
    consumer.failing = set()
    api.post(f"{UPLOADS}{upload['id']}/retry/")
    work_until_ended()
    deliver_due()
    assert sorted(json.loads(body)["rows"]["failed"] for _, body in receiver.calls) == [0, 1]
    assert len(set(receiver.ids)) == 2


def test_without_a_webhook_nothing_is_owed_and_of_a_deleted_upload_nothing_is_sent(
    api: Api, consumer: FakePostcodeConsumer, receiver: Receiver, ended: Json
) -> None:
    api.upload(CSV)
    work_until_ended()
    assert Delivery.objects.count() == 1
    api.delete(f"{UPLOADS}{ended['id']}/")
    assert deliver_due() == 0
    work_until_ended()
    assert Delivery.objects.count() == 0


def test_an_end_and_what_is_owed_for_it_are_one(api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError

    upload = api.upload(CSV, webhook_url=receiver.url)
    monkeypatch.setattr("uploads.work.webhooks.Delivery.objects.bulk_create", fail)
    assert api.post(f"{UPLOADS}{upload['id']}/cancel/").status_code == 500
    assert api.show(upload)["state"] == "received"


# --- when it does not arrive ---------------------------------------------------------------------------------------
def waits(api: Api, upload: Json) -> timedelta:
    return Delivery.objects.get().due_at - Delivery.objects.values_list(Now(), flat=True).get()


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500, 503])
def test_every_other_status_is_tried_again_also_a_redirection(
    api: Api, receiver: Receiver, ended: Json, status: int
) -> None:
    receiver.statuses, receiver.headers = [status], {"Location": receiver.url}
    deliver_due()
    assert len(receiver.calls) == 1
    (delivery,) = deliveries(api, ended)
    assert (delivery["state"], delivery["answers"][0]["status"]) == ("waiting", status)
    assert timedelta(seconds=40) < waits(api, ended) < timedelta(seconds=80)


def test_a_receiver_that_is_down_is_tried_again(api: Api, receiver: Receiver, ended: Json) -> None:
    receiver.stop()
    deliver_due()
    (delivery,) = deliveries(api, ended)
    assert delivery["state"] == "waiting"
    assert [(answer["status"], answer["detail"]) for answer in delivery["answers"]] == [(None, "no connection")]


def test_a_receiver_that_is_too_slow_is_tried_again(
    api: Api, receiver: Receiver, ended: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uploads.work.delivering.CALL_SECONDS", 0.2)
    receiver.gate.clear()
    deliver_due()
    (delivery,) = deliveries(api, ended)
    assert delivery["state"] == "waiting"
    assert delivery["answers"][0]["detail"] == "no whole answer within 0.2 s"


def test_an_endless_answer_is_not_read(api: Api, receiver: Receiver, ended: Json) -> None:
    receiver.statuses, receiver.content = [200], b"x" * (64 << 20)
    deliver_due()
    assert deliveries(api, ended)[0]["state"] == "delivered"


def test_who_answers_410_is_left_alone(api: Api, receiver: Receiver, ended: Json) -> None:
    receiver.statuses = [410]
    deliver_due()
    (delivery,) = deliveries(api, ended)
    assert (delivery["state"], delivery["due_at"]) == ("given_up", None)
    is_due()
    assert deliver_due() == 0


def test_it_ends_after_the_last_wait_and_each_is_longer_than_the_one_before(
    api: Api, receiver: Receiver, ended: Json
) -> None:
    receiver.statuses = [500] * 100
    for seconds in WAITS:
        deliver_due()
        assert 0.7 * seconds < waits(api, ended).total_seconds() < 1.3 * seconds
        is_due()
    deliver_due()
    (delivery,) = deliveries(api, ended)
    assert (delivery["state"], delivery["attempts"]) == ("given_up", len(WAITS) + 1)
    assert len(delivery["answers"]) == min(10, len(WAITS) + 1)


def test_the_late_answer_of_a_lost_lease_changes_nothing(
    api: Api, receiver: Receiver, ended: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a frozen worker, whose delivery another one has claimed meanwhile."""
    from uploads.work import delivering

    note = delivering._note

    def overtaken(delivery: Delivery, answer: Json) -> None:
        monkeypatch.undo()
        is_due()
        receiver.statuses = [410]
        deliver_due()
        note(delivery, answer)

    monkeypatch.setattr(delivering, "_note", overtaken)
    deliver_due()
    assert [answer["status"] for answer in deliveries(api, ended)[0]["answers"]] == [410]


def test_what_somebody_is_sending_nobody_else_sends_until_their_lease_is_over(
    receiver: Receiver, ended: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("uploads.work.delivering._note", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
    assert deliver_due() == 0
    is_due()
    assert deliver_due() == 1
    assert len(set(receiver.ids)) == 1


def test_what_nobody_has_tried_comes_before_what_does_not_arrive(
    api: Api, consumer: FakePostcodeConsumer, receiver: Receiver, ended: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.statuses = [500]
    deliver_due()
    is_due()
    api.upload(CSV, webhook_url=receiver.url)
    work_until_ended()
    monkeypatch.setattr("uploads.work.delivering._SENT_AT_ONCE", 1)
    deliver_due()
    assert len(set(receiver.ids)) == 2


def test_all_that_is_due_is_sent_at_once(
    api: Api, consumer: FakePostcodeConsumer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        api.upload(CSV, webhook_url=receiver.url)
    work_until_ended()
    receiver.gate.clear()
    monkeypatch.setattr("uploads.work.delivering.CALL_SECONDS", 1.0)
    assert deliver_due() == 3
    assert len(receiver.calls) == 3


# --- the option ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "http://127.0.0.1/", "http://[::1]/", "https://example.org:8443/"]
)
def test_an_address_that_leads_inside_is_refused_with_the_upload(api: Api, url: str) -> None:
    problem = problem_of(api.send_form(CSV, webhook_url=url), 400, "invalid-option")
    assert problem["option"] == "webhook_url"
    assert api.get(UPLOADS).json()["results"] == []


def test_it_belongs_to_an_upload_alone(api: Api) -> None:
    answer = api.post(f"{UPLOADS}preview/?webhook_url={GOOD}", CSV.encode())
    assert "webhook_url" not in problem_of(answer, 400, "invalid-option")["accepted"]


def test_the_same_key_with_another_webhook_is_another_request(api: Api) -> None:
    def send(url: str) -> Any:
        return api.post(f"{UPLOADS}?webhook_url={url}", CSV.encode(), Idempotency_Key="k")

    assert send(GOOD).json()["id"] == send(GOOD).json()["id"]
    problem_of(send(f"{GOOD}other"), 422, "idempotency-key-reused")


# --- secrets -------------------------------------------------------------------------------------------------------
def test_each_owner_has_a_secret_that_stays_until_it_is_replaced(ann: Api, ben: Api) -> None:
    first = ann.get(SECRET).json()["secret"]
    assert first.startswith("whsec_")
    assert ann.get(SECRET).json()["secret"] == first
    assert ben.get(SECRET).json()["secret"] != first
    second = ann.post(SECRET).json()["secret"]
    assert second not in (first, ben.get(SECRET).json()["secret"])
    assert ann.get(SECRET).json()["secret"] == second
    assert [entry.action for entry in AuditEntry.objects.all()] == ["secret_replaced"]


def test_a_webhook_is_signed_with_the_secret_of_its_owner(
    ann: Api, ben: Api, consumer: FakePostcodeConsumer, receiver: Receiver
) -> None:
    ann.upload(CSV, webhook_url=receiver.url)
    work_until_ended()
    deliver_due()
    ((headers, body),) = receiver.calls
    Webhook(ann.get(SECRET).json()["secret"]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(ben.get(SECRET).json()["secret"]).verify(body, headers)


# --- the admin -----------------------------------------------------------------------------------------------------
def test_the_admin_lists_deliveries_and_sends_them_again(
    api: Api, receiver: Receiver, ended: Json, admin: Client
) -> None:
    receiver.statuses = [410]
    deliver_due()
    page = admin.get("/admin/uploads/delivery/").content.decode()
    assert "given up" in page
    assert "410" in page
    chosen = {"action": "again", "_selected_action": [Delivery.objects.get().pk]}
    admin.post("/admin/uploads/delivery/", chosen)
    assert deliver_due() == 1
    assert len(set(receiver.ids)) == 1
    assert deliveries(api, ended)[0]["state"] == "delivered"
    assert AuditEntry.objects.filter(action="delivery_again", object=ended["id"], via="admin").count() == 1


def test_the_admin_shows_and_replaces_a_secret(api: Api, admin: Client) -> None:
    secret = api.get(SECRET).json()["secret"]
    listed: Callable[[], str] = lambda: admin.get("/admin/uploads/webhooksecret/").content.decode()  # noqa: E731
    assert secret not in listed()
    (pk,) = {
        part.partition("/")[0] for part in listed().split("/admin/uploads/webhooksecret/")[1:] if part[0].isdigit()
    }
    assert secret in admin.get(f"/admin/uploads/webhooksecret/{pk}/change/").content.decode()
    admin.post("/admin/uploads/webhooksecret/", {"action": "replace", "_selected_action": [pk]})
    assert api.get(SECRET).json()["secret"] != secret
