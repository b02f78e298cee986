"""`/internal/upstream/`: how the external API is treated just now, for the front page of the admin of file_reader; and
what operators may do about it. The gateway leads nobody here."""

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from lookups import call_minutes
from lookups.errors import LimiterFailedError
from lookups.politeness import limiter
from lookups.politeness.limiter_stores import Change
from lookups.providers import shared_limiter
from service_kit.problems import problem_response

#: A chart has a column for each ten minutes of a day.
STEP, STEPS = 10, 144
PAUSE_SECONDS = 600.0


@require_safe
def upstream(request: HttpRequest) -> JsonResponse:
    """The limiter, and the calls of the last day by ten minutes. Without an external API only the provider's name."""
    name, store = settings.PROVIDER, shared_limiter()
    if store is None:
        return JsonResponse({"provider": name, "limiter": None, **_calls()})
    try:
        state, now = store.read()
    except LimiterFailedError as error:
        return _no_limiter(error)
    told = {
        "calls_per_second": settings.POSTCODES_IO_CALLS_PER_SECOND,
        "is_open": bool(state.silence),
        "paused_for": max(0.0, state.paused_until - now),
        "next_call_in": max(0.0, state.free_at - now),
    }
    return JsonResponse({"provider": name, "limiter": told, **_calls()})


def _calls() -> dict[str, Any]:
    first_minute = (int(time.time()) // 60 // STEP - STEPS + 1) * STEP
    return {"first_minute": first_minute, "step": STEP, "calls": call_minutes.by_steps(first_minute, STEP)}


@csrf_exempt
@require_POST
def pause(request: HttpRequest) -> JsonResponse:
    """No process calls the external API for ten minutes."""
    return _change(lambda state, now: (limiter.pause(state, now, seconds=PAUSE_SECONDS), None))


@csrf_exempt
@require_POST
def close_breaker(request: HttpRequest) -> JsonResponse:
    """The external API is called again at once, whatever the breaker has seen. A pause goes on."""
    return _change(lambda state, now: (limiter.close_breaker(state, now, interval=0.0), None))


def _change(change: Change[None]) -> JsonResponse:
    store = shared_limiter()
    if store is None:
        return problem_response(
            slug="no-upstream", title="No external API is asked", status=409, detail="There is no limiter to change."
        )
    try:
        store.update(change)
    except LimiterFailedError as error:
        return _no_limiter(error)
    return JsonResponse({})


def _no_limiter(error: LimiterFailedError) -> JsonResponse:
    return problem_response(
        slug="database-unavailable", title="The limiter does not answer", status=503, detail=error.detail
    )
