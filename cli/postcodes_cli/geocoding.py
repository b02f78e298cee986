"""Files on their way: sent, watched, downloaded; or found where the same line has left them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from postcodes_cli import failures
from postcodes_cli.answers import ENDED, Upload
from postcodes_cli.app import App
from postcodes_cli.errors import (
    BusyError,
    KeyRefusedError,
    NotFoundError,
    PostcodesError,
    ProblemError,
    RetryableError,
    UnexpectedAnswerError,
    UploadEndedError,
)
from postcodes_cli.memory import Known, idempotency_key
from postcodes_cli.progress import Progress
from postcodes_cli.sources import Source

if TYPE_CHECKING:
    from postcodes_cli.client import Client

#: So many files are at the server while the first of them is waited for.
_AHEAD = 4


@dataclass
class Job:
    """One file and what has become of it."""

    source: Source
    #: None is standard output.
    target: Path | None
    known: Known
    key: str
    upload: Upload | None = None
    #: Whether the upload was there already.
    found: bool = False
    #: Whether the result was there already.
    was_written: bool = False
    ended: bool = False
    error: Exception | None = None
    code: int = failures.OK

    @classmethod
    def of(cls, app: App, source: Source, target: Path | None, options: dict[str, Any]) -> "Job":
        """A file that is to be done, with what is remembered of it."""
        key = idempotency_key(source.digest(), options)
        return cls(source, target, Known.of(key=key, server=app.server, api_key=app.api_key), key)


@dataclass
class Run:
    """All files of one command."""

    client: "Client"
    progress: Progress
    jobs: list[Job]
    options: dict[str, Any]
    form: str
    columns: str | None
    out: BinaryIO
    compress: bool = False
    again: bool = False
    force: bool = False
    strict: bool = False
    detach: bool = False

    def all(self) -> None:
        """Sends ahead, and takes the results in the order of the files.

        Raises what concerns all files: KeyRefusedError, RetryableError, UnexpectedAnswerError, KeyboardInterrupt.
        """
        begun: deque[Job] = deque()
        left = deque(self.jobs)
        while left or begun:
            if left and len(begun) < _AHEAD:
                try:
                    self._tell(left[0])
                    uploads = self._settled(left[0], self._send)
                except BusyError:
                    if not begun:
                        raise
                    # A quota: there is room when one of those that are there has ended.
                else:
                    job = left.popleft()
                    if uploads and not self.detach:
                        begun.append(job)
                    continue
            if begun:
                job = begun.popleft()
                self._tell(job)
                self._settled(job, self._finish)

    def _settled(self, job: Job, step: Any) -> bool:
        """Takes a step; what concerns this file alone is noted at it. False when it is over with the file."""
        try:
            step(job)
        except (KeyRefusedError, RetryableError, UnexpectedAnswerError):
            raise
        except (PostcodesError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            job.error, job.ended = error, True
            job.code = failures.exit_code_of(error)
            if isinstance(error, ProblemError) and job.upload is None and job.code == failures.UNEXPECTED:
                job.code = failures.FAILED  # the file was refused
            return False
        return True

    def _tell(self, job: Job) -> None:
        number = f"[{self.jobs.index(job) + 1}/{len(self.jobs)}] " if len(self.jobs) > 1 else ""
        self.progress.begin(f"{number}{job.source.name}")

    def _send(self, job: Job) -> None:
        """Finds the upload of the same line, or sends the file."""
        if job.known.upload and not self.again:
            try:
                job.upload = self.client.state(job.known.upload)
                job.found = True
            except NotFoundError:  # it was deleted
                job.known.upload = None
        if job.upload is None:
            file = job.source.open()
            try:
                job.upload = self.client.upload(
                    file,
                    filename=job.source.name,
                    idempotency_key=None if self.again else job.key,
                    compress=self.compress,
                    digest=job.source.digest(),
                    progress=self.progress.sending,
                    **self.options,
                )
            finally:
                if job.source.path:
                    file.close()
            job.known.upload = job.upload["id"]
            job.known.keep()

    def _finish(self, job: Job) -> None:
        upload = self._watched(job)
        if upload["state"] != "done":
            raise UploadEndedError(upload)
        self._take(job, upload)
        rows = upload["rows"]
        if rows["failed"] or (self.strict and rows["rejected"]):
            job.code = failures.INCOMPLETE
        job.ended = True

    def _watched(self, job: Job) -> Upload:
        """The upload of a file that was sent, when it has ended."""
        if job.upload is None:
            raise ValueError("not sent")
        if job.upload["state"] not in ENDED:
            watched = self.client.watch(job.upload["id"], interval=self.progress.interval, every_look=True)
            for upload in watched:
                job.upload = upload
                self.progress.geocoding(upload)
        return job.upload

    def _take(self, job: Job, upload: Upload) -> None:
        choice: dict[str, Any] = {"format": self.form, "columns": self.columns}
        if job.target is None:
            for piece in self.client.result(upload["id"], progress=self.progress.receiving, **choice):
                self.out.write(piece)
            self.out.flush()
            return
        target = job.target
        if not self.force and job.known.is_done(target, upload, self.form, self.columns):
            job.was_written = True
            return

        def whole(part: Path) -> None:
            job.known.will_be(target, part, upload, self.form, self.columns)

        self.client.download(upload, target, progress=self.progress.receiving, before_rename=whole, **choice)


def code_of(jobs: Iterable[Job]) -> int:
    """The exit code of all: the most serious of theirs."""
    codes = {job.code for job in jobs}
    order = (failures.UNEXPECTED, failures.USAGE, failures.FAILED, failures.INCOMPLETE)
    return next((code for code in order if code in codes), failures.OK)
