"""Webhooks as workers send them: a slow receiver keeps nobody waiting, and no kill loses one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.functions import Now
from standardwebhooks import Webhook
from tests.api import UPLOADS, Api, Json
from tests.receiver import Receiver
from tests.running import WorkerProcess, wait_for

from uploads.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
CSV = "lat,lon\n51.501009,-0.141588\n"


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    settings.WEBHOOK_ALLOWED_HOSTS = frozenset({receiver.host})
    monkeypatch.setenv("WEBHOOK_ALLOWED_HOSTS", f"127.0.0.1:{receiver.port}")
    yield receiver
    receiver.stop()


def state_of(api: Api, upload: Json) -> str:
    (delivery,) = api.get(f"{UPLOADS}{upload['id']}/deliveries/").json()["results"]
    return str(delivery["state"])


def test_while_a_receiver_does_not_answer_the_work_goes_on(
    api: Api, receiver: Receiver, start_worker: StartWorker
) -> None:
    receiver.gate.clear()
    first = api.upload(CSV, webhook_url=receiver.url)
    worker = start_worker()
    wait_for(lambda: receiver.calls)
    second = api.upload(CSV)
    wait_for(lambda: api.show(second)["state"] == "done")
    assert Delivery.objects.get().answers == []
    # Who is told to stop waits for the answer that is still to come.
    worker.process.terminate()
    receiver.gate.set()
    assert worker.process.wait(timeout=30) == 0
    assert state_of(api, first) == "delivered"


@pytest.mark.parametrize(
    ("point", "times"),
    [
        ("uploads.work.leases.announce after 1", 1),
        ("uploads.work.delivering._claim after 1", 1),
        ("uploads.work.delivering._note before 1", 2),
    ],
)
def test_killed_at_any_moment_a_webhook_is_sent_by_another_worker_with_the_same_id_and_words(
    api: Api, receiver: Receiver, start_worker: StartWorker, point: str, times: int
) -> None:
    """Killed before the end of the upload is committed, with a delivery claimed, and after the receiver has it."""
    upload = api.upload(CSV, webhook_url=receiver.url)
    start_worker(DIE_AT=point, LEASE_SECONDS="2").wait_until_killed()
    Delivery.objects.update(due_at=Now())
    start_worker(LEASE_SECONDS="2")
    wait_for(lambda: api.show(upload)["state"] == "done" and state_of(api, upload) == "delivered")
    assert len(receiver.calls) == times
    assert len({(headers["webhook-id"], body) for headers, body in receiver.calls}) == 1
    for headers, body in receiver.calls:
        Webhook(api.get("/api/v1/webhook-secret/").json()["secret"]).verify(body, headers)
