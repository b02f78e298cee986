"""Celery as the second driver of the work engine: `celery -A reader_config worker` and `celery -A reader_config beat`.

A message says only "look whether there is work", so it may be lost, doubled or late: the truth about the work is in the
database. Without CELERY_BROKER_URL nothing of this is imported.
"""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reader_config.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if not settings.CELERY_BROKER_URL:  # Celery itself would go looking for a RabbitMQ on this machine
    raise ImproperlyConfigured("CELERY_BROKER_URL is not set. Celery needs it: see .env.example.")

#: The tasks, in uploads/work/celery_tasks.py.
LOOK, MAINTENANCE = "look", "maintenance"
#: And the one for others to send, with the name of a source and a path in it: uploads/accepting/celery_tasks.py.
INGEST = "ingest"
#: How long one look may go on, in seconds.
LOOK_SECONDS = 60.0
#: A look is worth nothing when it is older than this (seconds): beat has sent others since. It keeps the queue short.
#: Far more than the clocks of two machines may differ, because a look whose time is over is thrown away.
LOOK_EXPIRES = 60.0
#: How long the broker may take for one step, in seconds. The client of Redis tries each four times.
BROKER_TIMEOUT = 3.0
#: How often beat says "look", in seconds.
BEAT_SECONDS = 5.0
#: And how often it has the service tidy up.
MAINTENANCE_SECONDS = 300.0

app = Celery("reader_config", include=["uploads.work.celery_tasks", "uploads.accepting.celery_tasks"])
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_timeout=BROKER_TIMEOUT,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a broker may be away for as long as it likes
    task_default_queue="uploads",
    task_default_delivery_mode="transient",  # losing a look loses nothing
    task_ignore_result=True,
    task_publish_retry=False,
    # A look is acknowledged when it is over: that of a killed process goes to another at once.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # Flower and others that listen see the looks come and go.
    worker_send_task_events=True,
    task_send_sent_event=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the work needs no broker
    # After an outage of the broker the same look may run twice, which is harmless; without this, only one process
    # would be woken until the looks from before the outage are over.
    worker_enable_prefetch_count_reduction=False,
    # On Redis, its subscription is the only connection that is read while every process is busy. Without it, a loss of
    # the broker goes unnoticed then, the acknowledgements fail, and the worker waits for them for ever.
    worker_enable_remote_control=True,
    beat_schedule={
        "look": {"task": LOOK, "schedule": BEAT_SECONDS, "options": {"expires": LOOK_EXPIRES}},
        "maintenance": {
            "task": MAINTENANCE,
            "schedule": MAINTENANCE_SECONDS,
            "options": {"expires": MAINTENANCE_SECONDS},
        },
    },
    beat_scheduler="celery.beat:Scheduler",  # in memory: one that sends the same every few seconds remembers nothing
)
if settings.CELERY_BROKER_URL.startswith("redis"):
    app.conf.broker_transport_options = {
        # Redis has no acknowledgements of its own: after this time a look that was not acknowledged is delivered again.
        # Longer than any look, whose last lookup ends before its lease does.
        "visibility_timeout": max(300.0, LOOK_SECONDS + settings.LEASE.total_seconds()),
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # Without these, a process whose broker has fallen silent hears no SIGTERM: it waits for ever.
        "socket_connect_timeout": BROKER_TIMEOUT,
        "socket_timeout": BROKER_TIMEOUT,
    }


@setup_logging.connect
def _leave_logging_to_django(**_: object) -> None:
    """That somebody listens keeps Celery from setting up logs of its own; settings.LOGGING is in force already."""
