"""HTTP → lookup → HTTP. The JSON is msgspec's on both ways: serializers cost five times as much as all the rest."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lookups.answers import Answer
from lookups.deadline import Deadline
from lookups.errors import DeadlineExceededError, ProviderUnavailableError
from lookups.lookup import reverse_geocode, reverse_geocode_columns
from lookups.providers import provider_of_this_process
from lookups.web import columns_body
from lookups.web.errors import plain_view, whole_seconds
from lookups.web.request_body import parse_body, parse_deadline, parse_query
from service_kit.problems import Problem
from service_kit.query_parameters import query_parameters

logger = logging.getLogger(__name__)

#: Seconds; how long caches may keep an answer. Short, so that a forgotten one is soon gone there, too.
ANSWER_SECONDS = 60

_Answers = TypeVar("_Answers")


class _Bulk(msgspec.Struct):
    results: list[Answer]


@query_parameters("latitude", "longitude", "max_distance")
def _one(request: HttpRequest) -> HttpResponse:
    """`?latitude=…&longitude=…[&max_distance=…]` → the answer."""
    query = request.GET
    location, max_distance = parse_query(
        latitude=query.get("latitude"), longitude=query.get("longitude"), max_distance=query.get("max_distance")
    )
    look_up = partial(reverse_geocode, locations=[location], max_distance=max_distance)
    (answer,) = _in_time(request, 1, look_up)
    response = _json(answer)
    if answer.status != "failed":
        response["Cache-Control"] = f"public, max-age={ANSWER_SECONDS}"
    return response


def _many(request: HttpRequest) -> HttpResponse:
    """`{"locations": […], "max_distance"?}` → `{"results": […]}` in the same order; columns → columns."""
    if request.content_type == columns_body.CONTENT_TYPE:
        return _columns(request)
    locations, max_distance = parse_body(_body(request))
    look_up = partial(reverse_geocode, locations=locations, max_distance=max_distance)
    return _json(_Bulk(_in_time(request, len(locations), look_up)))


#: `GET` answers one location, `POST` up to 1,000, and up to 5,000 as columns.
reverse_geocode_view = plain_view(GET=_one, POST=_many)


def _columns(request: HttpRequest) -> HttpResponse:
    question = columns_body.parse(_body(request))
    look_up = partial(
        reverse_geocode_columns,
        latitudes=question.latitudes,
        longitudes=question.longitudes,
        max_distance=question.max_distance,
    )
    columns = _in_time(request, len(question.latitudes), look_up)
    return HttpResponse(columns_body.encoded(columns, question), content_type=columns_body.CONTENT_TYPE)


def _in_time(request: HttpRequest, locations: int, look_up: Callable[..., _Answers]) -> _Answers:
    """The answers, in the time that is ours or, if that is less, the caller's."""
    started = time.monotonic()
    callers_seconds = parse_deadline(request.META.get("HTTP_X_REQUEST_DEADLINE"))
    deadline = Deadline(min(callers_seconds, settings.LOOKUP_DEADLINE_SECONDS))
    if not callers_seconds:
        raise _deadline_exceeded("The time that X-Request-Deadline allows was over when the request came.")
    try:
        answers = look_up(provider=provider_of_this_process(), deadline=deadline)
    except ProviderUnavailableError as error:
        seconds = time.monotonic() - started
        logger.warning("lookup unavailable locations=%d seconds=%.1f why=%r", locations, seconds, error.detail)
        too_late = isinstance(error, DeadlineExceededError) or not deadline.remaining()
        if too_late and callers_seconds < settings.LOOKUP_DEADLINE_SECONDS:
            raise _deadline_exceeded(error.detail, retry_after=error.retry_after) from error
        raise
    if request.method == "POST":  # a single one has its line in the gateway's log
        logger.info("lookup answered locations=%d seconds=%.3f", locations, time.monotonic() - started)
    return answers


def _deadline_exceeded(detail: str, *, retry_after: float | None = None) -> Problem:
    return Problem(
        "deadline-exceeded",
        "The caller's time does not suffice for an answer",
        status=504,
        detail=detail,
        retry_after=None if retry_after is None else whole_seconds(retry_after),
    )


def _body(request: HttpRequest) -> bytes:
    """The whole body. Its size is checked before any of it is read."""
    if request.headers.get("Transfer-Encoding"):
        # Without a length Django reads such a body as empty, silently.
        raise Problem(
            "length-required", "The body has no length", status=411, detail="Send the body with a Content-Length."
        )
    if int(request.headers.get("Content-Length") or 0) > settings.MAX_BODY_BYTES:
        raise Problem(
            "body-too-large",
            "The body is too large",
            status=413,
            detail=f"At most {settings.MAX_BODY_BYTES} bytes are taken in one call.",
            max_bytes=settings.MAX_BODY_BYTES,
        )
    return request.body


def _json(answer: Answer | _Bulk) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
