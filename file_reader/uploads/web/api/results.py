"""`/uploads/{id}/result.csv`: the file with its answers."""

import re
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from service_kit.query_parameters import query_parameters
from uploads.results.csv_file import result_csv
from uploads.web.api.callers import find_upload, owner_id


@api_view(["GET", "HEAD"])
@query_parameters("safe")
def result_file(request: Request, public_id: UUID) -> Any:
    """The file, each record with its answer appended."""
    upload = find_upload(owner_id(request), public_id)
    stem = re.sub(r"(\.(csv|tsv|txt|gz|zip|xlsx))+$", "", upload.filename, flags=re.IGNORECASE)
    safe = _switch(request, "safe")
    response = StreamingHttpResponse(
        result_csv(upload, safe=safe) if request.method == "GET" else (),
        content_type=f"text/csv; charset={_charset(upload.dialect['encoding'])}",
    )
    response["Content-Disposition"] = content_disposition_header(True, f"{stem}-result.csv")
    return response


def _switch(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "0")
    if value not in ("0", "1"):
        raise ValidationError({name: "Accepted: 0 or 1."})
    return value == "1"


def _charset(encoding: str) -> str:
    return {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(encoding, encoding)
