"""What can be wrong with what is asked of uploads, in words for people. What is wrong with a file: reading.errors.

UploadError
├── UploadInFlightError      the same upload is arriving just now
├── KeyReusedError           the Idempotency-Key belongs to another upload
├── UploadHasEndedError      there is nothing left to cancel
├── NotRetryableError        there are no failed rows to retry
├── OptionError              an option of the upload is not valid
├── ParameterError           a filter or a header is not valid
├── RowQueryTimeoutError     a question about rows takes too long
├── DigestMismatchError      what arrived is not what was sent
└── LookupServiceError       postcode_consumer cannot say now what it knows of a postcode
"""


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
    """The upload is in `state`, which is an end."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The upload is {state}: there is nothing left to cancel.")


class NotRetryableError(UploadError):
    """The upload is in `state`, in which no row has failed for good."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The upload is {state}. Failed rows can be retried once it is done.")


class OptionError(UploadError):
    """`accepted` says what the option takes."""

    def __init__(self, option: str, value: str, accepted: str) -> None:
        super().__init__(f"{option}={value!r} is not accepted: {accepted}.")
        self.option = option


class ParameterError(UploadError):
    """The filter or the header called `name` is not valid; `why` is a sentence."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


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


class LookupServiceError(UploadError):
    """postcode_consumer is away, too slow or gives no answer; the message says which."""


class RowQueryTimeoutError(UploadError):
    """A question about rows was given up after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This question takes longer than {seconds:g} s and was given up. Ask for less: name an upload, a postcode,"
            " an outcode, or a smaller circle or box. Of an upload that has just ended, it will be quick a bit later."
        )
