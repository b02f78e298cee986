"""Why a lookup, or one call to a provider, has no answer. *Retryable* is a type.

LookupFailed
├── ProviderUnavailable         the whole lookup: nothing is known about any location; the caller gets 503
│   └── DeadlineExceeded        the time that is left does not suffice; 504 when it is the caller's own deadline
└── CallFailed                  one call to the external API
    ├── Retryable               the same call may succeed later
    │   ├── ConnectionFailed    no connection, or it broke
    │   │   └── TimedOut        no whole answer within the time that a call has
    │   ├── Overloaded          429, 502, 503, 504; `retry_after` as the API asked for
    │   ├── Untrusted           what came back is not an answer to what was asked
    │   └── LimiterFailed       the database, or Redis, that spaces the calls does not answer
    └── Refused                 the API does not take this question (400, 413)
        └── Crashed             the API broke on this question (500), which may have been a passing fault
"""


class LookupFailed(Exception):
    """There is no answer. The message says why, in a sentence that callers may see."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        #: Seconds after which asking again makes sense, when somebody said so.
        self.retry_after = retry_after


class ProviderUnavailable(LookupFailed):
    """The provider cannot answer now. It says nothing about any location."""


class DeadlineExceeded(ProviderUnavailable):
    """The lookup's time is over, or does not suffice for its next call."""


class CallFailed(LookupFailed):
    """One call to the external API has failed."""


class Retryable(CallFailed):
    """The same call may succeed later."""


class ConnectionFailed(Retryable):
    """There was no connection, or it broke."""


class TimedOut(ConnectionFailed):
    """No whole answer came within the time that a call has."""


class Overloaded(Retryable):
    """The API, or what stands before it, answered 429, 502, 503 or 504."""


class Untrusted(Retryable):
    """What came back is not an answer to what was asked. It must never be stored."""


class LimiterFailed(Retryable):
    """The database, or Redis, that spaces the calls of all processes does not answer."""


class Refused(CallFailed):
    """The API does not take this question: at least one of its locations, or its size."""


class Crashed(Refused):
    """The API broke on this question. Some faults of this kind pass, others never do."""
