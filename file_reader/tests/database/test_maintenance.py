"""`manage.py maintenance`: what it removes, that one run is under way at a time, and what is known of the last one."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from service_kit.maintenance import running
from service_kit.maintenance.models import MaintenanceRun
from service_kit.maintenance.running import BusyError, Job, maintain
from uploads.models import AuditEntry, Upload

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n"


def run(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("maintenance", *arguments, stdout=out)
    return [line.split("  (")[0].strip() for line in out.getvalue().splitlines()]


@pytest.fixture
def something_of_each(api: Api, consumer: FakePostcodeConsumer, settings: Any, data_dir: Path) -> None:
    settings.UPLOAD_KEEP_DAYS = 1
    for _ in range(7):
        api.upload(CSV)
    work_until_ended()
    Upload.objects.update(finished_at=Now() - timedelta(days=2))
    AuditEntry.objects.update(at=Now() - timedelta(days=1_000))
    (data_dir / "uploads" / "incoming" / "dead.part").write_text("half of a file")
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=Now() + timedelta(days=days))


@pytest.mark.usefixtures("something_of_each")
def test_a_run_removes_what_is_over_and_the_next_one_finds_nothing(data_dir: Path) -> None:
    before = set(data_dir.rglob("*"))
    names = ("expired uploads", "abandoned files", "old audit entries", "old sessions", "old minutes of the charts")
    counted = list(zip(names, (7, 1, 7, 1, 0), strict=True))
    assert run("--dry-run") == [f"{name:<22} would do: {count}" for name, count in counted]
    assert set(data_dir.rglob("*")) == before
    assert (Upload.objects.count(), AuditEntry.objects.count(), Session.objects.count()) == (7, 7, 2)
    assert run() == [f"{name:<22} done: {count}" for name, count in counted]
    assert not Upload.objects.exists()
    assert [path for path in data_dir.rglob("*") if path.suffix in (".csv", ".part")] == []
    assert [session.pk for session in Session.objects.all()] == ["new"]
    assert run()[0] == "expired uploads        done: 0"


def test_one_run_at_a_time_and_a_dead_one_is_not_waited_for_longer_than_its_lease(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    inside = []

    def meanwhile(dry_run: bool, is_over: Any) -> int:
        with pytest.raises(BusyError):
            maintain()
        assert run() == ["Another run is under way: nothing was done."]
        inside.append(True)
        return 3

    monkeypatch.setattr("uploads.work.housekeeping.JOBS", (Job("meanwhile", meanwhile),))
    assert [outcome.done for outcome in maintain()] == [3]
    assert inside
    MaintenanceRun.objects.update(lease_until=Now() + timedelta(seconds=60), owner=7)
    with pytest.raises(BusyError):
        maintain()
    MaintenanceRun.objects.update(lease_until=Now() - timedelta(seconds=1))
    monkeypatch.setattr("uploads.work.housekeeping.JOBS", ())
    assert maintain() == []
    # The clock of the database was set back since.
    MaintenanceRun.objects.update(lease_until=Now() + timedelta(days=1), owner=7)
    assert maintain() == []


def test_a_job_that_fails_keeps_no_other_from_its_turn_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(dry_run: bool, is_over: Any) -> int:
        raise PermissionError("not allowed to remove it")

    jobs = (Job("bad", fail), Job("good", lambda dry_run, is_over: 2))
    monkeypatch.setattr("uploads.work.housekeeping.JOBS", jobs)
    with pytest.raises(CommandError, match="These failed: bad"):
        run()
    report = MaintenanceRun.objects.get()
    assert [(job["job"], job["done"], job["error"]) for job in report.report] == [
        ("bad", 0, "PermissionError: not allowed to remove it"),
        ("good", 2, ""),
    ]
    assert report.began_at
    assert report.ended_at
    assert report.lease_until is None


def test_a_run_whose_lease_somebody_else_has_begins_no_further_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(dry_run: bool, is_over: Any) -> int:
        MaintenanceRun.objects.update(owner=7)
        return 1

    def never(dry_run: bool, is_over: Any) -> int:
        raise AssertionError

    monkeypatch.setattr("uploads.work.housekeeping.JOBS", (Job("lose", lose), Job("never", never)))
    assert [outcome.job for outcome in maintain()] == ["lose"]
    assert MaintenanceRun.objects.get().ended_at is None


@pytest.mark.usefixtures("something_of_each")
def test_a_job_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "JOB_SECONDS", 0.0)
    assert run()[0] == "expired uploads        done: 0"
    assert Upload.objects.count() == 7
