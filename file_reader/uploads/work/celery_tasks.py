"""The tasks of Celery: to look whether there is work, and do it with the same function as `manage.py worker`; and to
tidy up."""

import contextlib
import functools
import mmap

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings

from reader_config.celery import LOOK, LOOK_SECONDS, MAINTENANCE, app
from service_kit import metrics
from service_kit.maintenance.running import BusyError, maintain
from uploads import counters
from uploads.work.loop import work
from uploads.work.wake import wake_workers
from uploads.work.worker import Worker

# The main process of `celery worker` alone gets SIGTERM. Its children see it through one byte of shared memory that is
# made before they are forked: no lock, because a child that is killed would hold it for ever.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _ask_children_to_stop(**_: object) -> None:
    _stopping[0] = 1


@worker_ready.connect
def _show_metrics(**_: object) -> None:
    """The main process shows what its children count, in the folder that PROMETHEUS_MULTIPROC_DIR names."""
    counters.begin()
    metrics.listen(settings.METRICS_HOST, settings.WORKER_METRICS_PORT)


@functools.cache
def _worker() -> Worker:
    """This process's worker: it remembers outages from one look to the next."""
    return Worker(is_stopping=lambda: _stopping[0] == 1)


@app.task(name=LOOK)
def look() -> None:
    """Works until there is nothing to do, for at most about LOOK_SECONDS; leaves no lease behind.

    A look that finds work sends one more, which wakes the next idle process: never more than one for each.
    """
    work(_worker(), until_idle=True, seconds=LOOK_SECONDS, on_first_work=wake_workers)


@app.task(name=MAINTENANCE)
def tidy_up() -> None:
    """The same as `manage.py maintenance`. It may be lost or doubled: the next one does what is left."""
    with contextlib.suppress(BusyError):
        maintain(is_stopping=lambda: _stopping[0] == 1)
