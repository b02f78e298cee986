"""The uploads API. A view translates, calls one domain function and translates back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reader_config.parameters import Values, takes
from uploads.accepting.options import OPTIONS, UploadOptions, check_workbook, parse_options
from uploads.accepting.request_body import display_name, receive, storage_problems
from uploads.files.incoming import Incoming
from uploads.models import Postcode, Upload
from uploads.reading.containers import SheetCsv
from uploads.reading.detecting.dialect import SAMPLE_BYTES, Dialect, detect_dialect
from uploads.reading.errors import ReadingError
from uploads.reading.preview import preview
from uploads.results.csv_file import result_csv
from uploads.rows.filters import (
    ROW_FILTERS,
    counts_of,
    normal_postcode,
    parse_filters,
    postcode_as_json,
    row_as_json,
)
from uploads.rows.pages import RowPages
from uploads.web.api.callers import owner_id
from uploads.web.api.presenters import dialect_as_json, links_of, upload_as_json
from uploads.work.commands import accept_upload, cancel_upload, delete_upload, retry_upload, scoped_key
from uploads.work.loading import problem_of

_POSITION = re.compile(r"\d{1,18}", re.ASCII)
_LARGEST_POSITION = 10**18 - 1


class CursorPages(CursorPagination):
    """Pages by position: the last one costs what the first one costs, and nobody counts."""

    ordering = "id"
    page_size = 100
    max_page_size = 1_000
    page_size_query_param = "page_size"
    parameters = ("cursor", "page_size")

    def get_page_size(self, request: Request) -> int:
        """As asked, 1…1,000; what is beyond is an error, not another size than the one that was asked for."""
        value = request.query_params.get("page_size", str(self.page_size))
        size = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
        if not 1 <= size <= self.max_page_size:
            raise ValidationError({"page_size": f"Accepted: 1 to {self.max_page_size}."})
        return size

    def decode_cursor(self, request: Request) -> Any:
        """The position, which comes from the caller like anything else."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            cursor = None
        else:
            if cursor is None or cursor.position is None or _POSITION.fullmatch(str(cursor.position)):
                return cursor
        raise ValidationError({"cursor": "Accepted: what next or previous of another page has."})


class NewestFirst(CursorPages):
    ordering = "-id"


class RowCursor(CursorPages):
    """The same cursors, for rows: their ids differ, so that a position is enough."""

    next: str | None = None
    previous: str | None = None

    def __init__(self, request: Request) -> None:
        self.base_url = request.build_absolute_uri()
        self._size = self.get_page_size(request)
        self._cursor = self.decode_cursor(request) or Cursor(offset=0, reverse=False, position=None)

    def read(self, rows: RowPages) -> list[dict[str, Any]]:
        """The page; afterwards `next` and `previous` have the addresses of those beside it."""
        position = None if self._cursor.position is None else int(self._cursor.position)
        backwards = self._cursor.reverse
        found = rows.page(position, self._size + 1, backwards=backwards)
        page, goes_on = found[: self._size], len(found) > self._size
        if backwards:
            page.reverse()
        came_from = 0 if position is None else position
        if position is not None if backwards else goes_on:
            self.next = self._link(page[-1]["id"] if page else max(0, came_from - 1), backwards=False)
        if goes_on if backwards else position is not None:
            before = page[0]["id"] if page else min(came_from + 1, _LARGEST_POSITION)
            self.previous = self._link(before, backwards=True)
        return page

    def _link(self, position: int, *, backwards: bool) -> str:
        return self.encode_cursor(Cursor(offset=0, reverse=backwards, position=position))


def find_upload(request: Request, public_id: UUID) -> Upload:
    """The caller's upload with that id; somebody else's is not found, like one that never was."""
    upload = Upload.objects.visible_to(owner_id(request)).filter(public_id=public_id).first()
    if upload is None:
        raise NotFound("You have no upload with this id.")
    return upload


@contextmanager
def received(request: Request, key: str | None) -> Iterator[tuple[Incoming, Incoming, UploadOptions, str]]:
    """What was sent, its table, the options and the file's name, for as long as the context lasts.

    Raises Problem for everything that can be wrong with them.
    """
    given = Values("option", OPTIONS)
    given.give_query(request)
    with storage_problems(), reading_problems(), Incoming(key) as sent:
        name_in_form = receive(cast(WSGIRequest, request._request), sent, given.give)
        options = parse_options(given)
        with sent.unwrapped(settings.MAX_UPLOAD_BYTES) as table:
            yield sent, table, options, display_name(given.get("filename") or name_in_form)


@contextmanager
def reading_problems() -> Iterator[None]:
    """A file that cannot be read is a problem of its sender's."""
    try:
        yield
    except ReadingError as error:
        raise problem_of(error) from None


def detected_dialect(table: Incoming, options: UploadOptions) -> Dialect:
    """How the table is written, as declared or told from its beginning."""
    with table.open_table() as stream:
        if isinstance(stream, SheetCsv):
            check_workbook(options.declared)
        return detect_dialect(stream.read(SAMPLE_BYTES), options.declared, further=table.samples())


@api_view(["POST"])
def upload_preview(request: Request) -> Response:
    """What would be read from a file; nothing is stored."""
    with received(request, None) as (_, table, options, filename):
        dialect = detected_dialect(table, options)
        shown = preview(table.open_table, dialect)
    return Response({"filename": filename, "dialect": dialect_as_json(dialect.as_json()), **shown})


class UploadList(APIView):
    """`GET`: the caller's uploads, newest first. `POST`: a new one."""

    @method_decorator(takes(*NewestFirst.parameters))
    def get(self, request: Request) -> Response:
        pages = NewestFirst()
        uploads = pages.paginate_queryset(Upload.objects.visible_to(owner_id(request)), request) or []
        counts = counts_of(uploads)
        return pages.get_paginated_response([upload_as_json(upload, counts[upload.pk], request) for upload in uploads])

    def post(self, request: Request) -> Response:
        key = _idempotency_key(request)
        with received(request, key) as (sent, table, options, filename):
            upload = accept_upload(
                sent=sent,
                table=table,
                filename=filename,
                dialect=detected_dialect(table, options),
                max_distance=options.max_distance,
                owner_id=owner_id(request),
                idempotency_key=key,
            )
        return Response(
            upload_as_json(upload, counts_of([upload])[upload.pk], request),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": links_of(upload, request)["self"]},
        )


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise ValidationError({"Idempotency-Key": "1 to 255 printable characters."})
    return None if key is None else scoped_key(owner_id(request), key)


class UploadDetail(APIView):
    """One upload: how far it is, or away with it."""

    @method_decorator(takes())
    def get(self, request: Request, public_id: UUID) -> Response:
        return _upload_response(request, find_upload(request, public_id))

    @method_decorator(takes())
    def delete(self, request: Request, public_id: UUID) -> Response:
        delete_upload(find_upload(request, public_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _upload_response(request: Request, upload: Upload) -> Response:
    return Response(upload_as_json(upload, counts_of([upload])[upload.pk], request))


@api_view(["POST"])
@takes()
def cancel(request: Request, public_id: UUID) -> Response:
    """Ends the work on an upload; answers that are there stay."""
    upload = find_upload(request, public_id)
    cancel_upload(upload)
    return _upload_response(request, upload)


@api_view(["POST"])
@takes()
def retry(request: Request, public_id: UUID) -> Response:
    """Looks the failed rows of an upload up again."""
    upload = find_upload(request, public_id)
    retry_upload(upload)
    return _upload_response(request, upload)


@api_view(["GET", "HEAD"])
@takes("safe")
def result_file(request: Request, public_id: UUID) -> Any:
    """The file, each record with its answer appended."""
    upload = find_upload(request, public_id)
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


@api_view(["GET", "HEAD"])
@takes(*ROW_FILTERS, *CursorPages.parameters)
def upload_rows(request: Request, public_id: UUID) -> HttpResponse:
    """The rows of one upload, filtered, in file order."""
    return _rows_response(request, find_upload(request, public_id))


@api_view(["GET", "HEAD"])
@takes("upload", *ROW_FILTERS, *CursorPages.parameters)
def rows(request: Request) -> HttpResponse:
    """The rows of all the caller's uploads, filtered."""
    wanted = request.query_params.get("upload")
    if wanted is None:
        return _rows_response(request, None)
    try:
        return _rows_response(request, find_upload(request, UUID(wanted)))
    except ValueError:
        raise ValidationError({"upload": "This is not the id of an upload."}) from None


def _rows_response(request: Request, upload: Upload | None) -> HttpResponse:
    filters = parse_filters(request.query_params.dict())
    pages = RowCursor(request)
    page = pages.read(RowPages(filters, owner_id=owner_id(request), upload=upload))
    answer = {"next": pages.next, "previous": pages.previous, "results": [row_as_json(row) for row in page]}
    # REST framework's own renderer takes longer than all the rest.
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


@api_view(["GET", "HEAD"])
@takes()
def postcode(request: Request, postcode: str) -> Response:
    """What is known about a postcode, however it is spaced."""
    # PostgreSQL takes no NUL, not even to compare with.
    known = Postcode.objects.select_related("area")
    found = None if "\0" in postcode else known.filter(postcode=normal_postcode(postcode)).first()
    if found is None:
        raise NotFound("No row has this postcode so far.")
    of_caller = RowPages(parse_filters({"postcode": found.postcode}), owner_id=owner_id(request))
    return Response(postcode_as_json(found, of_caller.count()))
