"""Who wants to write to SQLite while somebody else does."""

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from tests.working import in_thread

from uploads.models import Area

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite"),
]


def write(ident: int) -> None:
    with transaction.atomic():
        Area.objects.create(pk=ident)


def test_whoever_waits_gets_its_turn_however_long_that_takes() -> None:
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        write(2)

    with transaction.atomic():
        Area.objects.create(pk=1)
        waiting = in_thread(wait)
        assert begun.wait(10)
        end = time.monotonic() + 1
        while time.monotonic() < end:  # as long as a large transaction takes
            assert not waiting.done()
            time.sleep(0.01)
    waiting.result(10)
    assert Area.objects.count() == 2


def test_whose_turn_does_not_come_is_told_and_can_write_later(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "timeout", 0.2)
    with transaction.atomic():
        Area.objects.create(pk=1)
        with pytest.raises(OperationalError, match="locked"):
            in_thread(write, 2).result(10)
    write(2)
    assert Area.objects.count() == 2
