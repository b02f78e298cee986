"""The service for Python programs.

    with Client("http://127.0.0.1:8080") as client:
        upload = client.geocode("points.csv", "points.postcodes.csv")

Every method raises the errors of `postcodes_cli.errors`. Calls are tried again while the server is away or asks for it,
for `timeout` seconds without a sign of life.
"""

import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, Unpack

from postcodes_cli.answers import ENDED, FORMATS, Upload, UploadOptions
from postcodes_cli.errors import RetryableError, UploadEndedError
from postcodes_cli.frames import POSITION, RESULT_COLUMNS, geocoded
from postcodes_cli.questions import UPLOADS, Questions, path_of
from postcodes_cli.results import Download, save
from postcodes_cli.sending import Body, Progress, digest_of, name_of, opened, packed
from postcodes_cli.transport import TRANSFER_SECONDS, json_of

Frame = TypeVar("Frame")
_FIRST_LOOK = 0.1
#: The gateway has a smaller body whole before it waits for anything.
_LARGE_BYTES = 1 << 20
#: How the rows of a result are counted (`results.save`).
_CHECKS = {"csv": "at least", "ndjson": "each"}


class Client(Questions):
    """The connections to one server, for one thread. Close it, or use it as a context manager.

    `server` and `api_key` come from POSTCODES_SERVER and POSTCODES_API_KEY if not given. `timeout`: for how many
    seconds without a sign of life a call is tried again. `on_retry` is called before each further attempt with the
    error and the seconds until then.
    """

    # --- files -------------------------------------------------------------------------------------------------------
    def geocode(
        self,
        source: str | Path | BinaryIO,
        target: str | Path,
        *,
        format: str = "csv",
        **options: Unpack[UploadOptions],
    ) -> Upload:
        """Sends a file, waits until it is done, and writes its result to `target`. Returns the upload as it ended.

        Raises UploadEndedError when it failed or was cancelled.
        """
        upload = self.wait(self.upload(source, **options)["id"])
        self.download(upload, target, format=format)
        return upload

    def geocode_frame(
        self,
        frame: Frame,
        latitude: str,
        longitude: str,
        *,
        max_distance: float | None = None,
        coordinates: str = "degrees",
        filename: str = "frame.csv",
    ) -> Frame:
        """A copy of a DataFrame of pandas or polars, with the answers to its rows in `frames.RESULT_COLUMNS`.

        `latitude` and `longitude` are names of columns, `coordinates` is how they are written (docs/files.md). Rows,
        index and other columns stay as they are; only columns that are called like those of the answers are replaced.
        A row without coordinates has the status `rejected`. The server has an upload called `filename` then.
        """
        options = UploadOptions(
            latitude="latitude",
            longitude="longitude",
            has_header=True,
            delimiter="comma",
            encoding="utf-8",
            coordinates=coordinates,
        )
        if max_distance is not None:
            options["max_distance"] = max_distance

        def geocode(points: Path, result: Path) -> None:
            upload = self.wait(self.upload(points, filename=filename, **options)["id"])
            self.download(upload, result, columns=",".join((POSITION, *RESULT_COLUMNS)))

        answered: Frame = geocoded(frame, latitude, longitude, geocode)
        return answered

    def upload(
        self,
        source: str | Path | BinaryIO,
        *,
        filename: str | None = None,
        idempotency_key: str | None = None,
        compress: bool = False,
        digest: bytes | None = None,
        progress: Progress | None = None,
        **options: Unpack[UploadOptions],
    ) -> Upload:
        """Sends a file in pieces; returns its upload, which is stored then. A file object is sent from where it stands.

        `compress` packs it by gzip on the way; for the server it is the same file. `digest` is the SHA-256 of what is
        sent from there on, unpacked, for who knows it already. With an
        `idempotency_key` that was sent before, with the same file and options, it is the upload that is there. Without
        one, a key of its own makes further attempts safe.
        """
        with opened(source) as whole, packed(whole) if compress else nullcontext(whole) as file:
            patience = self._transport.patience()

            def moved(so_far: int, size: int | None) -> None:
                patience.renew()
                if progress:
                    progress(so_far, size)

            body = Body(file, moved)
            sent = digest if digest and not compress else digest_of(file)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Digest": f"sha-256=:{b64encode(sent).decode()}:",
                "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
            }
            if compress:
                headers["Content-Encoding"] = "gzip"
            params = {"filename": filename or name_of(source), **options}
            is_large = len(body) > _LARGE_BYTES
            while True:
                if is_large:  # it is not sent to find out that nobody is there, or takes the key
                    self._knock(patience)
                body.rewind()
                try:
                    answer = self._transport.once(
                        "POST",
                        UPLOADS,
                        params=params,
                        headers=headers,
                        data=body,
                        seconds=TRANSFER_SECONDS,
                    )
                    return _upload(json_of(answer))
                except RetryableError as error:
                    patience.wait(error)

    # --- uploads -----------------------------------------------------------------------------------------------------
    def state(self, upload_id: str) -> Upload:
        """The upload as it is now."""
        return _upload(json_of(self._transport.call("GET", path_of(upload_id))))

    def uploads(self) -> Iterator[Upload]:
        """Your uploads, newest first."""
        return self._pages(UPLOADS, {})

    def watch(self, upload_id: str, *, interval: float | None = None, every_look: bool = False) -> Iterator[Upload]:
        """The upload each time when it has changed, until it has ended; with `every_look` also when it has not.

        It is looked at when the server says that it is worth it (Retry-After), or every `interval` seconds.
        """
        tag: str | None = None
        patience = self._transport.patience()
        pause = _FIRST_LOOK
        while True:
            headers = {"If-None-Match": tag} if tag else {}
            answer = self._transport.call(
                "GET", path_of(upload_id), headers=headers, expected=(304,), patience=patience
            )
            patience.renew()
            if answer.status != 304:
                tag = answer.headers.get("ETag")
                upload = _upload(json_of(answer))
            if every_look or answer.status != 304:
                yield upload
            if upload["state"] in ENDED:
                return
            # Small files are done in a moment.
            advised = interval or float(answer.headers.get("Retry-After") or 1)
            time.sleep(min(pause, advised))
            pause = min(pause * 2, 60.0)

    def wait(self, upload_id: str) -> Upload:
        """The upload when it is done. Raises UploadEndedError when it failed or was cancelled."""
        for upload in self.watch(upload_id):
            last = upload
        if last["state"] != "done":
            raise UploadEndedError(last)
        return last

    def pause(self, upload_id: str) -> Upload:
        """Has nothing more of it begun. Raises ConflictError when it has ended."""
        return self._told(upload_id, "pause")

    def resume(self, upload_id: str) -> Upload:
        """Goes on with it. Raises ConflictError when it has ended."""
        return self._told(upload_id, "resume")

    def cancel(self, upload_id: str) -> Upload:
        """Ends the work; answers that are there stay. Raises ConflictError when it has ended."""
        return self._told(upload_id, "cancel")

    def retry(self, upload_id: str) -> Upload:
        """Puts the failed rows back to work. Raises ConflictError where it cannot be."""
        return self._told(upload_id, "retry")

    def delete(self, upload_id: str) -> None:
        """Removes it for good, with its rows and its file."""
        self._transport.call("DELETE", path_of(upload_id))

    # --- results and rows --------------------------------------------------------------------------------------------
    def download(
        self,
        upload: Upload | str,
        target: str | Path,
        *,
        format: str = "csv",
        columns: str | None = None,
        status: str | None = None,
        progress: Progress | None = None,
        before_rename: Callable[[Path], None] | None = None,
    ) -> None:
        """Writes a result to `target`, by way of `target`.part: when that is there, only the rest is fetched.

        `columns` are names with commas between. `before_rename` is told of the part when it is whole and on disk.
        Raises ResultError when it is not whole.
        """
        if isinstance(upload, str):
            upload = self.state(upload)
        download = self._download(upload["id"], format, columns, status, progress)
        check = _CHECKS.get(format) if upload["state"] in ENDED and status is None else None
        save(download, Path(target), upload, check=check, before_rename=before_rename)

    def result(
        self,
        upload_id: str,
        *,
        format: str = "csv",
        columns: str | None = None,
        status: str | None = None,
        progress: Progress | None = None,
    ) -> Iterator[bytes]:
        """A result in pieces, as they come. Raises ResultError when it changes before its end."""
        return self._download(upload_id, format, columns, status, progress).pieces()

    # --- inside ------------------------------------------------------------------------------------------------------
    def _told(self, upload_id: str, what: str) -> Upload:
        return _upload(json_of(self._transport.call("POST", f"{path_of(upload_id)}{what}/")))

    def _download(
        self, upload_id: str, form: str, columns: str | None, status: str | None, progress: Progress | None
    ) -> Download:
        if form not in FORMATS:
            raise ValueError(f"{form!r} is none of {', '.join(FORMATS)}")
        params = {"columns": columns, "status": status}
        return Download(self._transport, f"{path_of(upload_id)}result.{form}", params, progress=progress)


def _upload(answer: Any) -> Upload:
    upload: Upload = answer
    return upload
