"""`/internal/status/`: what `/status/` of the gateway shows of this service."""

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from lookups.errors import LimiterFailedError
from lookups.memory import known_locations as memory
from lookups.providers import index_edition, shared_limiter
from service_kit.own_status import Figure, disk_figures, own_status


@require_safe
def status(request: HttpRequest) -> JsonResponse:
    """The provider, how the external API is treated, the index, what is known, and the disk."""
    edition = index_edition()
    is_open, paused_for = _limiter()
    return own_status(
        {
            "provider": settings.PROVIDER,
            "breaker": is_open if is_open is None else ("open" if is_open else "closed"),
            "external_api_paused_seconds": paused_for,
            "index_built_at": edition and edition.built_at,
            "index_postcodes": (edition and edition.postcodes) or None,  # an index from before does not know it
            **disk_figures(settings.DATA_DIR),
        },
        {"known_locations": _known_locations()},
        {
            "The external API does not work, and is asked again every few seconds.": is_open,
            "The external API is left alone for a while: it asked for that, or an operator did.": paused_for,
        },
    )


def _limiter() -> tuple[bool | None, float | None]:
    """Whether the breaker is open, and for how many seconds nobody calls the external API; None where there is no
    limiter, or no answer from it."""
    store = shared_limiter()
    if store is None:
        return None, None
    try:
        state, now = store.read()
    except LimiterFailedError:
        return None, None
    finally:
        store.close()
    return bool(state.silence), round(max(0.0, state.paused_until - now), 1)


def _known_locations() -> Figure:
    try:
        return memory.about_how_many()
    except Error:
        return None
