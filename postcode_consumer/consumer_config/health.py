"""`/healthz`: the process is alive. `/readyz`: it can work, or says what is missing.

An outage of the provider does not make the service unready: it answers 503 with Retry-After then, as it should.
"""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from redis import Redis, RedisError

from lookups import providers
from service_kit.readiness import database_is_missing, folder_is_missing, readiness

#: Seconds; a Redis that is slower is away.
_CACHE_SECONDS = 2.0


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is missing and why."""
    return readiness(
        database=database_is_missing(),
        data_dir=folder_is_missing("DATA_DIR", settings.DATA_DIR),
        cache=_cache_is_missing(),
        index=providers.index_is_missing(),
    )


def _cache_is_missing() -> str | None:
    if not settings.CACHE_URL:
        return None
    try:
        with Redis.from_url(
            settings.CACHE_URL, socket_timeout=_CACHE_SECONDS, socket_connect_timeout=_CACHE_SECONDS
        ) as cache:
            cache.ping()
    except RedisError as error:
        return f"does not answer: {type(error).__name__}"
    return None
