"""The providers, and the one that this process uses, which may be a chain of several."""

import functools
import threading
from collections.abc import Callable

from django.conf import settings

from lookups.memory.remembering import Remembering
from lookups.politeness.limiter_stores import Store, shared_store
from lookups.provider import Provider
from lookups.providers.chain import Chain
from lookups.providers.local import Edition, Local
from lookups.providers.postcodes_io.search import PostcodesIo
from lookups.providers.sandbox import Sandbox

_building = threading.Lock()


def provider_of_this_process() -> Provider:
    """The provider that the settings name.

    It is made in the worker, not before: threads and connections do not survive its fork.
    """
    with _building:
        return _build()


def index_is_missing() -> str | None:
    """Why there is no index that could answer, and what helps; None when there is one, or no need of it."""
    return _local().missing() if "local" in settings.PROVIDER.split(",") else None


def index_edition() -> Edition | None:
    """Which index answers, if one is asked at all."""
    return _local().edition() if "local" in settings.PROVIDER.split(",") else None


def shared_limiter() -> Store | None:
    """What all processes agree on about calls upstream; None without an external API, and without a limit."""
    if PostcodesIo.name not in settings.PROVIDER.split(",") or not settings.POSTCODES_IO_CALLS_PER_SECOND:
        return None
    return shared_store(PostcodesIo.name)


def close() -> None:
    """Closes what the provider of this process has open, if there is one. The next one is made anew."""
    if _build.cache_info().currsize:
        provider = _build()
        for one in provider.providers if isinstance(provider, Chain) else [provider]:
            if isinstance(one, Remembering):
                one.close()
    _build.cache_clear()
    _local.cache_clear()


@functools.cache
def _build() -> Provider:
    makers: dict[str, Callable[[], Provider]] = {"sandbox": Sandbox, "local": _local, "postcodes_io": _postcodes_io}
    providers = [makers[name]() for name in settings.PROVIDER.split(",")]
    return Chain(providers) if len(providers) > 1 else providers[0]


@functools.cache
def _local() -> Local:
    return Local(settings.LOCAL_INDEX)


def in_background() -> Remembering | None:
    """A provider for what can wait, of an external API: it takes a tenth of the rate, after everybody else. None when
    PROVIDER has no such API. To be closed."""
    return _postcodes_io(in_background=True) if "postcodes_io" in settings.PROVIDER.split(",") else None


def _postcodes_io(*, in_background: bool = False) -> Remembering:
    upstream = PostcodesIo(
        url=settings.POSTCODES_IO_URL,
        calls_per_second=settings.POSTCODES_IO_CALLS_PER_SECOND,
        max_concurrency=settings.POSTCODES_IO_MAX_CONCURRENCY,
        contact=settings.POSTCODES_IO_CONTACT,
        call_seconds=settings.POSTCODES_IO_CALL_SECONDS,
        first_backoff=settings.POSTCODES_IO_FIRST_BACKOFF_SECONDS,
        in_background=in_background,
    )
    return Remembering(upstream, ttl=settings.CACHE_TTL, ttl_of_misses=settings.CACHE_TTL_MISSES)
