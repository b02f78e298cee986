"""What a Django service says at `/readyz`: whether it can work, and what it lacks; nothing of other services."""

import os
from pathlib import Path

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse

from service_kit.stopping import is_stopping


def readiness(**reasons: str | None) -> JsonResponse:
    """200, or 503 with what is missing and why; also 503 when the service is about to stop."""
    missing = {name: why for name, why in reasons.items() if why}
    if is_stopping():
        missing["process"] = "is about to stop"
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})


def database_is_missing() -> str | None:
    """Why the database cannot be worked with, or is older than the code."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return f"does not answer: {type(error).__name__}"
    return f"{len(pending)} migrations are not applied" if pending else None


def folder_is_missing(setting: str, folder: Path) -> str | None:
    """Why nothing can be written there. Everybody is told: by the name of the setting, not by what is in it."""
    return None if os.access(folder, os.W_OK) else f"{setting} cannot be written to"
