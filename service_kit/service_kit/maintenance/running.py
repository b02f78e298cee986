"""Runs the jobs of maintenance, one after the other; of all machines that share the database, one at a time.

Every job may be ended at any moment, and run again: a second run that begins because the first one stood still for
longer than its lease does no harm.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from service_kit.maintenance.models import MaintenanceRun

logger = logging.getLogger(__name__)

#: How long one job may go on, in seconds. What is left waits for the next run.
JOB_SECONDS = 120.0
#: Renewed before each job. After a run that was killed, the next one begins when it is over.
_LEASE = timedelta(minutes=10)


class Job(NamedTuple):
    """`do(dry_run, is_over)` says how many things it did. It looks at `is_over` between two of them, and with `dry_run`
    it counts what it would do, and changes nothing."""

    name: str
    do: Callable[[bool, Callable[[], bool]], int]


@dataclass(frozen=True)
class Outcome:
    """`error` is empty unless the job failed; what was done until then is not known."""

    job: str
    done: int
    seconds: float
    error: str = ""


class BusyError(Exception):
    """Another run is under way."""


def maintain(*, dry_run: bool = False, is_stopping: Callable[[], bool] = lambda: False) -> list[Outcome]:
    """Runs every job of MAINTENANCE_JOBS, also after one that failed. Raises BusyError."""
    jobs: Sequence[Job] = import_string(settings.MAINTENANCE_JOBS)
    if dry_run:
        return [_outcome(job, dry_run, is_stopping) for job in jobs]
    with _leased() as renew_and_note:
        outcomes: list[Outcome] = []
        for job in jobs:
            if is_stopping() or not renew_and_note(outcomes):
                break
            outcomes.append(_outcome(job, dry_run, is_stopping))
    return outcomes


def _outcome(job: Job, dry_run: bool, is_stopping: Callable[[], bool]) -> Outcome:
    began = time.monotonic()
    try:
        done, error = job.do(dry_run, lambda: is_stopping() or time.monotonic() - began > JOB_SECONDS), ""
    except Exception as failure:  # the others have their turn
        logger.exception("maintenance failed job=%s", job.name)
        done, error = 0, f"{type(failure).__name__}: {failure}"
    outcome = Outcome(job.name, done, round(time.monotonic() - began, 3), error)
    if not error:
        logger.info("maintenance job=%s done=%d seconds=%.3f dry_run=%s", job.name, done, outcome.seconds, dry_run)
    return outcome


@contextmanager
def _leased() -> Iterator[Callable[[list[Outcome]], bool]]:
    """Gives a function that writes down what was done so far, renews the lease, and says whether it still is ours."""
    rows = MaintenanceRun.objects.all()
    rows.bulk_create([MaintenanceRun()], ignore_conflicts=True)
    owner = secrets.randbits(63)
    # A lease that ends later than any can is from before the database's clock was set back.
    free = Q(lease_until=None) | Q(lease_until__lte=Now()) | Q(lease_until__gt=Now() + 2 * _LEASE)
    begun = {"owner": owner, "lease_until": Now() + _LEASE, "began_at": Now(), "ended_at": None, "report": []}
    if not rows.filter(free).update(**begun):
        raise BusyError
    done: list[Outcome] = []

    def renew_and_note(outcomes: list[Outcome]) -> bool:
        nonlocal done
        done = outcomes
        report = [asdict(outcome) for outcome in outcomes]
        return rows.filter(owner=owner).update(lease_until=Now() + _LEASE, report=report) > 0

    try:
        yield renew_and_note
    finally:
        report = [asdict(outcome) for outcome in done]
        rows.filter(owner=owner).update(lease_until=None, ended_at=Now(), report=report)
