"""The providers, and the one that this process uses."""

import functools
import threading

from django.conf import settings

from lookups.providers.base import Provider
from lookups.providers.postcodes_io import PostcodesIo
from lookups.providers.remembering import Remembering
from lookups.providers.sandbox import Sandbox

_building = threading.Lock()


def provider_of_this_process() -> Provider:
    """The provider that the settings name.

    It is made at the first lookup, not at the start: threads and connections do not survive the fork of a worker.
    """
    with _building:
        return _build()


@functools.cache
def _build() -> Provider:
    if settings.PROVIDER == "sandbox":
        return Sandbox()
    upstream = PostcodesIo(
        url=settings.POSTCODES_IO_URL,
        calls_per_second=settings.POSTCODES_IO_CALLS_PER_SECOND,
        max_concurrency=settings.POSTCODES_IO_MAX_CONCURRENCY,
        contact=settings.POSTCODES_IO_CONTACT,
        call_seconds=settings.POSTCODES_IO_CALL_SECONDS,
        first_backoff=settings.POSTCODES_IO_FIRST_BACKOFF_SECONDS,
    )
    return Remembering(upstream, ttl=settings.CACHE_TTL, ttl_of_misses=settings.CACHE_TTL_MISSES)
