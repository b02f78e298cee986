"""`/healthz`: the process is alive. `/readyz`: it can work, or says what is missing.

An outage of the provider does not make the service unready: it answers 503 with Retry-After then, as it should.
"""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from lookups import providers


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 with what is missing and why."""
    missing = providers.missing()
    if why := _database_is_missing():
        missing["database"] = why
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})


def _database_is_missing() -> str | None:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"does not answer: {type(error).__name__}"
    return f"{len(pending)} migrations are not applied" if pending else None
