"""When to ask the external API again: bounded by attempts and by the lookup's deadline, with full jitter.

stamina counts and waits; how long is decided here, because it must never wait beyond the deadline, and because its own
jitter is added to a fixed wait instead of spread over all of it.
"""

import logging
import random
from collections.abc import AsyncIterator

import stamina

from lookups.deadline import Deadline
from lookups.errors import CallFailed, Crashed, Retryable

logger = logging.getLogger(__name__)

#: Seconds; no backoff is longer, unless the API asks for more.
LONGEST_BACKOFF = 8.0


def ask_again(
    *, deadline: Deadline, attempts: int, crash_attempts: int, first_backoff: float
) -> AsyncIterator[stamina.Attempt]:
    """`async for attempt in ask_again(…): with attempt: …`; what it gives up on is raised as it is.

    `attempts` is the limit for what is `Retryable`, `crash_attempts` that for `Crashed`; nothing else is tried again.
    """
    made = crashes = 0

    def backoff(error: Exception) -> bool | float:
        nonlocal made, crashes
        made += 1
        crashes += isinstance(error, Crashed)
        again = isinstance(error, Retryable) or (isinstance(error, Crashed) and crashes < crash_attempts)
        if not isinstance(error, CallFailed) or not again or made >= attempts:
            return False
        wait = random.uniform(0, min(LONGEST_BACKOFF, first_backoff * 2 ** (made - 1)))  # noqa: S311 (not a secret)
        wait += error.retry_after or 0.0
        if wait >= deadline.remaining():
            return False
        logger.info("call failed attempt=%d next_in=%.2f why=%r", made, wait, error.detail)
        return wait

    return stamina.retry_context(on=backoff, attempts=None, timeout=None).__aiter__()
