"""`/uploads/{id}/result` and `result.csv`, `.ndjson`, …: the file with its answers, in the format that is asked for."""

import csv
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header
from rest_framework.decorators import api_view
from rest_framework.request import Request

from service_kit.problems import Problem
from service_kit.query_parameters import Values
from uploads.errors import FormatMissingError, ParameterError
from uploads.models import Upload
from uploads.results.formats import FORMATS, formats_here
from uploads.results.kept import keeping, kept_result, version_of, written
from uploads.results.pieces import Choice
from uploads.results.table import check_columns
from uploads.rows.filters import parse_filters
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.conditional import file_or_part, known_already, tag_of

_PIECE_BYTES = 1 << 18
_NOT_TAKEN = re.compile(r"\s*q=0(\.0*)?\s*")


@api_view(["GET", "HEAD"])
def result_file(request: Request, public_id: UUID, suffix: str = "") -> Any:
    """The file, each record with its answer appended; without a suffix in the format that `Accept` says."""
    upload = find_upload(owner_id(request), public_id)
    vary = [] if suffix else ["Accept"]
    suffix = suffix or _accepted(request._request)
    if suffix not in formats_here():
        raise FormatMissingError(suffix, "pyarrow")
    query = Values("parameter", ["columns", "status", *(["safe"] if suffix == "csv" else [])])
    query.give_query(request)
    # The parts of a file that is kept are parts of the file, and not of what gzip would make of it.
    is_packed = FORMATS[suffix].is_text and "Range" not in request.headers and _takes_gzip(request._request)
    version = version_of(upload)
    tag = version and tag_of(version, suffix, sorted(query.items()), is_packed)
    response: HttpResponseBase | None = known_already(request._request, tag) if tag else None
    if response is None:
        choice = _choice(upload, query)
        response = _answer(request._request, upload, suffix, choice, tag, is_packed=is_packed)
    if tag:
        response["ETag"] = tag
    patch_vary_headers(response, [*vary, *(["Accept-Encoding"] if FORMATS[suffix].is_text else [])])
    return response


def _answer(
    request: HttpRequest, upload: Upload, suffix: str, choice: Choice, tag: str | None, *, is_packed: bool
) -> HttpResponseBase:
    """The result. The whole one of an upload that has ended is kept, and answers ranges."""
    is_read = request.method == "GET"
    write = partial(FORMATS[suffix].write, upload, choice)
    pieces: Iterable[bytes] = write()
    file = None
    if tag and choice == Choice():
        file = kept_result(upload, suffix) if is_read or not is_packed else None
        if file is None and is_read and "Range" in request.headers:
            file = written(upload, suffix, write())
        pieces = keeping(upload, suffix, pieces)
    if file and not is_packed:
        response = file_or_part(request, file, tag or "")
    else:
        pieces = _read(file) if file else pieces
        response = StreamingHttpResponse(_packed(pieces) if is_packed and is_read else pieces if is_read else ())
    if response.status_code in (200, 206):
        _describe(response, upload, suffix)
        if is_packed:
            response["Content-Encoding"] = "gzip"
        elif tag and choice == Choice():
            response["Accept-Ranges"] = "bytes"
    return response


def _describe(response: HttpResponseBase, upload: Upload, suffix: str) -> None:
    charset = f"; charset={_charset(upload.dialect['encoding'])}" if suffix == "csv" else ""
    response["Content-Type"] = FORMATS[suffix].media_type + charset
    stem = re.sub(r"(\.(csv|tsv|txt|gz|zip|xlsx))+$", "", upload.filename, flags=re.IGNORECASE)
    response["Content-Disposition"] = content_disposition_header(True, f"{stem}-result.{suffix}")


def _accepted(request: HttpRequest) -> str:
    """The suffix of the format that `Accept` likes best. Raises Problem (406) when it takes none."""
    suffixes = {FORMATS[suffix].media_type: suffix for suffix in formats_here()}
    preferred = request.get_preferred_type(list(suffixes))
    if preferred is None:
        raise Problem(
            "not-acceptable",
            "There is no result in such a format",
            status=406,
            detail=f"Accept has none of: {', '.join(suffixes)}.",
            accepted=list(suffixes),
        )
    return suffixes[preferred]


def _takes_gzip(request: HttpRequest) -> bool:
    offers = [offer.partition(";") for offer in request.headers.get("Accept-Encoding", "").lower().split(",")]
    return any(name.strip() == "gzip" and not _NOT_TAKEN.fullmatch(quality) for name, _, quality in offers)


def _choice(upload: Upload, query: Values) -> Choice:
    """Raises ParameterError for columns that there are not, and other values that are not valid."""
    if (safe := query.get("safe", "0")) not in ("0", "1"):
        raise ParameterError("safe", "Accepted: 0 or 1.")
    status = parse_filters({"status": query.get("status", "")}).status
    columns = None
    if "columns" in query:
        try:
            columns = [name.strip() for name in next(csv.reader([query["columns"]], strict=True))] or [""]
        except csv.Error:
            raise ParameterError("columns", "Accepted: names with commas between, in quotes where needed.") from None
        check_columns(upload, columns)
    return Choice(columns, status, safe == "1")


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # The lowest level: the usual one takes four times as long for a sixth less.
    gzip = zlib.compressobj(1, wbits=31)
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


def _read(file: io.FileIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _charset(encoding: str) -> str:
    return {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(encoding, encoding)
