"""What can be wrong with what is asked of uploads, in words for people. What is wrong with a file: reading.errors.

UploadError
├── UploadInFlightError      the same upload is arriving just now
├── KeyReusedError           the Idempotency-Key belongs to another upload
├── UploadHasEndedError      there is nothing left to cancel, pause or resume
├── NotRetryableError        there are no failed rows to retry
├── OptionError              an option of the upload is not valid
├── ParameterError           a filter or a header is not valid
├── FormatMissingError       a result in a format that this installation does not have
├── TotalsNotReadyError      the upload is still worked on, or its totals are not written yet
├── RowQueryTimeoutError     a question about rows takes too long
├── DigestMismatchError      what arrived is not what was sent
├── QuotaExceededError       the owner has used up one of the quotas
├── FetchError               the file that is named cannot be had
├── FetchesBusyError         too many files are fetched just now
├── BacklogFullError         too many rows of everybody wait
├── DiskNearlyFullError      what is left of the disk is for the work
└── LookupServiceError       postcode_consumer cannot say now what it knows of a postcode
"""

from collections.abc import Sequence
from datetime import datetime


class UploadError(Exception):
    """The message is a sentence for whoever asked."""


class UploadInFlightError(UploadError):
    """Another request holds the key: its file is still arriving."""

    def __init__(self) -> None:
        super().__init__("Another request with this Idempotency-Key is not over yet. Send this one again later.")


class KeyReusedError(UploadError):
    """The key came with another file or other options before."""

    def __init__(self) -> None:
        super().__init__("An upload with this Idempotency-Key has another file or other options. Use a new key for it.")


class UploadHasEndedError(UploadError):
    """The upload is in `state`, which is an end; `what` was to be done to it."""

    def __init__(self, state: str, what: str) -> None:
        super().__init__(f"The upload is {state}: there is nothing left to {what}.")


class NotRetryableError(UploadError):
    """The upload is in `state`, in which no row has failed for good."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The upload is {state}. Failed rows can be retried once it is done.")


class TotalsNotReadyError(UploadError):
    """The upload has no row index yet."""

    def __init__(self) -> None:
        super().__init__(
            "The totals are written when the upload has ended: they are there with its indexed_at."
            " Until then its `rows` has the totals by status, and cells/ the map."
        )


class OptionError(UploadError):
    """`accepted` says what the option takes."""

    def __init__(self, option: str, value: str, accepted: str) -> None:
        super().__init__(f"{option}={value!r} is not accepted: {accepted}.")
        self.option = option


class ParameterError(UploadError):
    """The parameter or the header called `name` is not valid; `why` is a sentence, `accepted` has what may be named."""

    def __init__(self, name: str, why: str, accepted: Sequence[str] | None = None) -> None:
        super().__init__(f"{name}: {why}")
        if accepted is not None:
            self.parameter = name
            self.accepted = accepted


class FormatMissingError(UploadError):
    """This installation cannot write results in that format."""

    def __init__(self, suffix: str, needed: str) -> None:
        super().__init__(f"This server has no {needed}, which .{suffix} needs. Take another format.")


class DigestMismatchError(UploadError):
    """Both digests are base64."""

    def __init__(self, algorithm: str, sent: str, arrived: str) -> None:
        super().__init__(
            f"Content-Digest says {algorithm} {sent}, but what arrived has {arrived}."
            " Nothing was stored; send it again."
        )
        self.header = "Content-Digest"
        self.algorithm = algorithm
        self.sent = sent
        self.arrived = arrived


#: What each quota is, and what helps.
_QUOTAS = {
    "open_uploads": "You have {used:,} uploads that have not ended, and may have {limit:,}. Wait until one has ended.",
    "stored_bytes": "Your files have {used:,} of the {limit:,} bytes that they may have; this one is too much."
    " Delete uploads, and wait until a worker has removed them.",
    "rows_per_day": "Your uploads of the last 24 hours have {used:,} rows. New ones are taken while these are"
    " fewer than {limit:,}.",
}


class QuotaExceededError(UploadError):
    """The owner has used `used` of the `limit` of a quota, and no more is taken before `free_at`, if that is known."""

    def __init__(self, quota: str, limit: int, used: int, free_at: datetime | None) -> None:
        super().__init__(_QUOTAS[quota].format(limit=limit, used=used))
        self.quota = quota
        self.limit = limit
        self.used = used
        self.free_at = free_at


class FetchError(UploadError):
    """`why` says what came instead of the file."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url} cannot be fetched: {why}. Nothing was stored.")
        self.url = url


class FetchesBusyError(UploadError):
    """Each fetch holds a place at the service; the others are kept free."""

    def __init__(self) -> None:
        super().__init__("As many files are fetched just now as there may be at once. Send this again a bit later.")


class BacklogFullError(UploadError):
    """`waiting` rows of everybody have no answer yet."""

    def __init__(self, waiting: int, limit: int) -> None:
        super().__init__(
            f"About {waiting:,} rows wait for their answer; uploads are taken while they are fewer than {limit:,}."
        )
        self.waiting = waiting
        self.limit = limit


class DiskNearlyFullError(UploadError):
    """What is free is kept for the database, so that the work on what was accepted goes on."""

    def __init__(self) -> None:
        super().__init__("There is too little room on the disk for this file. Nothing was stored; try again later.")


class LookupServiceError(UploadError):
    """postcode_consumer is away, too slow or gives no answer; the message says which."""


class RowQueryTimeoutError(UploadError):
    """A question about rows was given up after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This question takes longer than {seconds:g} s and was given up. Ask for less: name an upload, a postcode,"
            " an outcode, or a smaller circle or box. Of an upload that has just ended, it will be quick a bit later."
        )
