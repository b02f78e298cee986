"""When to ask the external API again: bounded by attempts and by the lookup's deadline, with full jitter.

It prevents this accident: many callers fail in one moment, wait for equally long, and all call again in one moment.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lookups.deadline import Deadline
from lookups.errors import CallFailedError, CrashedError, RetryableError

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Seconds; no backoff is longer, unless the API asks for more.
LONGEST_BACKOFF = 8.0


async def ask_again(
    call: Callable[[], Awaitable[T]], *, deadline: Deadline, attempts: int, crash_attempts: int, first_backoff: float
) -> T:
    """What `call` returns, which is made again as long as that may help; its last error is raised as it is.

    `attempts` limits the calls, `crash_attempts` those that end with `CrashedError`. After any other error but a
    `RetryableError` the call is not made again. `first_backoff` is the longest wait (seconds) before the second call;
    it doubles with each further one.
    """
    made = crashes = 0
    while True:
        try:
            return await call()
        except CallFailedError as error:
            made += 1
            crashes += isinstance(error, CrashedError)
            again = isinstance(error, RetryableError) or (isinstance(error, CrashedError) and crashes < crash_attempts)
            wait = random.uniform(0, min(LONGEST_BACKOFF, first_backoff * 2 ** (made - 1)))  # noqa: S311 - not a secret
            wait += error.retry_after or 0.0
            if not again or made >= attempts or wait >= deadline.remaining():
                raise
            logger.info("call failed attempt=%d next_in=%.2f why=%r", made, wait, error.detail)
        await asyncio.sleep(wait)
