"""A day in an operator's life: seven things go wrong, one after the other, and are mended as docs/operating.md says.

    unshare --user --map-root-user --mount python tests/day/day.py --into var/day     # make day

A real stack with a real Prometheus, whose rules have their durations divided by FACTOR (drill.py), as has the lease of
workers; all other times of the product are the usual ones. In each event an upload is at work, and in the end each of
its rows must be the truth. Into the folder go day.json (what fired and when, what was typed, what panels and pages
showed), transcript.txt (what commands printed) and pictures; docs/operator-day.md is written from them. It needs
Prometheus, Chromium and the right to mount a small disk.
"""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

import psutil
from browser import real_browser
from country import POSTCODES, csv_of
from drill import FACTOR, HOUR, Day, Event, hurried_rules
from postcodes_io import running_postcodes_io
from real_prometheus import prometheus
from stack import ROOT, Stack, wait_for

#: Before migration 0012 of uploads: three migrations of file_reader and one of lookups are run by the upgrade.
OLD = "52b89c9"
ROWS = 20_000
MIB = 1024 * 1024
DISK, FLOOR = 256 * MIB, 32 * MIB
SETTINGS = {
    "AUTH": "required",
    "PROVIDER": "postcodes_io",
    "POSTCODES_IO_CALLS_PER_SECOND": "15",
    "CHUNK_ROWS": "400",
    "LEASE_SECONDS": str(round(90 / FACTOR) + 1),
    "MIN_FREE_BYTES": str(FLOOR),
    "REQUESTS_PER_MINUTE": "0",
}
WITH_KEY = '-H "Authorization: Bearer $KEY"'
SERVICES = ("file_reader", "postcode_consumer")
MANAGE = "../.venv/bin/python manage.py"


# --- what goes wrong -------------------------------------------------------------------------------------------------
def upstream_is_down(day: Day) -> None:
    """For an hour, in which known locations are answered and all else waits."""
    content = csv_of(ROWS, seed=1)
    with day.event("Upstream is down for an hour") as event:
        upload = day.at_work(content)
        event.begun = time.time()
        day.upstream.fail(status=503)
        day.wait_for_alerts(event, "BreakerOpen", "UploadsWait", seconds=HOUR)
        day.type(event, "curl -s $URL/status/")
        day.type(event, f"curl -s {WITH_KEY} $URL/api/v1/uploads/$ID/", ID=upload["id"])
        day.type(event, f"{MANAGE} show_upload $ID", ID=upload["id"])
        day.type(event, "curl -sI $POSTCODES_IO_URL/postcodes")
        look_around(day, event, upload)
        day.ask(event, "postcode_consumer_breaker_open")
        day.ask(event, "sum by (provider, outcome) (rate(postcode_consumer_upstream_calls_total[5m]))")
        time.sleep(max(event.begun + HOUR - time.time(), 0))
        day.upstream.recover()
        event.mark("upstream is back")
        day.goes_on(event, upload)
        day.done(event, upload, content)


def disk_fills(day: Day) -> None:
    """Something else writes until nothing is free."""
    data, content = Path(day.stack.environment["DATA_DIR"]), csv_of(ROWS, seed=2)
    ballast = data / "core.4711"
    with day.event("The disk fills") as event:
        event.begun = time.time()
        fill(ballast, leaving=FLOOR * 3 // 2)
        day.wait_for_alerts(event, "DiskNearlyFull")
        upload = day.at_work(content)
        fill(ballast, leaving=FLOOR // 2)
        event.mark("below MIN_FREE_BYTES")
        refused = day.stack.call("POST", "/api/v1/uploads/", files={"file": ("file.csv", content)})
        assert (refused.status_code, refused.json()["type"]) == (507, "/problems/disk-nearly-full"), refused.text
        event.said["refused"] = refused.json()["detail"]
        fill(ballast, leaving=0)
        event.mark("full")
        wait_for(lambda: day.logged("database trouble"), "workers are in trouble")
        event.mark("workers are in trouble")
        day.wait_for_alerts(event, "DatabaseTrouble", seconds=120)
        day.type(event, "df -h $DATA_DIR; du -sh $DATA_DIR/* | sort -h")
        look_around(day, event, upload)
        day.ask(event, "file_reader_disk_free_bytes")
        day.ask(event, "sum(increase(file_reader_worker_database_trouble_total[15m]))")
        day.type(event, "rm $DATA_DIR/core.4711")
        event.mark("room is made")
        day.goes_on(event, upload)
        day.done(event, upload, content)
        again = day.stack.upload(content)
        event.mark("the refused file is taken")
        day.done(event, again, content)


def worker_hangs(day: Day) -> None:
    """One of two is frozen with a chunk in its hands, and comes back when somebody else has done it."""
    content = csv_of(ROWS, seed=3)
    with day.event("A worker hangs") as event:
        upload = day.at_work(content)
        frozen, refused = freeze_one_at_work(day), day.logged("stale write refused")
        event.begun = time.time()
        wait_for(lambda: frozen.pid not in leased_by(day.stack), "its chunk is taken over")
        event.mark("its chunk is taken over")
        day.wait_for_alerts(event, "WorkerHangs")
        day.ask(event, "file_reader_worker_silent_seconds")
        day.ask(event, "sum by (instance, found) (rate(file_reader_worker_rounds_total[5m]))")
        day.type(event, f"{MANAGE} show_upload $ID", ID=upload["id"])
        day.type(event, "ps -o pid,stat,wchan:20,etime,args -C python,python3 | grep '[m]anage.py worker'")
        look_around(day, event, upload)
        day.done(event, upload, content)
        day.type(event, f"kill -CONT {frozen.pid}")
        event.mark("it is woken")
        wait_for(lambda: day.logged("stale write refused") > refused, "its late write is refused")
        event.mark("its late write is refused")
        wait_for(lambda: "WorkerHangs" not in day.firing(), "the alert is over")
        event.mark("the alert is over")


def upload_is_stuck(day: Day) -> None:
    """Both workers hang: one upload stays where it is, and another is not begun."""
    content, other = csv_of(ROWS, seed=4), csv_of(500, seed=5)
    with day.event("An upload is stuck") as event:
        upload = day.at_work(content)
        workers = day.stack.processes("manage.py worker")
        for worker in workers:
            worker.suspend()
        event.begun = time.time()
        waiting = day.stack.upload(other)
        day.wait_for_alerts(event, "TargetDown", "ChunksOverdue", "UploadNotBegun", seconds=HOUR)
        look_around(day, event, upload)
        day.see(event, "stuck", "/admin/uploads/upload/?stuck=yes")
        assert day.page.locator("#result_list tbody tr").count() == 1
        event.did("the admin, Uploads, filter stuck: it is there")
        day.ask(event, "file_reader_oldest_chunk_seconds")
        day.ask(event, "file_reader_oldest_upload_seconds")
        day.type(event, f"{MANAGE} show_upload $ID", ID=upload["id"])
        day.type(event, "ps -o pid,stat,wchan:20,etime,args -C python,python3 | grep '[m]anage.py worker'")
        day.type(event, f"kill -9 {' '.join(str(worker.pid) for worker in workers)}")
        event.mark("they are killed")
        day.goes_on(event, upload)
        day.done(event, upload, content)
        day.done(event, waiting, other)


def key_leaks(day: Day) -> None:
    """Somebody else has the key of a program, and sends a file with it."""
    content, foreign = csv_of(ROWS, seed=6), csv_of(100, seed=7)
    make = f'{MANAGE} make_key anna --create-user --name "the map"'
    with day.event("A key leaks") as event:
        leaked, owners = day.type(event, make).strip(), day.stack.headers
        day.stack.headers = {"Authorization": f"Bearer {leaked}"}
        upload = day.at_work(content)
        day.stack.upload(foreign)
        event.begun = time.time()
        day.page.goto(f"{day.stack.url}/admin/uploads/apikey/?q={leaked[:12]}")
        day.page.check("#result_list tbody input[type=checkbox]")
        new = day.type(event, f'{MANAGE} make_key anna --name "the map, 2"').strip()
        event.did("the admin, API keys: searched for its beginning, ticked, Delete selected, Yes")
        day.page.select_option("select[name=action]", "delete_selected")
        day.page.click("button[name=index]")
        day.page.click("input[type=submit]")
        event.mark("the key is deleted")
        wait_for(lambda: day.stack.call("GET", "/api/v1/uploads/").status_code == 401, "the key opens nothing")
        event.mark("the key opens nothing")
        event.did(f"the admin, Audit entries: searched for {leaked[:12]}")
        day.see(event, "audit", f"/admin/uploads/auditentry/?q={leaked[:12]}")
        assert day.page.locator("#result_list tbody tr", has_text="upload accepted").count() == 2
        day.ask(event, "sum by (status) (rate(gateway_request_seconds_count[5m]))")
        day.stack.headers = {"Authorization": f"Bearer {new}"}
        found = day.type(event, f"curl -s {WITH_KEY} $URL/api/v1/uploads/")
        (sent,) = set(re.findall(r'"id":\s*"([0-9a-f-]{36})"', found)) - {upload["id"]}
        day.type(event, f"curl -s -X DELETE {WITH_KEY} $URL/api/v1/uploads/{sent}/")
        event.mark("what was sent with it is deleted")
        day.done(event, upload, content)
        day.stack.headers = owners


def upgrade(day: Day) -> None:
    """In the middle of an upload; what the old version has begun, the new one ends."""
    old = day.folder / "old"
    old.mkdir()
    archive = subprocess.run(["git", "archive", OLD], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=old, input=archive, check=True)
    (old / ".venv").symlink_to(ROOT / ".venv")
    content, ended = csv_of(ROWS, seed=9), csv_of(1_000, seed=8)
    with day.event("An upgrade with work in progress") as event:
        with day.running("data-2", root=old, PYTHONPATH=f"{old}/service_kit:{old}/cli") as stack:
            before = stack.upload(ended)
            stack.wait_until_done(before)
            kept = stack.result(before)
            upload = day.at_work(content)
            event.begun = time.time()
            event.did("Ctrl-C in the terminal of make run")
        event.mark("the old version has ended")
        day.type(event, "cp -a $DATA_DIR $DATA_DIR.before")
        event.did("the new code and its requirements; make run")
        with day.running("data-2", as_before=True) as stack:
            event.mark("the new version is ready")
            look_around(day, event, upload)
            day.ask(event, "time() - process_start_time_seconds")
            result = day.done(event, upload, content)
            again = stack.upload(content)
            stack.wait_until_done(again)
            assert (stack.result(before), stack.result(again)) == (kept, result)


def data_dir_is_lost(day: Day) -> None:
    """Some seconds after a backup, while all goes on."""
    content, ended, late = csv_of(ROWS, seed=11), csv_of(1_000, seed=10), csv_of(100, seed=12)
    with day.event("DATA_DIR is lost") as event:
        with day.running("data-3") as stack:
            before = stack.upload(ended)
            stack.wait_until_done(before)
            kept = stack.result(before)
            upload = day.at_work(content)
            for service in SERVICES:
                day.type(event, f"{MANAGE} backup $BACKUPS/{service}.tar", service, BACKUPS=str(day.folder))
            lost, at_first = stack.upload(late), day.firing()
            event.begun = time.time()
            for path in Path(stack.environment["DATA_DIR"]).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            wait_for(lambda: day.firing() - at_first, "something fires", seconds=HOUR)
            event.mark("something fires")
            day.type(event, "curl -s $URL/status/")
            day.see(event, "status", "/status/")
            day.ask(event, "up")
            event.did("Ctrl-C in the terminal of make run")
        event.mark("the stack has ended")
        day.type(event, "rm -rf $DATA_DIR", "")
        for service in SERVICES:
            day.type(event, f"{MANAGE} migrate", service)
            day.type(event, f"{MANAGE} restore $BACKUPS/{service}.tar", service, BACKUPS=str(day.folder))
        event.mark("restored")
        event.did("make run")
        with day.running("data-3", as_before=True) as stack:
            event.mark("ready")
            look_around(day, event, upload)
            stack.wait_until_done(before)
            assert stack.result(before) == kept
            day.done(event, upload, content)
            assert stack.call("GET", lost["links"]["self"]).status_code == 404
            event.loss = "what was sent after the backup: one upload"


# --- what they need --------------------------------------------------------------------------------------------------
def look_around(day: Day, event: Event, upload: dict[str, Any]) -> None:
    day.see(event, "status", "/status/")
    day.see(event, "admin", "/admin/")
    day.see(event, "upload", f"/uploads/{upload['id']}/")


def fill(ballast: Path, *, leaving: int) -> None:
    """Grows that file until only so many bytes are free."""
    with ballast.open("ab") as file:
        os.posix_fallocate(file.fileno(), file.tell(), shutil.disk_usage(ballast.parent).free - leaving)


def leased_by(stack: Stack) -> set[int]:
    """The processes that hold chunks."""
    with closing(sqlite3.connect(Path(stack.environment["DATA_DIR"]) / "file_reader.sqlite3", timeout=30)) as database:
        held = database.execute("SELECT worker FROM uploads_chunk WHERE state = 'leased'").fetchall()
    return {int(worker.rpartition(":")[2]) for (worker,) in held}


def freeze_one_at_work(day: Day) -> psutil.Process:
    """A worker that holds a chunk, and will as long as it is frozen."""
    while True:
        for worker in day.stack.processes("manage.py worker"):
            worker.suspend()
            if worker.pid in leased_by(day.stack):
                return worker
            worker.resume()


EVENTS = (upstream_is_down, disk_fills, worker_hangs, upload_is_stuck, key_leaks, upgrade, data_dir_is_lost)
#: These begin with stacks of their own.
LAST = (upgrade, data_dir_is_lost)


def main() -> None:
    parser = argparse.ArgumentParser(description="A day in an operator's life.")
    parser.add_argument("--into", type=Path, required=True, help="a new folder for the record")
    parser.add_argument("--port", type=int, default=26_000, help="the first of seven free ports; default: %(default)s")
    parser.add_argument("--only", nargs="*", default=[event.__name__ for event in EVENTS], help="some of: %(default)s")
    options = parser.parse_args()
    folder: Path = options.into.resolve()
    (folder / "data-1").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", folder / "data-1"], check=True)
    names = ("GATEWAY_PORT", "FILE_READER_PORT", "POSTCODE_CONSUMER_PORT", "GATEWAY_METRICS_PORT")
    ports = {name: options.port + number for number, name in enumerate((*names, "WORKER_METRICS_PORT"))}
    jobs = {
        "gateway": [ports["GATEWAY_METRICS_PORT"]],
        "file_reader": [ports["FILE_READER_PORT"]],
        "postcode_consumer": [ports["POSTCODE_CONSUMER_PORT"]],
        "worker": [ports["WORKER_METRICS_PORT"], ports["WORKER_METRICS_PORT"] + 1],
    }
    own, saved = options.port + 6, hurried_rules(folder / "rules.yml")
    with (
        running_postcodes_io(POSTCODES, answer_fields="small") as upstream,
        prometheus(folder / "prometheus", own, jobs, rules=folder / "rules.yml", seconds=1),
        real_browser() as browser,
    ):
        settings = SETTINGS | {name: str(port) for name, port in ports.items()} | {"POSTCODES_IO_URL": upstream.url}
        day = Day(folder, own, saved, upstream, browser, settings)
        wanted = [event for event in EVENTS if event.__name__ in options.only]
        with day.running("data-1"):
            for play in (event for event in wanted if event not in LAST):
                play(day)
        for play in (event for event in wanted if event in LAST):
            play(day)
    print(f"\nDone: {folder}/day.json")


if __name__ == "__main__":
    main()
