"""Wakes idle workers: those of `manage.py worker` by their bells, Celery's through the broker, when there is one."""

import functools
import logging
import os
import threading
import time

from django.conf import settings

from uploads.work.bell import ring_bells

logger = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE = 5.0  # seconds
_wanted = threading.Event()


def wake_workers() -> None:
    """Says "look whether there is work" to the idle workers, to one of Celery's. To be called after the commit.

    Returns at once and never fails, whatever the broker does: a thread sends the message, and what it cannot send is
    only logged, because beat and the poll loop look anyway. Calls that come while it is sending become one message.
    """
    ring_bells()
    if settings.CELERY_BROKER_URL:
        _start_sender(os.getpid())
        _wanted.set()


@functools.cache
def _start_sender(process_id: int) -> None:
    """One for each process: a fork has no threads. Two first calls at once start two, which is harmless."""
    threading.Thread(target=_send_looks, name="wake", daemon=True).start()


def _send_looks() -> None:
    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            _send_look()
        except Exception as error:  # noqa: BLE001 - every transport has errors of its own, and none may end the thread
            logger.warning("the broker cannot be told to wake workers: %s", error)
            time.sleep(_PAUSE_AFTER_FAILURE)


def _send_look() -> None:
    from reader_config.celery import BROKER_TIMEOUT, LOOK, LOOK_EXPIRES, app

    redis = settings.CELERY_BROKER_URL.startswith("redis")  # has its timeouts in the app's settings
    options = (
        {} if redis else {"read_timeout": BROKER_TIMEOUT, "write_timeout": BROKER_TIMEOUT, "confirm_publish": True}
    )
    # A new connection each time: an idle one may have been closed at the other end, and takes a message all the same.
    with app.connection_for_write(transport_options=options) as connection:
        app.send_task(LOOK, connection=connection, expires=LOOK_EXPIRES)
