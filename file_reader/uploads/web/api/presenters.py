"""An upload in the words of the interface."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from uploads.models import OPEN_STATES, Upload, UploadState
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.preview import warnings_of
from uploads.rows.filters import Counts

_DIALECT = ("delimiter", "encoding", "has_header", "decimal", "latitude", "longitude", "coordinates")


def upload_as_json(upload: Upload, counts: Counts, request: Request) -> dict[str, Any]:
    """The upload as the interface has it; `rows_per_second` and `eta_seconds` are null while nothing can be told."""
    rate = _rows_per_second(upload, counts)
    progress = progress_of(upload, counts)
    return {
        "id": str(upload.public_id),
        "filename": upload.filename,
        "size": upload.size,
        "sha256": upload.sha256,
        "state": upload.state,
        "created_at": upload.created_at,
        "started_at": upload.started_at,
        "finished_at": upload.finished_at,
        "max_distance": upload.max_distance,
        "dialect": dialect_as_json(upload.dialect),
        "rows": counts.as_json(),
        "progress": progress,
        "rows_per_second": rate,
        "eta_seconds": _eta(upload, counts, progress, rate),
        "waiting": waiting_of(upload),
        "warnings": warnings_of(Dialect.from_json(upload.dialect), rows=counts.read, swapped=upload.rows_swapped),
        "error": upload.error,
        "links": links_of(upload, request),
    }


def dialect_as_json(dialect: dict[str, Any]) -> dict[str, Any]:
    """How the file is written, as the interface has it."""
    return {name: dialect.get(name, "degrees") for name in _DIALECT}


def links_of(upload: Upload, request: Request) -> dict[str, str]:
    """Where everything about an upload is, as absolute addresses under the name by which the caller came."""

    address = reverse("upload", args=[upload.public_id], request=request)
    return {
        "self": address,
        "rows": f"{address}rows/",
        "result_csv": f"{address}result.csv",
        "cancel": f"{address}cancel/",
        "retry": f"{address}retry/",
    }


def waiting_of(upload: Upload) -> dict[str, Any] | None:
    """Since when, and why, nobody could answer for the upload; None while answers come, and when it has ended."""
    if upload.waiting_since is None or upload.state not in OPEN_STATES:
        return None
    return {"since": upload.waiting_since, "reason": upload.waiting_reason, "detail": upload.waiting_detail}


def progress_of(upload: Upload, counts: Counts) -> float:
    """The share of the work that is done, 0…1; while the file is loaded, its rows are told from its bytes."""
    if upload.state == UploadState.DONE:
        return 1.0
    if not counts.read:
        return 0.0
    loaded = 1.0
    if upload.state == UploadState.LOADING and (size := upload.table_size or upload.size):
        loaded = min(1.0, upload.bytes_loaded / size)
    # Never 1 before the end: what is waiting for its last commit is not done.
    return round(min(counts.answered / counts.read * loaded, 0.9999), 4)


def _rows_per_second(upload: Upload, counts: Counts) -> float | None:
    if upload.started_at is None:
        return None
    seconds = ((upload.finished_at or datetime.now(UTC)) - upload.started_at).total_seconds()
    return round(counts.answered / seconds, 1) if seconds > 0 else None


def _eta(upload: Upload, counts: Counts, progress: float, rate: float | None) -> float | None:
    if upload.finished_at is not None or not rate or not progress:
        return None
    return round(counts.answered * (1 / progress - 1) / rate, 1)
