"""The clients of the storm: they upload, repeat until they are answered, cancel, delete, hang up and look."""

import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from country import csv_of
from stack import Stack
from storm_database import OPEN_UPLOAD

#: Answers that say "later"; anything else but the one that is wanted is a violation.
LATER = (408, 409, 429, 500, 502, 503, 504, 507)
#: Seconds until a client gives up altogether, and for one attempt.
PATIENCE, ATTEMPT = 240.0, 30.0
PARALLEL = 12


@dataclass
class File:
    """A file that somebody wants to upload, and what came of it."""

    key: str
    rows: int
    seed: int
    accepted: dict[str, Any] | None = None
    #: The rows as they were when the cancelling was answered.
    cancelled: dict[str, int] | None = None
    #: Asked for, so that it may be gone; and answered, so that it must be.
    delete_asked: bool = False
    deleted: bool = False
    #: As of the last look.
    state: str = "received"
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return csv_of(self.rows, seed=self.seed)

    @property
    def kept(self) -> bool:
        """It must reach `done`."""
        return self.accepted is not None and self.cancelled is None and not self.delete_asked


class Clients:
    """Many at a time. What must not be goes to `violations`; `answers` counts the others by status."""

    def __init__(self, stack: Stack) -> None:
        self.files: list[File] = []
        self.violations: list[str] = []
        self.answers: Counter[str] = Counter()
        self.cut = 0
        self._stack = stack
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="client")
        self._running: list[Future[None]] = []
        self._closing = threading.Event()

    # --- what they do ----------------------------------------------------------------------------------------------
    def upload(self, rows: int, seed: int) -> File:
        """Sends a file until it is accepted. The future is in the background."""
        return self._send(rows, seed, self._accept)

    def upload_twice_at_once(self, rows: int, seed: int) -> File:
        file = self._send(rows, seed, self._accept)
        self._start(self._accept, file)
        return file

    def upload_and_cancel(self, rows: int, seed: int) -> File:
        return self._send(rows, seed, self._accept, self._wait_for_work, self._cancel)

    def upload_and_delete(self, rows: int, seed: int) -> File:
        return self._send(rows, seed, self._accept, self._wait_for_work, self._delete)

    def upload_a_half(self, rows: int, seed: int) -> None:
        """Hangs up in the middle of a body: nothing must come of it."""
        self.cut += 1
        self._start(self._hang_up, File(f"cut-{self.cut}", rows, seed))

    def retry(self, number: int) -> None:
        """Asks for another attempt at the failed rows of one of the uploads."""
        if known := [file for file in self.files if file.kept]:
            self._start(self._retry, known[number % len(known)])

    def open_uploads(self) -> int:
        """How many are under way or worked on, as of the last look."""
        return sum(file.state in OPEN_UPLOAD for file in self.files if not file.delete_asked)

    # --- how they do it ----------------------------------------------------------------------------------------------
    def _send(self, rows: int, seed: int, *steps: Callable[[File], None]) -> File:
        file = File(f"storm-{len(self.files)}-{uuid.uuid4().hex[:8]}", rows, seed)
        self.files.append(file)

        def do(file: File) -> None:
            for step in steps:
                step(file)

        self._start(do, file)
        return file

    def _start(self, what: Callable[[File], None], file: File) -> None:
        self._running.append(self._pool.submit(what, file))

    def _until(self, wanted: tuple[int, ...], method: str, path: str, **options: Any) -> requests.Response:
        """Repeats a call on any trouble until its answer is wanted."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self._closing.is_set():
            answer = self.call(method, path, **options)
            if answer is not None and answer.status_code in wanted:
                return answer
            if answer is not None and answer.status_code not in LATER:
                raise AssertionError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
            time.sleep(0.3)
        raise AssertionError(f"{method} {path} was not answered with {wanted} within {PATIENCE} s")

    def call(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """One attempt; None when there is no answer."""
        try:
            answer = self._stack.call(method, path, timeout=ATTEMPT, **options)
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        return answer

    def get(self, path: str, wanted: int = 200) -> requests.Response:
        """Asks until somebody answers. Raises AssertionError for any other answer than the one that is wanted."""
        return self._until((wanted,), "GET", path)

    def _accept(self, file: File) -> None:
        answer = self._until(
            (202,),
            "POST",
            "/api/v1/uploads/",
            files={"file": (f"{file.key}.csv", file.content)},
            headers={"Idempotency-Key": file.key},
        ).json()
        if file.accepted is not None and file.accepted["id"] != answer["id"]:
            raise AssertionError(f"{file.key}: two uploads of one key: {file.accepted['id']}, {answer['id']}")
        file.accepted = answer

    def _wait_for_work(self, file: File) -> None:
        """Until some rows have their answers, so that others are in the works."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self._closing.is_set():
            seen = self.look(file)
            if seen and (seen["rows"]["matched"] or seen["state"] not in OPEN_UPLOAD):
                return
            time.sleep(0.1)

    def _cancel(self, file: File) -> None:
        assert file.accepted
        while True:
            answer = self._until((200, 409), "POST", file.accepted["links"]["cancel"])
            body = answer.json()
            if answer.status_code == 200:
                file.cancelled = body["rows"]
                return
            if body.get("type") == "/problems/upload-has-ended":
                return

    def _delete(self, file: File) -> None:
        assert file.accepted
        file.delete_asked = True
        self._until((204, 404), "DELETE", file.accepted["links"]["self"])
        file.deleted = True

    def _retry(self, file: File) -> None:
        assert file.accepted
        self._until((200, 409), "POST", file.accepted["links"]["retry"])

    def _hang_up(self, file: File) -> None:
        host, port = self._stack.url.removeprefix("http://").split(":")
        content = file.content
        head = (
            f"POST /api/v1/uploads/?filename=cut.csv HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/csv\r\n"
            f"Idempotency-Key: {file.key}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        try:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(head.encode() + content[: len(content) // 2])
                time.sleep(file.seed % 5 / 10)
        except OSError:
            self.answers["cut too early"] += 1

    def look(self, file: File) -> dict[str, Any] | None:
        """The upload as it is now, or None when nobody answers. What must never be seen is raised."""
        assert file.accepted
        answer = self.call("GET", file.accepted["links"]["self"])
        if answer is None or answer.status_code in LATER:
            return None
        if answer.status_code == 404 and file.delete_asked:
            return None
        assert answer.status_code == 200, (
            f"{file.key}: accepted, but answered {answer.status_code}: {answer.text[:300]}"
        )
        seen: dict[str, Any] = answer.json()
        rows = seen["rows"]
        assert rows["read"] == sum(count for name, count in rows.items() if name != "read"), f"{file.key}: {rows}"
        assert min(rows.values()) >= 0, f"{file.key}: {rows}"
        return seen

    def watch(self, file: File) -> dict[str, Any] | None:
        """Looks, and compares with the last look. To be called from one thread."""
        seen = self.look(file)
        if seen is not None:
            for name in ("read", "matched", "no_match", "rejected"):
                before, now = file.seen.get(name, 0), seen["rows"][name]
                assert now >= before, f"{file.key}: {name} was {before} and is {now}"
            file.seen, file.state = seen["rows"], seen["state"]
        return seen

    # --- the end -----------------------------------------------------------------------------------------------------
    def gather(self) -> bool:
        """Collects what went wrong with those who are done; True when nobody is under way."""
        for future in [future for future in self._running if future.done()]:
            self._running.remove(future)
            error = future.exception()
            if error is not None:
                self.violations.append(f"client: {type(error).__name__} {error}")
        return not self._running

    def close(self) -> None:
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)
