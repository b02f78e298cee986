"""An upload in the words of the interface."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from uploads.models import Upload, UploadState
from uploads.progress import Counts, eta_of, progress_of, rows_per_second_of, waiting_of
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.other_readings import NOTES
from uploads.reading.own_postcodes import Compared
from uploads.reading.warnings import Read, warnings_of
from uploads.results.formats import formats_here

_DIALECT = (
    "delimiter",
    "quoting",
    "encoding",
    "has_header",
    "decimal",
    "latitude",
    "longitude",
    "coordinates",
    "format",
)

#: Of uploads from before these were told.
_BEFORE = {"quoting": "quotes", "coordinates": "degrees", "format": "csv"}


def upload_as_json(upload: Upload, counts: Counts, ahead: int | None, request: HttpRequest) -> dict[str, Any]:
    """The upload as the interface has it; `rows_per_second` and `eta_seconds` are null while nothing can be told."""
    rate = rows_per_second_of(upload, counts)
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
        "indexed_at": upload.indexed_at,
        "expires_at": upload.expires_at,
        "max_distance": upload.max_distance,
        "webhook_url": upload.webhook_url or None,
        "dialect": dialect_as_json(upload.dialect),
        "rows": counts.as_json(),
        "progress": progress,
        "rows_per_second": rate,
        "eta_seconds": eta_of(upload, counts, progress, rate),
        "waiting": waiting_of(upload),
        "warnings": warnings_of(
            Read(
                Dialect.from_json(upload.dialect),
                rows=counts.read,
                rejected=counts.rejected,
                swapped=upload.rows_swapped,
                west=None if upload.state in (UploadState.RECEIVED, UploadState.LOADING) else upload.rows_west,
                at_sea=upload.rows_at_sea,
                doubt=upload.doubt if upload.error is None or upload.doubt in NOTES else "",
                own_postcodes=upload.own_postcodes and Compared(**upload.own_postcodes),
            )
        ),
        "error": upload.error,
        "paused": upload.paused_at is not None,
        "ahead": ahead,
        "reasons": upload.reasons,
        "links": links_of(upload, request),
    }


def dialect_as_json(dialect: dict[str, Any]) -> dict[str, Any]:
    """How the file is written, as the interface has it."""
    return {name: dialect.get(name, _BEFORE.get(name)) for name in _DIALECT}


def links_of(upload: Upload, request: HttpRequest) -> dict[str, str]:
    """Where everything about an upload is, as absolute addresses under the name by which the caller came."""
    address = request.build_absolute_uri(reverse("upload", args=[upload.public_id]))
    return {
        "self": address,
        "events": f"{address}events/",
        "rows": f"{address}rows/",
        **{f"result_{suffix}": f"{address}result.{suffix}" for suffix in formats_here()},
        "summary": f"{address}summary/",
        "cells": f"{address}cells/",
        "deliveries": f"{address}deliveries/",
        "pause": f"{address}pause/",
        "resume": f"{address}resume/",
        "cancel": f"{address}cancel/",
        "retry": f"{address}retry/",
    }
