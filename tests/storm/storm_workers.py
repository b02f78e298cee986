"""The workers of the storm: killed, frozen, told to stop, and replaced at once."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack import ROOT

COMMAND = [sys.executable, "manage.py", "worker"]
MUTANT = [sys.executable, str(Path(__file__).with_name("storm_mutant.py"))]
#: What workers write into their logs.
STARTED = "worker started"
REFUSED = "stale write refused"
#: Seconds: what the supervisor of the embedded stack gives them.
GRACE = 35.0


@dataclass
class Worker:
    process: "subprocess.Popen[bytes]"
    log: Path
    killed: bool = False
    thaw_at: float | None = None
    #: Since when it has been told to stop, and must do so within its grace.
    told_at: float | None = None

    @property
    def idle_hands(self) -> bool:
        """Nothing is being done to it just now."""
        return not self.killed and self.thaw_at is None and self.told_at is None

    def logged(self, text: str) -> int:
        return self.log.read_text(errors="replace").count(text)


class Workers:
    """Keeps `count` workers going. To be used from one thread, which calls `tend` all the time."""

    def __init__(self, count: int, *, mutant: bool, environment: dict[str, str], logs: Path) -> None:
        self.count = count
        self.violations: list[str] = []
        self.terms_survived = 0
        self._command = MUTANT if mutant else COMMAND
        self._environment = environment
        self._logs = logs
        self._started = 0
        self.workers: list[Worker] = []
        #: Frozen ones that have been replaced already.
        self.ambushed: list[Worker] = []

    def tend(self) -> None:
        """Sees who has ended and how, wakes who was frozen for long enough, and fills up."""
        for worker in [*self.workers, *self.ambushed]:
            if worker.process.poll() is not None:
                self._bury(worker)
            elif worker.thaw_at is not None and time.monotonic() >= worker.thaw_at:
                self.thaw(worker)
            elif worker.told_at is not None and time.monotonic() > worker.told_at + GRACE:
                self.violations.append(f"a worker did not end within {GRACE} s of SIGTERM, see {worker.log}")
                self.kill(worker)
        while len(self.workers) < self.count:
            self._start()

    def _start(self) -> None:
        self._started += 1
        log = self._logs / f"worker-{self._started:04}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                self._command, cwd=ROOT / "file_reader", env=self._environment, stdout=file, stderr=file
            )
        self.workers.append(Worker(process, log))

    def _bury(self, worker: Worker) -> None:
        for group in (self.workers, self.ambushed):
            if worker in group:
                group.remove(worker)
        code = worker.process.returncode
        if worker.killed:
            return
        if worker.told_at is None:
            self.violations.append(f"a worker ended by itself with exit code {code}, see {worker.log}")
        elif code != 0:
            self.violations.append(f"a worker that was told to stop ended with exit code {code}, see {worker.log}")
        else:
            self.terms_survived += 1

    def pick(self, number: int, suits: Callable[[Worker], bool] = lambda worker: worker.idle_hands) -> Worker | None:
        """One of those to whom nothing is being done; the number says which."""
        suited = [worker for worker in self.workers if suits(worker)]
        return suited[number % len(suited)] if suited else None

    def kill(self, worker: Worker) -> None:
        worker.killed = True
        worker.process.kill()
        worker.process.wait()

    def freeze(self, worker: Worker, seconds: float) -> None:
        worker.process.send_signal(signal.SIGSTOP)
        worker.thaw_at = time.monotonic() + seconds

    def thaw(self, worker: Worker) -> None:
        worker.thaw_at = None
        worker.process.send_signal(signal.SIGCONT)

    def tell_to_stop(self, worker: Worker) -> None:
        """To be done to workers that have started: before, nobody listens to SIGTERM."""
        worker.told_at = time.monotonic()
        worker.process.terminate()

    def ambush(self) -> list[Worker]:
        """Freezes all who work, for as long as it takes; `tend` then starts others in their place."""
        frozen = [worker for worker in self.workers if worker.idle_hands]
        for worker in frozen:
            self.freeze(worker, float("inf"))
            self.workers.remove(worker)
        self.ambushed += frozen
        return frozen

    def give_up_ambush(self, frozen: list[Worker]) -> None:
        for worker in frozen:
            self.thaw(worker)
            self.ambushed.remove(worker)
            self.workers.append(worker)

    def all_started(self) -> bool:
        return all(worker.logged(STARTED) for worker in self.workers)

    def thaw_all(self) -> None:
        for worker in [*self.workers, *self.ambushed]:
            if worker.thaw_at is not None:
                self.thaw(worker)

    def refused(self) -> int:
        """How often a late write was refused so far."""
        return sum(log.read_text(errors="replace").count(REFUSED) for log in self._logs.glob("worker-*.log"))

    def close(self) -> None:
        for worker in [*self.workers, *self.ambushed]:
            self.kill(worker)
