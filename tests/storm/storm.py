"""The storm: the whole stack at work while everything is killed, frozen, cut off or lied to. Is all as it must be then?

    python tests/storm/storm.py --seconds 600 --seed 1 --database postgresql
    python tests/storm/storm.py --mutant          # workers without a fence: must fail

Uploads go through the gateway all the time. At moments that the seed decides, workers, services and PostgreSQL die or
freeze, the external API misbehaves, and clients hang up, cancel, delete and repeat themselves. All the time and at the
end: every accepted row is there once and counted once, and every upload reaches its end with the right answers.

Prints a table, and last one line of JSON. Exit code 1 when something was not as it must be.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

import psutil
from country import POSTCODES
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import Stack, check_result, running_stack
from storm_clients import Clients, File
from storm_database import (
    OPEN_UPLOAD,
    AwayError,
    Database,
    Postgres,
    Snapshot,
    read_patiently,
    running_database,
    take_snapshot,
    violations_of,
)
from storm_workers import STARTED, Worker, Workers

CHUNK_ROWS = 150
LEASE = 4.0  # seconds
ROWS_A_SECOND = 400  # of storm at most, unless --rows says otherwise
OPEN_UPLOADS = 3  # that are in the works all the time, so that there is something to lose
LATENCY_MS = 200.0  # of the external API, when it is well
SMALL_UPLOAD = 900  # rows: what is cancelled or deleted
AMBUSH_LATENCY_MS = 700
LOOK_SECONDS = 1.0
#: Seconds from one ambush to the next.
AMBUSHES = 45.0
SETTLE_SECONDS = 240.0
#: Whether files that died in incoming/, and files of no upload, are a violation or only a word of warning.
COLLECTION_IS_CHECKED = True
MOST_VIOLATIONS = 20

#: How often each event is drawn, relative to the others.
WEIGHTS = {
    "kill_worker": 14,
    "kill_all_workers": 3,
    "kill_postcode_consumer": 4,
    "kill_file_reader": 3,
    "kill_gateway": 2,
    "freeze": 5,
    "stop_worker": 4,
    "stop_database": 2,
    "misbehave": 8,
    "cancel": 2,
    "delete": 2,
    "cut_off": 2,
    "send_twice": 1,
    "retry": 2,
}
#: The external API's bad spells.
SPELLS: tuple[dict[str, Any], ...] = (
    {"latency_ms": 1_000},
    {"status": 500},
    {"status": 429, "retry_after": 1},
    {"status": 503},
    {"kind": "half_closed"},
    {"kind": "short"},
    {"kind": "reordered"},
    {"kind": "garbage"},
    {"kind": "reset"},
    {"kind": "drip"},
    {"kind": "hang"},
    {"kind": "endless"},
)
#: What takes its time to be over is kept short, and lets others through.
SLOW_SPELLS = ("drip", "hang", "endless")
#: What the command lines of the services have in them.
PROCESSES = {
    "postcode_consumer": "consumer_config.wsgi",
    "file_reader": "reader_config.wsgi",
    "gateway": "-m gateway",
}


@dataclass(frozen=True)
class Event:
    """What happens next, `pause` seconds after the last event was over, and the numbers that it needs."""

    pause: float
    name: str
    numbers: dict[str, Any]


def plan(rng: random.Random, workers: int, names: list[str]) -> Iterator[Event]:
    """Events without an end; the same ones for the same seed."""
    weights = [WEIGHTS[name] for name in names]
    while True:
        (name,) = rng.choices(names, weights)
        pause, which, seed = rng.uniform(0.3, 1.8), rng.randrange(1 << 16), rng.randrange(1 << 30)
        rows = rng.randint(SMALL_UPLOAD // 2, SMALL_UPLOAD)
        numbers: dict[str, Any] = {"which": which}
        if name == "freeze":
            numbers |= {"count": rng.randint(1, workers - 1), "seconds": LEASE * rng.uniform(1.1, 2.2)}
        elif name == "stop_database":
            numbers = {"seconds": rng.uniform(0.2, 2.5)}
        elif name in ("kill_postcode_consumer", "kill_file_reader"):
            numbers = {"master": rng.random() < 0.2}
        elif name == "misbehave":
            spell = rng.choice(SPELLS)
            slow = spell.get("kind") in SLOW_SPELLS
            share = rng.uniform(0.1, 0.5) if slow else rng.uniform(0.1, 1.0)
            faults = {"latency_ms": LATENCY_MS, **spell, "share": share, "seed": seed}
            numbers = {"faults": faults, "seconds": rng.uniform(1, 2 if slow else 5)}
        elif name in ("cancel", "delete", "cut_off", "send_twice"):
            numbers = {"rows": rows, "seed": seed}
        yield Event(pause, name, numbers)


def planned_uploads(rng: random.Random, rows: int) -> list[tuple[int, int]]:
    """(rows, seed) of the files that make up the load."""
    size = min(5_000, max(1_000, rows // 6))
    planned: list[tuple[int, int]] = []
    while sum(rows for rows, _ in planned) < rows:
        planned.append((rng.randint(size // 2, size * 3 // 2), rng.randrange(1 << 30)))
    return planned


@dataclass
class Storm:
    """A running storm. Events happen in the thread that made it; looking has a thread of its own."""

    stack: Stack
    upstream: RunningPostcodesIo
    database: Database
    workers: Workers
    clients: Clients
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    _spell_until: float | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    # --- time --------------------------------------------------------------------------------------------------------
    def until(self, look: Callable[[], Any], seconds: float) -> bool:
        """Waits for something while everything else goes on; False when it did not come, or all is lost already."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.failed:
            self.workers.tend()
            if self._spell_until is not None and time.monotonic() >= self._spell_until:
                self._recover()
            if look():
                return True
            time.sleep(0.02)
        return False

    def wait(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    @property
    def failed(self) -> bool:
        return bool(self.violations or self.workers.violations or self.clients.violations)

    def _recover(self) -> None:
        self._spell_until = None
        self.upstream.fail(latency_ms=LATENCY_MS)

    # --- events ------------------------------------------------------------------------------------------------------
    def happen(self, event: Event) -> None:
        self.wait(event.pause)
        if self.failed:
            return
        getattr(self, event.name)(**event.numbers)
        self.clients.gather()

    def kill_worker(self, which: int) -> None:
        if worker := self.workers.pick(which, lambda worker: not worker.killed and worker.told_at is None):
            self.workers.kill(worker)
            self.counts["kill worker"] += 1

    def kill_all_workers(self, which: int = 0) -> None:
        for worker in [worker for worker in self.workers.workers if worker.told_at is None]:
            self.workers.kill(worker)
        self.counts["kill all workers"] += 1

    def kill_postcode_consumer(self, master: bool) -> None:
        self._kill_service("postcode_consumer", master)

    def kill_file_reader(self, master: bool) -> None:
        self._kill_service("file_reader", master)

    def kill_gateway(self, which: int) -> None:
        self._kill_service("gateway", True)

    def _kill_service(self, service: str, master: bool) -> None:
        """The process that the supervisor started, or those that this one started."""
        for process in self.stack.processes(PROCESSES[service]):
            try:
                if (process.ppid() == self.stack.supervisor.pid) == master:
                    process.kill()
                    self.counts[f"kill {service}{' master' if master and service != 'gateway' else ''}"] += 1
            except psutil.NoSuchProcess:
                continue

    def freeze(self, which: int, count: int, seconds: float) -> None:
        for number in range(count):
            if worker := self.workers.pick(which + number):
                self.workers.freeze(worker, seconds)
                self.counts["freeze"] += 1

    def stop_worker(self, which: int) -> None:
        worker = self.workers.pick(which, lambda worker: worker.idle_hands and worker.logged(STARTED) > 0)
        if worker:
            self.workers.tell_to_stop(worker)
            self.counts["SIGTERM"] += 1

    def stop_database(self, seconds: float) -> None:
        if isinstance(self.database, Postgres):
            self.database.crash()
            self.wait(seconds)
            self.database.start()
            self.counts["stop database"] += 1

    def misbehave(self, faults: dict[str, Any], seconds: float) -> None:
        self.upstream.fail(**faults)
        self._spell_until = time.monotonic() + seconds
        self.counts["bad spell"] += 1

    def cancel(self, rows: int, seed: int) -> None:
        self.clients.upload_and_cancel(rows, seed)
        self.counts["cancel"] += 1

    def delete(self, rows: int, seed: int) -> None:
        self.clients.upload_and_delete(rows, seed)
        self.counts["delete"] += 1

    def cut_off(self, rows: int, seed: int) -> None:
        self.clients.upload_a_half(rows, seed)
        self.counts["cut off"] += 1

    def send_twice(self, rows: int, seed: int) -> None:
        self.clients.upload_twice_at_once(rows, seed)
        self.counts["send twice"] += 1

    def retry(self, which: int) -> None:
        self.clients.retry(which)
        self.counts["retry"] += 1

    def ambush(self, seed: int) -> None:
        """All workers are frozen in the middle of a lookup until others have ended those uploads, and then go on."""
        file = self.clients.upload(CHUNK_ROWS * 8, seed)
        self.until(lambda: file.accepted, 30)
        self._spell_until = None
        self.upstream.fail(latency_ms=AMBUSH_LATENCY_MS)
        before = read_patiently(self.database).leased()
        self.kill_all_workers()  # those who come are not resting from an outage
        self.until(lambda: self.workers.all_started() and len(self._leased() - before) >= 2, 20)
        frozen, now = self._freeze_all()
        self.upstream.recover()
        held = {chunk_id for chunk_id, _ in now.leased() - before}
        uploads = {id_ for id_, chunks in now.chunks.items() if any(chunk.id in held for chunk in chunks)}
        ended = self.until(lambda: not uploads & self._open_uploads(), 30)
        refused = self.workers.refused()
        for worker in frozen:
            self.workers.thaw(worker)
        came_back = self.until(lambda: self.workers.refused() > refused, 10)
        self._recover()
        for worker in frozen:
            if worker in self.workers.ambushed:
                self.workers.tell_to_stop(worker)
        self.counts["freeze"] += len(frozen)
        self.counts["ambush"] += 1
        self.counts["ambush that worked"] += bool(held and ended and came_back)

    def _freeze_all(self) -> tuple[list[Worker], Snapshot]:
        """At a moment when none of them is in a transaction: others would wait for it."""
        while True:
            frozen = self.workers.ambush()
            if not self.database.busy() or self.failed:
                return frozen, read_patiently(self.database)
            self.workers.give_up_ambush(frozen)
            self.wait(0.05)

    def _leased(self) -> set[tuple[int, int]]:
        try:
            return take_snapshot(self.database).leased()
        except AwayError:
            return set()

    def _open_uploads(self) -> set[int]:
        snapshot = read_patiently(self.database)
        return {upload.id for upload in snapshot.kept if upload.state in OPEN_UPLOAD}

    # --- looking -----------------------------------------------------------------------------------------------------
    def look_all_the_time(self) -> None:
        """Runs in a thread until `_over`."""
        while not self._over.is_set():
            try:
                self._look()
            except AwayError:
                self.counts["looks at a database that was away"] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                self.violations.append(f"a look: {type(error).__name__} {error}")
            self._over.wait(LOOK_SECONDS)

    def _look(self) -> None:
        for file in [file for file in self.clients.files if file.accepted]:
            if file.state in OPEN_UPLOAD and not file.delete_asked:
                self.clients.watch(file)
        snapshot = take_snapshot(self.database)
        self.violations += violations_of(snapshot)
        self.counts["looks at the database"] += 1

    def stop_looking(self) -> None:
        self._over.set()

    # --- after the storm ---------------------------------------------------------------------------------------------
    def settle(self) -> float:
        """Everything is well from now on; returns how long (seconds) the work took from there."""
        begun = time.monotonic()
        self._recover()
        self.workers.thaw_all()
        if not self.until(self.clients.gather, SETTLE_SECONDS):
            self._not_within("all clients are answered")
        if not self.until(self._all_ended, SETTLE_SECONDS):
            self._not_within("all uploads end")
        seconds = time.monotonic() - begun
        self._retry_failed()
        return seconds

    def _not_within(self, what: str) -> None:
        if not self.failed:
            snapshot = read_patiently(self.database)
            still = [upload for upload in snapshot.uploads.values() if upload.deleted or upload.state in OPEN_UPLOAD]
            self.violations.append(f"not within {SETTLE_SECONDS} s of the storm's end: {what}; {still}")

    def _all_ended(self) -> bool:
        snapshot = read_patiently(self.database)
        self.wait(0.2)
        return all(upload.state not in OPEN_UPLOAD and not upload.deleted for upload in snapshot.uploads.values())

    def _retry_failed(self) -> None:
        """Rows that an outage upstream made `failed` get their answer when they are asked again."""
        snapshot = read_patiently(self.database)
        failed = {upload.public_id: snapshot.rows[upload.id]["failed"] for upload in snapshot.kept}
        for file in self.clients.files:
            if file.kept and file.accepted and (count := failed.get(file.accepted["id"])):
                self.counts["rows failed, then retried"] += count
                self.clients.retry(self._index(file))
        if not self.until(self.clients.gather, SETTLE_SECONDS) or not self.until(self._all_ended, SETTLE_SECONDS):
            self._not_within("the uploads that were retried end")

    def _index(self, file: File) -> int:
        return [other for other in self.clients.files if other.kept].index(file)

    def check(self) -> None:
        """The end: what was accepted is done, and right; what was deleted is gone."""
        snapshot = read_patiently(self.database)
        self.violations += violations_of(snapshot)
        if snapshot.leased():
            self.violations.append(f"leases are left behind: {snapshot.leased()}")
        wanted = {file.key: file.accepted["id"] for file in self.clients.files if file.accepted and not file.deleted}
        there = {upload.key: upload.public_id for upload in snapshot.uploads.values()}
        if wanted != there or len(there) != len(snapshot.uploads):
            odd = set(wanted.items()) ^ set(there.items())
            self.violations.append(f"accepted are {len(wanted)} uploads, there are {len(snapshot.uploads)}: {odd}")
        for file in self.clients.files:
            try:
                self._check_file(file, snapshot)
            except AssertionError as error:
                self.violations.append(f"{file.key}: {error}")

    def _check_file(self, file: File, snapshot: Snapshot) -> None:
        assert file.accepted, "never accepted"
        path = self._uploads / "files" / f"{file.accepted['id'].replace('-', '')}.csv"
        if file.deleted:
            self.clients.get(file.accepted["links"]["self"], 404)
            assert not path.exists(), "deleted, but its file is there"
            return
        assert path.read_bytes() == file.content, "its file is not what was sent"
        seen = self.clients.get(file.accepted["links"]["self"]).json()
        (upload,) = [one for one in snapshot.kept if one.public_id == seen["id"]]
        rows = {name: count for name, count in seen["rows"].items() if name != "read" and count}
        assert rows == dict(snapshot.rows[upload.id]), f"it says {rows}, there are {snapshot.rows[upload.id]}"
        if file.cancelled is not None:
            assert (seen["state"], seen["rows"]) == ("cancelled", file.cancelled), f"{file.cancelled} became {seen}"
            return
        assert (seen["state"], seen["rows"]["read"]) == ("done", file.rows), seen
        check_result(file.content, self._result(file), seen)

    def check_in_quiet(self) -> None:
        """The same files once more, with nothing in the way: the results are the same, byte for byte."""
        again = [(file, self.clients.upload(file.rows, file.seed)) for file in self.clients.files if file.kept]
        if not self.until(self.clients.gather, SETTLE_SECONDS) or not self.until(self._all_ended, SETTLE_SECONDS):
            self._not_within("the uploads in quiet end")
            return
        for file, quiet in again:
            if self._result(file) != self._result(quiet):
                self.violations.append(f"{file.key}: the result is not that of a quiet run")

    def _result(self, file: File) -> bytes:
        assert file.accepted
        return self.clients.get(file.accepted["links"]["result_csv"]).content

    def check_waste(self) -> None:
        """What died on the way to the disk is collected by a worker that starts."""
        self.kill_all_workers()
        self.until(lambda: not self._waste(), 10)
        if waste := self._waste():
            warning = f"{len(waste)} files that nobody needs are left behind, such as {waste[0]}"
            print(f"storm: {warning}", file=sys.stderr)
            if COLLECTION_IS_CHECKED:
                self.violations.append(warning)

    def _waste(self) -> list[Path]:
        needed = {upload.public_id.replace("-", "") for upload in read_patiently(self.database).uploads.values()}
        files = [path for path in (self._uploads / "files").glob("*") if path.stem not in needed]
        return [*(self._uploads / "incoming").glob("*"), *files]

    @property
    def _uploads(self) -> Path:
        return Path(self.stack.environment["DATA_DIR"]) / "uploads"


def run(storm: Storm, options: argparse.Namespace) -> dict[str, Any]:
    """The storm and what comes after it; returns the report."""
    rng = random.Random(options.seed)
    uploads = planned_uploads(rng, options.rows or int(options.seconds * ROWS_A_SECOND))
    names = [name for name in WEIGHTS if name != "stop_database" or options.database == "postgresql"]
    looking = threading.Thread(target=storm.look_all_the_time, name="looking")
    looking.start()
    begun = time.monotonic()
    try:
        _rage(storm, options, uploads, plan(rng, options.workers, names))
        raged = time.monotonic() - begun
        settled = storm.settle()
    finally:
        storm.stop_looking()
        looking.join()
    if not storm.failed:
        storm.check()
    asked = storm.upstream.stats
    accepted = [file for file in storm.clients.files if file.accepted]
    if not storm.failed:
        storm.check_in_quiet()
    if not storm.failed:
        storm.check_waste()
    kills = {name: count for name, count in sorted(storm.counts.items()) if name.startswith("kill")}
    return {
        "seed": options.seed,
        "database": options.database,
        "mutant": options.mutant,
        "seconds": round(raged, 1),
        "uploads": len(accepted),
        "rows": sum(file.rows for file in accepted),
        "kills": sum(kills.values()),
        **dict(sorted(storm.counts.items())),
        "SIGTERM, ended with 0": storm.workers.terms_survived,
        "stale writes refused": storm.workers.refused(),
        "upstream calls": asked["calls"],
        "upstream faults": asked["faulted"],
        "upstream locations asked": asked["locations"],
        "upstream locations repeated": asked["repeats"],
        "longest seconds to done after the storm": round(settled, 1),
        "answers": dict(sorted(storm.clients.answers.items())),
        "violations": [*storm.violations, *storm.workers.violations, *storm.clients.violations][:MOST_VIOLATIONS],
    }


def _rage(storm: Storm, options: argparse.Namespace, uploads: list[tuple[int, int]], events: Iterator[Event]) -> None:
    begun = time.monotonic()
    next_ambush = 0.0 if options.mutant else min(AMBUSHES, options.seconds / 4)
    for event in events:
        passed = time.monotonic() - begun
        if passed >= options.seconds or storm.failed:
            return
        while uploads and storm.clients.open_uploads() < OPEN_UPLOADS:
            storm.clients.upload(*uploads.pop(0))
        if passed >= next_ambush:
            next_ambush = passed + (0.0 if options.mutant else AMBUSHES)
            storm.ambush(options.seed)
        else:
            storm.happen(event)


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
    logs = folder / "logs"
    logs.mkdir()
    report: dict[str, Any] = {"violations": ["the storm itself did not come to its end"]}
    try:
        with ExitStack() as running:
            upstream = running.enter_context(running_postcodes_io(POSTCODES, answer_fields="small"))
            database = running.enter_context(running_database(options.database, folder))
            settings = {
                "PROVIDER": "postcodes_io",
                "POSTCODES_IO_URL": upstream.url,
                "POSTCODES_IO_CALLS_PER_SECOND": "0",
                "POSTCODES_IO_MAX_CONCURRENCY": "16",
                "CHUNK_ROWS": str(CHUNK_ROWS),
                "LEASE_SECONDS": str(int(LEASE)),
                "WORKERS": "0",
                "SECRET_KEY": "storm",
                "INTERNAL_TOKEN": "storm",
            }
            stack = running.enter_context(running_stack(folder / "data", **settings, **database.environment))
            workers = Workers(options.workers, mutant=options.mutant, environment=stack.environment, logs=logs)
            running.callback(workers.close)
            clients = Clients(stack)
            running.callback(clients.close)
            report = run(Storm(stack, upstream, database, workers, clients), options)
    finally:
        show(report)
        if options.keep or (report["violations"] and not options.mutant):  # a mutant's are as expected
            print(f"storm: logs and data are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    return 1 if report["violations"] else 0


def show(report: dict[str, Any]) -> None:
    for name, value in report.items():
        if name != "violations":
            print(f"  {name:40} {value}")
    for violation in report["violations"]:
        print(f"  VIOLATED: {violation}")
    print(json.dumps(report), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Everything dies at random, and nothing may be lost.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same plan")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rows", type=int, default=0, help=f"at most; {ROWS_A_SECOND} a second if not given")
    parser.add_argument("--mutant", action="store_true", help="with workers that have no fence: must fail")
    parser.add_argument("--keep", action="store_true", help="keeps logs and data in any case")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
