"""`/healthz`: the process is alive. `/readyz`: it can work, or says what is missing."""

import os

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is missing and why."""
    missing = {name: why for name, why in (("database", _database()), ("uploads_dir", _uploads_dir())) if why}
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})


def _database() -> str | None:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return f"does not answer: {type(error).__name__}"
    return f"{len(pending)} migrations are not applied" if pending else None


def _uploads_dir() -> str | None:
    folder = settings.UPLOADS_DIR if settings.UPLOADS_DIR.exists() else settings.DATA_DIR
    # The gateway tells it everybody: the setting's name, not what is in it.
    return None if os.access(folder, os.W_OK) else "DATA_DIR cannot be written to"
