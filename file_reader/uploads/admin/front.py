"""The front page of the admin: how both services are, and what all workers together do."""

import json
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import resolve, reverse

from service_kit.logs import request_id
from uploads import audit
from uploads.admin.charts import lines, stacked
from uploads.errors import LookupServiceError
from uploads.models import AuditAction
from uploads.queue import queue
from uploads.upstream import Calls, Upstream, UpstreamClient
from uploads.work import figures

_KINDS = {"upload": "Uploads", "chunk": "Chunks", "delivery": "Deliveries"}
#: What operators may do about the external API: the question, what follows, what it is called in the audit log.
_UPSTREAM = {
    "pause": (
        "Pause calls upstream for 10 minutes?",
        "No process calls the external API for ten minutes. What is known is answered, all else waits. This cannot be"
        " undone.",
        AuditAction.UPSTREAM_PAUSED,
    ),
    "close_breaker": (
        "Close the breaker?",
        "The external API is called again at once, although its last calls failed. A pause goes on.",
        AuditAction.BREAKER_CLOSED,
    ),
}


def change_upstream(site: AdminSite, request: HttpRequest, what: str) -> HttpResponse:
    """Asks back, then has postcode_consumer pause its calls, or close the breaker."""
    if what not in _UPSTREAM or not request.user.has_perm("uploads.control_upstream"):
        raise PermissionDenied
    question, consequence, action = _UPSTREAM[what]
    if request.method != "POST":
        context = {**site.each_context(request), "title": question, "consequence": consequence}
        return TemplateResponse(request, "admin/confirm_upstream.html", context)
    try:
        getattr(_client(), what)()
    except LookupServiceError as error:
        messages.error(request, str(error))
    else:
        audit.record(action, "upstream")
        LogEntry.objects.create(
            user_id=cast(int, request.user.pk), object_repr="upstream", action_flag=CHANGE, change_message=action.label
        )
        messages.success(request, f"Done: {action.label}.")
    return HttpResponseRedirect(reverse("admin:index"))


def _client() -> UpstreamClient:
    return UpstreamClient(settings.POSTCODE_CONSUMER_URL, settings.INTERNAL_TOKEN, request_id.get())


def figures_for(request: HttpRequest) -> dict[str, Any]:
    """What the front page shows; nothing to those who may not look at uploads."""
    if not request.user.has_perm("uploads.view_upload"):
        return {}
    workers = figures.workers()
    first_minute, rows = figures.rows_by_steps()
    trouble, upstream = _consumer()
    return {
        "services": {"file_reader": _own_trouble(request), "postcode_consumer": trouble},
        "rows_a_second": figures.rows_a_second(workers),
        "queue": [(f"{_KINDS[kind]} {state}", waiting) for (kind, state), waiting in sorted(queue().items())],
        "dead_chunks": figures.dead_chunks(),
        "workers": workers,
        "upstream": upstream,
        "may_control": request.user.has_perm("uploads.control_upstream"),
        "charts": [
            ("Rows by result", stacked("Rows by result", rows, first_minute=first_minute, step=figures.STEP)),
            *(_charts_of_calls(upstream) if upstream else []),
        ],
    }


def _own_trouble(request: HttpRequest) -> str:
    """What `/readyz` of this service says."""
    answer = json.loads(resolve("/readyz").func(request).content)
    return _in_words(answer.get("missing", {}))


def _consumer() -> tuple[str, Upstream | None]:
    client = _client()
    try:
        return _in_words(client.missing()), client.look()
    except LookupServiceError as error:
        return str(error), None


def _in_words(missing: dict[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in missing.items())


def _charts_of_calls(upstream: Upstream) -> list[tuple[str, str]]:
    steps = {min(one.place, figures.STEPS - 1): one for one in upstream.calls}
    columns = [steps.get(place, Calls(place, 0, 0, 0, 0, 0.0, 0.0)) for place in range(figures.STEPS)]
    calls = {name: [getattr(one, name) for one in columns] for name in ("answered", "refused", "timed_out", "failed")}
    seconds = {
        "longest": [one.most if one.made else None for one in columns],
        "mean": [one.seconds / one.made if one.made else None for one in columns],
    }
    when = {"first_minute": upstream.first_minute, "step": upstream.step}
    return [
        ("Calls upstream by outcome", stacked("Calls upstream by outcome", calls, **when)),
        ("How long calls upstream take", lines("How long calls upstream take", seconds, unit="s", **when)),
    ]
