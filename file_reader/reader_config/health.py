"""`/healthz`: the process is alive. `/readyz`: it can work, or says what is missing.

A disk that is nearly full does not make it unready: it refuses uploads then, and answers all else.
"""

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from service_kit.readiness import database_is_missing, folder_is_missing, readiness


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is missing and why."""
    folder = settings.UPLOADS_DIR if settings.UPLOADS_DIR.exists() else settings.DATA_DIR
    return readiness(database=database_is_missing(), uploads_dir=folder_is_missing("DATA_DIR", folder))
