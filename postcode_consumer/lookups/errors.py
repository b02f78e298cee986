"""Why a lookup, or one call to a provider, has no answer. The type tells whether a call may be made again.

LookupFailedError
├── ProviderUnavailableError         the whole lookup: nothing is known about any location; the caller gets 503
│   └── DeadlineExceededError        the time that is left does not suffice; 504 when it is the caller's own deadline
└── CallFailedError                  one call to the external API
    ├── RetryableError               the same call may succeed later
    │   ├── ConnectionFailedError    no connection, or it broke
    │   │   └── TimedOutError        no whole answer within the time that a call has
    │   ├── OverloadedError          429, 502, 503, 504; `retry_after` as the API asked for
    │   ├── UntrustedError           the answer is not one to this question
    │   └── LimiterFailedError       the database, or Redis, that spaces the calls does not answer
    └── RefusedError                 the API does not take this question (400, 413)
        └── CrashedError             the API broke on this question (500), which may have been a passing fault

`/metrics` names them without `Error`.
"""


class LookupFailedError(Exception):
    """There is no answer. The message says why, in a sentence that callers may see."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        #: Seconds after which asking again makes sense; None when the provider did not say.
        self.retry_after = retry_after


class ProviderUnavailableError(LookupFailedError):
    """The provider cannot answer now. It says nothing about any location."""


class DeadlineExceededError(ProviderUnavailableError):
    """The lookup's time is over, or does not suffice for its next call."""


class CallFailedError(LookupFailedError):
    """One call to the external API has failed."""


class RetryableError(CallFailedError):
    """The same call may succeed later."""


class ConnectionFailedError(RetryableError):
    """There was no connection, or it broke."""


class TimedOutError(ConnectionFailedError):
    """No whole answer came within the time that a call has."""


class OverloadedError(RetryableError):
    """The API, or what stands before it, answered 429, 502, 503 or 504."""


class UntrustedError(RetryableError):
    """The answer is not one to this question. It must never be stored."""


class LimiterFailedError(RetryableError):
    """The database, or Redis, that spaces the calls of all processes does not answer."""


class RefusedError(CallFailedError):
    """The API does not take this question: at least one of its locations, or its size."""


class CrashedError(RefusedError):
    """The API broke on this question. Some faults of this kind pass, others never do."""
