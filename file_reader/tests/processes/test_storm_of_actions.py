"""People who click everything in the admin while workers run."""

import random
import time
from collections.abc import Callable

import pytest
from django.test import Client
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, postcode_at
from tests.invariant import FILE, LOCATIONS, ROWS, assert_invariant
from tests.running import WorkerProcess, wait_for

from uploads.models import ENDED_STATES, OPEN_STATES, AuditAction, AuditEntry, Upload, UploadState

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
UPLOADS = 8
SECONDS = 6.0
#: How often each is clicked, of a hundred times.
CLICKS = {"pause": 30, "resume": 35, "retry": 25, "cancel": 7, "delete": 3}


def click(admin: Client, action: str, keys: list[int]) -> None:
    data = {"action": action, "_selected_action": keys, "confirmed": "1"}
    assert admin.post("/admin/uploads/upload/", data).status_code == 302


def all_are_done() -> bool:
    """Whether each action that takes an open upload, or a failed row, has met one."""
    done = AuditEntry.objects.values_list("action", flat=True).distinct()
    return {AuditAction.UPLOAD_PAUSED, AuditAction.UPLOAD_RESUMED, AuditAction.UPLOAD_RETRIED} <= set(done)


def test_a_storm_of_actions_loses_nothing_and_every_state_is_legal(
    admin: Client, api: Api, consumer: FakePostcodeConsumer, start_worker: StartWorker
) -> None:
    rng = random.Random(21)
    consumer.failing = set(LOCATIONS[::10])
    keys = [Upload.objects.get(public_id=api.upload(FILE)["id"]).pk for _ in range(UPLOADS)]
    for _ in range(2):
        start_worker(CHUNK_ROWS="10")
    wait_for(lambda: Upload.objects.filter(state=UploadState.DONE).count() >= 2)
    cancelled: set[int] = set()
    deleted: set[int] = set()
    begun = time.monotonic()
    while time.monotonic() < begun + SECONDS or not all_are_done():
        assert time.monotonic() < begun + 6 * SECONDS
        (action,) = rng.choices(list(CLICKS), list(CLICKS.values()))
        chosen = rng.sample(keys, rng.randint(1, 3 if action in ("pause", "resume", "retry") else 1))
        click(admin, action, chosen)
        if action == "delete":  # a worker may have removed it before anybody looks
            deleted.update(chosen)
        now = {upload.pk: upload for upload in Upload.objects.all()}
        # Both are for good.
        assert all(now[key].state == UploadState.CANCELLED for key in cancelled & now.keys())
        assert all(now[key].deleted_at for key in deleted & now.keys())
        assert all(key in deleted for key in keys if key not in now)
        assert all(one.paused_at is None for one in now.values() if one.state in ENDED_STATES)
        cancelled |= {key for key, upload in now.items() if upload.state == UploadState.CANCELLED}
    assert_invariant()

    consumer.failing = set()
    click(admin, "resume", keys)
    wait_for(lambda: not Upload.objects.filter(state__in=OPEN_STATES, deleted_at=None).exists())
    click(admin, "retry", keys)
    wait_for(lambda: not Upload.objects.exclude(indexed_at__isnull=False, deleted_at=None).exists())
    assert_invariant()
    left = list(Upload.objects.order_by("pk"))
    assert {upload.pk for upload in left} == set(keys) - deleted
    assert {upload.pk for upload in left if upload.state == UploadState.CANCELLED} == cancelled - deleted
    for upload in left:
        shown = api.show({"id": str(upload.public_id)})
        answered = [row for row in api.rows({"id": str(upload.public_id)}) if row["status"] == "match"]
        assert all(row["postcode"] == postcode_at(*LOCATIONS[row["row"] - 1]) for row in answered)
        if upload.state != UploadState.CANCELLED:
            assert (shown["state"], shown["rows"]["matched"], len(answered)) == ("done", ROWS, ROWS)
