"""`/internal/status/`: what `/status/` of the gateway shows of this service."""

import math

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from reader_config import metrics
from service_kit.own_status import disk_figures, own_status
from uploads.files.alive import ALIVE_SECONDS, last_signs
from uploads.queue import Waiting

#: States of uploads, by what people call them here.
_UPLOADS = {
    "uploads_not_begun": ("received",),
    "uploads_at_work": ("loading", "geocoding"),
    "uploads_waiting_for_answers": ("waiting",),
    "uploads_paused": ("paused",),
}


@require_safe
def status(request: HttpRequest) -> JsonResponse:
    """The workers, the queue and the disk."""
    disk = disk_figures(settings.DATA_DIR)
    queue = _queue()
    signs = sorted(last_signs().values())
    silent = sum(seconds > ALIVE_SECONDS for seconds in signs)
    return own_status(
        {"workers_last_sign_seconds": [round(seconds, 1) for seconds in signs], **disk},
        queue,
        {
            "No worker has shown that it lives for half a minute: uploads wait.": silent == len(signs),
            f"Workers that hang: {silent}. The others take their work when its leases end.": 0 < silent < len(signs),
            "Nobody can answer about locations: uploads wait.": queue.get("uploads_waiting_for_answers"),
            "The disk is nearly full: uploads are refused.": disk.get("disk_free_bytes", math.inf)
            < settings.MIN_FREE_BYTES,
        },
        stylesheet=static("pages/page.css"),
        icon=static("pages/mark.svg"),
    )


def _queue() -> dict[str, float]:
    """Nothing when the database does not answer: `/readyz` says that."""
    try:
        found = metrics.queue_now()
    except Error:
        return {}
    uploads = {name: [found.get(("upload", state), Waiting()) for state in states] for name, states in _UPLOADS.items()}
    chunks = {state: found.get(("chunk", state), Waiting()) for state in ("ready", "leased", "overdue")}
    return {
        **{name: sum(waiting.number for waiting in of_it) for name, of_it in uploads.items()},
        "oldest_upload_seconds": round(max(one.seconds for name in _UPLOADS for one in uploads[name]), 1),
        "rows_waiting": chunks["ready"].rows + chunks["overdue"].rows,
        "rows_at_work": chunks["leased"].rows,
        "webhooks_waiting": found.get(("delivery", "waiting"), Waiting()).number,
    }
